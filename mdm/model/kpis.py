"""What the hub keeps of a period, and what governing the data comes to in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        ended: findings of reconciliation that ended in it: when they were seen first, and no more.
        findings: how many there were on each day on which reconciliation ran.
        messages: taken in; `refused` those that were no change that could be read.
        orders: of the period; `orders_traced` those that can be followed to an invoice that was paid and posted.
        usage: batches that ended in it; `usage_traced` those that can be followed to a posting of their product.
        breaks: what was closed or explained in it; `touches` what people did about breaks, `hours` the median hours
            that refused messages, exceptions and questions stood open, and `closed` how many of these there were.
        resolved: the same by what it was, its kind and its owner: median hours, and how many.
        fresh: by platform, seconds within which half and 99 of 100 changes became golden, and how many changes.
    """

    closes: Sequence[Closed]
    answered: Sequence[tuple[str, datetime, datetime]]
    decisions: int
    undone: int
    findings: Sequence[int]
    messages: int
    refused: int
    ended: Sequence[tuple[datetime, datetime]] = ()
    orders: int = 0
    orders_traced: int = 0
    usage: int = 0
    usage_traced: int = 0
    breaks: int = 0
    touches: int = 0
    hours: float | None = None
    closed: int = 0
    resolved: Mapping[tuple[str, str, str], tuple[float, int]] = field(default_factory=dict)
    fresh: Mapping[str, tuple[float, float, int]] = field(default_factory=dict)
