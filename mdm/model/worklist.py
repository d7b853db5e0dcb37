"""Open tasks as the order of the review queue sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Part(NamedTuple):
    """One reason of a priority."""

    points: float
    reason: str


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
    """

    task_id: int
    kind: str
    opened_at: datetime
    standing: float
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    erp: int = 0
    records: int = 2
    countries: Sequence[str] = ()
    systems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A task with its place in the order: the higher `rank`, the sooner. `parts` do not hold the waiting time."""

    facts: TaskFacts
    rank: float
    parts: tuple[Part, ...]
    due_at: datetime

    @property
    def amount(self) -> Decimal:
        """The largest sum in one currency; sums of several currencies are not added up."""
        return max(self.facts.amounts.values(), default=Decimal(0))
