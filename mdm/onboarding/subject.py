"""The golden customer that is assessed, with what the hub knows around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from mdm.model.ids import EntityId


class ParentState(StrEnum):
    """What became of the parent that the golden record names."""

    NONE = "none"  # it names none
    KNOWN = "known"
    UNKNOWN = "unknown"  # the row it names means no customer


class Identifier(NamedTuple):
    """One typed identifier of the golden record. `position` is its place in the list, for paths."""

    position: int
    type: str
    country: str | None
    normal: str
    state: str

    @property
    def path(self) -> str:
        return f"/identifiers/{self.position}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is assessed.

    `values` are golden values of a customer (`mdm.model.canonical`). `sharing` says, by type, country and normal form
    of an identifier, which other golden customers have it. `ancestors` are the parents from the nearest up, as far as
    they are known; `open_questions` counts steward tasks about whether this customer is the same as another.
    """

    entity_id: EntityId
    version: int
    values: Mapping[str, Any]
    sharing: Mapping[tuple[str, str | None, str], Sequence[EntityId]] = field(default_factory=dict)
    parent: ParentState = ParentState.NONE
    ancestors: tuple[EntityId, ...] = ()
    open_questions: int = 0

    def text(self, name: str) -> str | None:
        """A text value; None for an empty one."""
        value = self.values.get(name)
        return value.strip() or None if isinstance(value, str) else None

    @property
    def country(self) -> str | None:
        return self.text("country")

    @property
    def address(self) -> Mapping[str, Any]:
        return self.values.get("address") or {}

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        return tuple(
            Identifier(position, each["type"], each.get("country"), each["normal"], each["state"])
            for position, each in enumerate(self.values.get("identifiers") or ())
        )

    @property
    def tax_numbers(self) -> tuple[Identifier, ...]:
        """Identifiers that a tax office gave."""
        return tuple(each for each in self.identifiers if each.type in ("vat", "tax"))
