"""Announcements before they are written: each fits its published schema, and carries the trace of what caused it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

import jsonschema_rs

from mdm.errors import InvariantViolated
from mdm.model.announcements import event_types, payload_schema
from mdm.model.delta import Announcement, IdentityDelta
from mdm.model.ids import EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood


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
