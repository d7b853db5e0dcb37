"""What the hub keeps of a period, and what governing the data comes to in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

#: Days of a period when none is named.
USUAL = 90


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both in it, in UTC."""

    first: date
    last: date

    @property
    def before(self) -> "Period":
        """As many days, right before it."""
        days = (self.last - self.first).days + 1
        return Period(self.first - timedelta(days=days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Closed:
    """A month that was closed: its last day, until when that was due, and the day of the second signature."""

    last: date
    due: date
    signed: date


@dataclass(frozen=True, slots=True)
class Kept:
    """What the hub has kept of a period.

    Attributes:
        closes: months whose second signature is of the period.
        answered: questions that people answered in it: kind, opening, answer.
        decisions: what stewards decided in it; `undone` those of them that were undone since.
        resolved: findings of reconciliation that ended in it: when they were seen first, and no more.
        findings: how many there were on each day on which reconciliation ran.
        messages: taken in; `refused` those that were no change that could be read.
    """

    closes: Sequence[Closed]
    answered: Sequence[tuple[str, datetime, datetime]]
    decisions: int
    undone: int
    findings: Sequence[int]
    messages: int
    refused: int
    resolved: Sequence[tuple[datetime, datetime]] = ()
