"""The findings of one run in the order and the sums that pages ask for: sorted and added up once, not for every page.

The most urgent come first, then by rule and subject, which name a finding. Pure.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from mdm.lifecycle import ageing
from mdm.lifecycle.ageing import Aged
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import Books, add
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.worklist import Priority

#: Where a finding stands in a list: by its priority in tenths of a point, then by rule and subject.
Place: TypeAlias = tuple[int, str, str, str, str]


@dataclass(slots=True)
class Shelf:
    """Findings that a page lists, in their order, and what they are worth by currency, whatever their sign.

    `place` says where a finding stands in that order.
    """

    place: Callable[[Finding], Place]
    findings: list[Finding] = field(default_factory=list)
    sums: dict[str, Decimal] = field(default_factory=dict)

    def put(self, finding: Finding) -> None:
        """Add the next one; they must come in the order of their places."""
        self.findings.append(finding)
        add(self.sums, finding)

    def behind(self, after: Place | None, limit: int) -> Sequence[Finding]:
        """Up to `limit` findings behind a place: found by halving, so that the last page costs what the first does."""
        begin = 0 if after is None else bisect_right(self.findings, after, key=self.place)
        return self.findings[begin : begin + limit]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which findings somebody asks for; what is None is not asked. Days are those of `Overview.age_of`."""

    rule: str | None = None
    severity: Severity | None = None
    owner: str | None = None
    customer: EntityId | None = None
    contract: EntityId | None = None
    days_from: int | None = None
    days_to: int | None = None


class Overview:
    """All findings of a run, on the shelves of their rule and class of age; without priorities, by their names."""

    def __init__(
        self,
        findings: Iterable[Finding],
        books: Books,
        today: date,
        priorities: Mapping[tuple[str, CrosswalkKey], Priority] | None = None,
    ) -> None:
        self._books, self._today = books, today
        self._priorities = priorities or {}
        self._shelves: dict[tuple[str | None, int | None], Shelf] = {}
        self._named: dict[tuple[str, CrosswalkKey], Finding] = {}
        self._about: dict[EntityId, Shelf] = {}
        for each in sorted(findings, key=self.place_of):
            age = ageing.class_of(self.age_of(each))
            for shelf in ((None, None), (each.rule, None), (None, age), (each.rule, age)):
                self._shelves.setdefault(shelf, self._shelf()).put(each)
            self._named[each.rule, each.subject] = each
            for party in {party for party in (each.customer, each.contract) if party is not None}:
                self._about.setdefault(party, self._shelf()).put(each)

    def shelf(self, rule: str | None = None, age: int | None = None) -> Shelf:
        """The findings of a rule and of a class of age; None stands for all."""
        return self._shelves.get((rule, age), self._shelf())

    def rules(self) -> list[tuple[str, Shelf]]:
        """Every rule with its findings: errors first, the largest first."""
        found = [(rule, shelf) for (rule, age), shelf in self._shelves.items() if rule is not None and age is None]
        return sorted(
            found, key=lambda each: (each[1].findings[0].severity is not Severity.ERROR, -len(each[1].findings))
        )

    def ages(self, rule: str | None = None) -> list[Aged]:
        """The classes of age with what is in them, the youngest first."""
        shelves = [(name, self.shelf(rule, place)) for place, (name, _) in enumerate(ageing.CLASSES)]
        return [Aged(name, len(shelf.findings), shelf.sums) for name, shelf in shelves]

    def about(self, party: EntityId) -> Shelf:
        """The findings about a customer or contract."""
        return self._about.get(party, self._shelf())

    def named(self, rule: str, subject: CrosswalkKey) -> Finding | None:
        """The finding of this name; None when there is none any more."""
        return self._named.get((rule, subject))

    def age_of(self, finding: Finding) -> int:
        """How old a finding is, in days."""
        return ageing.age_of(finding, self._books, self._today)

    def narrowed(self, asked: Asked, keep: Callable[[Finding], bool] | None = None) -> Shelf:
        """A shelf of what is asked for, of it what `keep` keeps, in the order of all; no more is looked through than
        what is about the party or of the rule."""
        party = asked.customer or asked.contract
        shelf = self._shelf()
        for each in (self.shelf(asked.rule) if party is None else self.about(party)).findings:
            if self._meets(each, asked) and (keep is None or keep(each)):
                shelf.put(each)
        return shelf

    def _meets(self, finding: Finding, asked: Asked) -> bool:
        age = self.age_of(finding)
        return (
            asked.rule in (None, finding.rule)
            and asked.severity in (None, finding.severity)
            and asked.owner in (None, finding.owner)
            and asked.customer in (None, finding.customer)
            and asked.contract in (None, finding.contract)
            and (asked.days_from is None or age >= asked.days_from)
            and (asked.days_to is None or age <= asked.days_to)
        )

    def picked(self, findings: Iterable[Finding], age: int | None) -> Shelf:
        """A shelf of some findings of a class of age, in their order."""
        shelf = self._shelf()
        for each in sorted(findings, key=self.place_of):
            if age is None or ageing.class_of(self.age_of(each)) == age:
                shelf.put(each)
        return shelf

    def priority_of(self, finding: Finding) -> Priority | None:
        """How urgent a finding is, and why; None where nobody has put findings in order."""
        return self._priorities.get((finding.rule, finding.subject))

    def place_of(self, finding: Finding) -> Place:
        """Where a finding stands in a list: the most urgent first, then by rule and subject, which name it."""
        priority = self._priorities.get((finding.rule, finding.subject))
        tenths = 0 if priority is None else round(priority.points * 10)
        return -tenths, finding.rule, *finding.subject

    def _shelf(self) -> Shelf:
        return Shelf(self.place_of)


def by_name(shelf: Shelf) -> Shelf:
    """The same findings by rule and subject alone: an order that no day and no amount moves."""
    same = Shelf(named_place)
    for each in sorted(shelf.findings, key=named_place):
        same.put(each)
    return same


def named_place(finding: Finding) -> Place:
    """Where a finding stands among others by name."""
    return 0, finding.rule, *finding.subject
