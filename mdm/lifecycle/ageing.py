"""How old a finding is: days from the day of the fact it is about to the newest event that the hub holds. Pure.

As in the ageing of open items, the fact's own day counts (when an invoice was issued, a posting booked), not the day on
which somebody looked: the same hub gives the same ages.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from mdm.lifecycle.findings import Finding
from mdm.lifecycle.impact import Books, add

#: The classes of age by their last day; None has no end.
CLASSES: tuple[tuple[str, int | None], ...] = (
    ("up to 7 days", 7),
    ("8 to 30 days", 30),
    ("31 to 90 days", 90),
    ("over 90 days", None),
)


@dataclass(slots=True)
class Aged:
    """The findings of one class of age together. Amounts are by currency, whatever their sign."""

    name: str
    findings: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)


def age_of(finding: Finding, books: Books, today: date) -> int:
    """Days, never less than none; a finding whose facts have no day began today."""
    began = next((books.days[fact] for fact in finding.facts if fact in books.days), today)
    return max((today - began).days, 0)


def class_of(age: int) -> int:
    """The place in `CLASSES` of an age in days."""
    return next(place for place, (_, last) in enumerate(CLASSES) if last is None or age <= last)


def aged(findings: Iterable[Finding], books: Books, today: date) -> list[Aged]:
    """Every class with its findings, the youngest first; their sums are those of all findings."""
    classes = [Aged(name) for name, _ in CLASSES]
    for each in findings:
        found = classes[class_of(age_of(each, books, today))]
        found.findings += 1
        add(found.amounts, each)
    return classes
