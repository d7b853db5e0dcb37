"""Who belongs to whom by a steward's word: relations between golden customers, each of a kind, with effective dates."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mdm.model.ids import EntityId


class RelationKind(StrEnum):
    """What a relation means; a customer has at most one parent of each kind on any day."""

    LEGAL_PARENT = "legal_parent"
    BILL_TO = "bill_to"
    REPORTING_PARENT = "reporting_parent"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` until before `end`; without an end, for ever."""

    start: date
    end: date | None = None

    @property
    def empty(self) -> bool:
        return self.end is not None and self.end <= self.start

    def holds(self, day: date) -> bool:
        """Whether a day is in it."""
        return self.start <= day and (self.end is None or day < self.end)

    def common(self, other: "Period") -> "Period":
        """The days in both; may be empty."""
        ends = [each for each in (self.end, other.end) if each is not None]
        return Period(max(self.start, other.start), min(ends) if ends else None)

    def without(self, other: "Period") -> tuple["Period", ...]:
        """The days in this one and not in the other: none, one or two periods."""
        if self.common(other).empty:
            return (self,)
        before = Period(self.start, min(other.start, self.end) if self.end is not None else other.start)
        after = Period(max(other.end, self.start), self.end) if other.end is not None else None
        return tuple(each for each in (before, after) if each is not None and not each.empty)


@dataclass(frozen=True, slots=True)
class Relation:
    """A steward's word about one customer's parent of a kind. `parent` None says that it has none, whatever the
    platforms state.

    `origin` is the relation that this one brought back after an undo; itself for a first one.
    """

    relation_id: int
    kind: RelationKind
    child: EntityId
    parent: EntityId | None
    period: Period
    author: str
    reason: str
    created_at: datetime
    origin: int


@dataclass(frozen=True, slots=True)
class NewRelation:
    """A relation to write."""

    kind: RelationKind
    child: EntityId
    parent: EntityId | None
    period: Period
    author: str
    reason: str
    created_at: datetime
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class RelationEffect:
    """A relation that a command makes (`begins`) or takes away (`ends`)."""

    fate: str
    kind: RelationKind
    child: EntityId
    parent: EntityId | None
    valid_from: date
    valid_to: date | None
