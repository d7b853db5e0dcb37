"""Source rows as their platforms sent them, as somebody may see them.

Nobody classified the columns of platforms, so a column has the class of what the hub reads from it: that of the
attribute that it fills whole, and the class of names for keys and references. A column that nothing reads, or that more
is in than is read from it (a JSON document), counts as confidential.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from api.masking import Shown, class_of, show_record
from api.present import key_object
from mdm.access import Eyes, mask, may_see
from mdm.access.roles import RANK
from mdm.intake.catalogue import Profile
from mdm.intake.column_coverage import Use, UseKind, column_coverage
from mdm.model.canonical import DataClass, Shape
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_source import Event, Raw

#: What a column is read for besides an attribute: a name, shown everywhere, or what only matching looks at.
_NAMES = frozenset({UseKind.KEY, UseKind.REFERENCE, UseKind.CLAIM, UseKind.ALIAS})


def show_row(profile: Profile | None, row: Mapping[str, Any], eyes: Eyes) -> Shown:
    """The columns of a row; those that are hidden keep at most their end. `profile` is None for an unknown table."""
    classes = _classes(profile) if profile is not None else {}
    shown: dict[str, Any] = {}
    hidden: list[str] = []
    for name, value in row.items():
        if value is None or may_see(eyes, classes.get(name, DataClass.CONFIDENTIAL)):
            shown[name] = value
        else:
            shown[name] = mask(Shape.TEXT, value)
            hidden.append(name)
    return Shown(shown, sorted(hidden))


def raw_object(
    raw: Raw,
    profile: Profile | None,
    entities: Mapping[CrosswalkKey, EntityId],
    versions: tuple[Sequence[Event], bool] | None,
    eyes: Eyes,
) -> dict[str, Any]:
    """A source row (`api.schemas.raw.SourceRecordForm`). `entities` are those that its references mean."""
    canonical = show_record(raw.domain, raw.attributes, eyes)
    row = show_row(profile, raw.event.row or {}, eyes)
    return {
        **key_object(raw.key),
        "kind": raw.kind,
        "domain": raw.domain.value if raw.domain is not None else None,
        "deleted": raw.deleted,
        "operation": raw.event.operation,
        "raw": None if raw.event.row is None else row.values,
        "raw_masked": row.masked,
        "attributes": canonical.values,
        "masked": canonical.masked,
        "rejected": raw.rejected,
        "references": [
            {"role": role, **key_object(target), "entity_id": entities.get(target)} for role, target in raw.references
        ],
        "position": _place(raw.event),
        "entity_id": raw.entity_id,
        "member_since": raw.member_since,
        "last_entity_id": raw.last_entity,
        "versions": None if versions is None else [_version_object(each, profile, eyes) for each in versions[0]],
        "complete": versions is None or versions[1],
    }


def _version_object(event: Event, profile: Profile | None, eyes: Eyes) -> dict[str, Any]:
    row = show_row(profile, event.row or {}, eyes)
    return {
        "operation": event.operation,
        "raw": None if event.row is None else row.values,
        "raw_masked": row.masked,
        "unavailable": list(event.unavailable),
        "previous_key": event.previous_key,
        "next_key": event.next_key,
        "position": _place(event),
        "known_at": event.known_at,
    }


def _place(event: Event) -> dict[str, Any]:
    return {
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "lsn": event.lsn,
        "transaction": event.transaction,
        "event_time": event.event_time,
    }


@lru_cache(maxsize=1024)
def _classes(profile: Profile) -> Mapping[str, DataClass]:
    """The class of every column of a table."""
    found = column_coverage(profile)
    return {
        column.name: max((_class(column.name, use, found.domain) for use in told), key=RANK.__getitem__)
        for column in found.columns
        if (told := [use for use in column.uses if use.kind is not UseKind.EVIDENCE])
    }


def _class(column: str, use: Use, domain: Domain | None) -> DataClass:
    if use.path != column:  # the rest of the document may hold anything
        return DataClass.CONFIDENTIAL
    if use.kind in _NAMES:
        return DataClass.INTERNAL
    return class_of(domain, use.of) if use.kind is UseKind.ATTRIBUTE else DataClass.CONFIDENTIAL
