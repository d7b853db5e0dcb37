"""Closing a month: until when, and what must be in order first. Pure: what is counted comes from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from mdm.lifecycle.findings import Severity
from mdm.lifecycle.impact import Sited, add

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Close:
    """A month and the last day on which its books are open."""

    month: str
    first: date
    last: date
    due: date

    def days_left(self, today: date) -> int:
        """Days until it is due; negative when it is past."""
        return (self.due - today).days


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist: how many are open, what they are worth, and where they are worked on."""

    title: str
    open: int
    advice: str
    address: str
    amounts: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.open == 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checklist asks besides findings.

    Attributes:
        silent: platforms whose newest change is older than the end of the month.
        refused: refused messages that wait for somebody.
        gaps: signs that a feed has lost something.
        overdue: open questions past their deadline.
        proposals: decisions that wait for a second person.
        counted_to: of what is more than so many it is only known that it is more; None when all was counted.
    """

    silent: Sequence[str]
    refused: int
    gaps: int
    overdue: int
    proposals: int
    counted_to: int | None = None

    def item(self, title: str, number: int, advice: str, address: str) -> Item:
        """A line of the checklist about what waits; of more than was counted it says that there is more."""
        if self.counted_to is None or number <= self.counted_to:
            return Item(title, number, advice, address)
        return Item(
            title, self.counted_to, f"More than {self.counted_to:,} wait; the others are not counted. {advice}", address
        )


def close_of(month: str, business_days: int) -> Close:
    """The close of a month written like 2026-10: due on the given business day after it."""
    year, number = map(int, month.split("-"))
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    due, left = following - timedelta(days=1), business_days
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < _SATURDAY
    return Close(month, first, following - timedelta(days=1), due)


def current_close(today: date, business_days: int) -> Close:
    """The month that is being closed, or the running one when the one before is closed."""
    before = close_of(f"{today.replace(day=1) - timedelta(days=1):%Y-%m}", business_days)
    return before if today <= before.due else close_of(f"{today:%Y-%m}", business_days)


def checklist(close: Close, findings: Sequence[Sited], around: Surroundings) -> list[Item]:
    """What must be in order before the month is closed, in the order in which it is worked off."""
    own = [each for each in findings if each.month == close.month]
    items = [
        Item(
            "Every platform is heard until the end of the month",
            len(around.silent),
            f"Nothing newer is known from {', '.join(around.silent)}: see whether the feed stands still."
            if around.silent
            else "",
            "/console/pipeline",
        ),
        around.item(
            "No refused messages", around.refused, "Mend and replay them, or discard them.", "/console/exceptions"
        ),
        around.item(
            "No feed has lost anything", around.gaps, "Compare with the source, load again.", "/console/exceptions"
        ),
    ]
    for rule in sorted({each.finding.rule for each in own}, key=lambda name: (_gravity(own, name), name)):
        found = [each.finding for each in own if each.finding.rule == rule]
        sums: dict[str, Decimal] = {}
        for each in found:
            add(sums, each)
        title = f"Nothing of the kind: {rule.replace('_', ' ')}"
        items.append(Item(title, len(found), found[0].action, f"/console/reconciliation?rule={rule}", sums))
    if not own:
        items.append(Item("The platforms agree about the month", 0, "", "/console/reconciliation"))
    items += [
        around.item(
            "No question about identity is past its deadline",
            around.overdue,
            "Answer them: the wrong customer may carry the revenue.",
            "/console/reviews?sla=breached",
        ),
        around.item(
            "Nothing waits for a second person", around.proposals, "Approve or reject it.", "/console/approvals"
        ),
    ]
    return items


def _gravity(findings: Sequence[Sited], rule: str) -> bool:
    return not any(each.finding.rule == rule and each.finding.severity is Severity.ERROR for each in findings)
