"""Open tasks as the order of the review queue sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from mdm.model.ids import Domain


class Part(NamedTuple):
    """One reason of a priority."""

    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class MuchMoney:
    """From where on a sum of a currency is much, so that sums of different currencies compare without exchange rates.

    `otherwise` holds for every currency that has no limit of its own, and for sums that name none.
    """

    limits: Mapping[str, Decimal]
    otherwise: Decimal

    def limit(self, currency: str) -> Decimal:
        return self.limits.get(currency, self.otherwise)

    def most(self, amounts: Mapping[str, Decimal]) -> tuple[str, float]:
        """The currency whose sum is most, and how many times its limit that is; 0.0 where nothing is positive."""
        times = {currency: float(amount / self.limit(currency)) for currency, amount in amounts.items() if amount > 0}
        return max(times.items(), key=lambda each: each[1], default=("", 0.0))


@dataclass(frozen=True, slots=True)
class CutOff:
    """Until when the books of the month that is being closed are open, as of some day."""

    month: str
    due: date
    days_left: int


@dataclass(frozen=True, slots=True)
class CustomerWeights:
    """What a customer adds to a priority: points by tier (a golden segment or plan), and how many users are many."""

    tiers: Mapping[str, float] = field(default_factory=dict)
    many_users: int = 1000


@dataclass(frozen=True, slots=True)
class Measures:
    """By what priorities are measured."""

    much: MuchMoney
    cut_off: CutOff
    customers: CustomerWeights = field(default_factory=CustomerWeights)


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom an open matter touches, and which books.

    Attributes:
        documents: invoices and journal entries of the month that is being closed.
        customers: golden customers behind it.
        tiers: their segments and plans.
        users: seats that they are entitled to now.
    """

    documents: int = 0
    customers: int = 0
    tiers: tuple[str, ...] = ()
    users: int = 0


class Impact(NamedTuple):
    """What two inputs of a priority were and what they added: shown whether or not they added anything."""

    close_impact: Mapping[str, object]
    customer_exposure: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Priority:
    """Where a matter stands that is put in order when it is asked for: the more points, the sooner. `parts` are what
    the points are the sum of, the weightiest first."""

    points: float
    parts: tuple[Part, ...]
    impact: Impact


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a task is about.

    Attributes:
        standing: where the match weight lies between "too little" (0) and "match" (1).
        amounts: open invoices, and values of running contracts, of the entities by currency.
        erp: how many of the entities are known to ERP.
        records: source records of all entities together.
        countries: seats of the entities.
        systems: platforms of the two records in question.
        regions, business_units: where the entities are placed (`mdm.access.scope`).
        affected: whom it touches, and which books.
    """

    task_id: int
    domain: Domain
    kind: str
    opened_at: datetime
    standing: float
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    erp: int = 0
    records: int = 2
    countries: Sequence[str] = ()
    systems: Sequence[str] = ()
    regions: Sequence[str] = ()
    business_units: Sequence[str] = ()
    affected: Affected = field(default_factory=Affected)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A task with its place in the order: the higher `rank`, the sooner. `parts` do not hold the waiting time."""

    facts: TaskFacts
    rank: float
    parts: tuple[Part, ...]
    impact: Impact
    due_at: datetime

    @property
    def amount(self) -> Decimal:
        """The largest sum in one currency; sums of several currencies are not added up."""
        return max(self.facts.amounts.values(), default=Decimal(0))
