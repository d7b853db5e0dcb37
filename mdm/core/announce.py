"""Announcements before they are written: each fits its published schema, and carries the trace of what caused it.

What a steward decided is announced here as well; what became of golden records by it, identity announces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

import jsonschema_rs

from mdm.errors import InvariantViolated
from mdm.model.announcements import event_type, event_types, payload_schema
from mdm.model.delta import Announcement, IdentityDelta
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.model.stewardship import Plan, Verdict

#: Decisions that are no verdict by name and say one all the same.
_VERDICTS: Final[Mapping[str, Verdict]] = {
    **{each.value: each for each in Verdict},
    "merge": Verdict.SAME,
    "split": Verdict.NOT_SAME,
}


def check_announcements(announcements: Iterable[Announcement]) -> None:
    """Consumers were promised a form; nothing that breaks the promise leaves the hub.

    Raises:
        InvariantViolated: a payload does not fit its schema; names the event and the place in it, never a value.
    """
    validators = _validators()
    for announcement in announcements:
        validator = validators.get(announcement.type)
        if validator is None:
            raise InvariantViolated(f"{announcement.type} is no event that the hub announces.")
        if not validator.is_valid(announcement.payload):
            fault = next(iter(validator.iter_errors(announcement.payload)))
            place = "/".join(str(step) for step in fault.instance_path)
            raise InvariantViolated(
                f"{announcement.type} of {announcement.aggregate} does not fit its schema at {place or 'its top'} "
                f"({'/'.join(str(step) for step in fault.schema_path)})."
            )


@cache
def _validators() -> Mapping[str, jsonschema_rs.Validator]:
    return {each: jsonschema_rs.validator_for(payload_schema(each)) for each in event_types()}


def decided(
    plan: Plan, domain: Domain, versions: Mapping[EntityId, int | None], decision_id: int, at: datetime, *, agreed: bool
) -> tuple[Announcement, ...]:
    """A decision as consumers hear of it, once for every entity that it is about.

    Topics have other readers than the hub, and what was published goes from there only with time: no name, no reason,
    no value.

    Args:
        versions: of the golden record of each of them now. A reader that skips versions which it holds, and forgets a
            record without one, is not misled; None for an id that has ended.
    """
    verdict = _VERDICTS.get(plan.kind)
    said = {
        "domain": domain.value,
        "decision": decision_id,
        "kind": plan.kind,
        "verdict": verdict.value if verdict is not None else None,
        "actor": "hub" if plan.kind == "expire" else "steward",
        "agreed": agreed,
        "at": at.isoformat(),
        "undoes": plan.undoes,
    }
    return tuple(
        Announcement(
            domain, each, event_type(domain, "decided"), {"entity_id": each, "version": versions[each], **said}
        )
        for each in sorted(versions)
    )


def traced(delta: IdentityDelta, hood: Neighbourhood, traces: Mapping[RecordId, str]) -> IdentityDelta:
    """The delta whose announcements carry the trace context of the source event that caused them.

    An entity touched by several events gets the trace of the record with the smallest name, so that the same events
    give the same trace.
    """
    if not traces or not delta.announcements:
        return delta
    homes: dict[RecordId, set[EntityId]] = {}
    for rec, record in hood.records.items():
        if record.entity_id is not None:
            homes.setdefault(rec, set()).add(record.entity_id)
    for change in delta.joined:
        homes.setdefault(change.rec_id, set()).add(change.entity_id)
    for rec, entity_id in delta.departed:
        homes.setdefault(rec, set()).add(entity_id)
    of_entity: dict[EntityId, str] = {}
    for rec in sorted(traces):
        for entity_id in homes.get(rec, ()):
            of_entity.setdefault(entity_id, traces[rec])
    return replace(
        delta,
        announcements=tuple(replace(each, traceparent=of_entity.get(each.aggregate)) for each in delta.announcements),
    )
