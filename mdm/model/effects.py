"""What a unit of work does to golden records, told in values: for dry runs, and for people who must agree first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mdm.model.ids import Domain, EntityId


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One golden attribute before and after; None where it has no value."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class GoldenEffect:
    """What became of one golden record: `created`, `changed`, `merged`, `retired` or `active` again."""

    domain: Domain
    entity_id: EntityId
    name: str
    what: str
    fields: tuple[FieldChange, ...] = ()
    merged_into: EntityId | None = None


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Every attribute that differs, by name."""
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )
