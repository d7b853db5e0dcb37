"""What governing the data comes to: how things stand now, and the measures of a period beside those of another one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mdm.core.kpis import Measure, measures, parts
from mdm.errors import Invalid
from mdm.hub import closing
from mdm.hub.reach import must_reach_all
from mdm.hub.reconcile import Reconciliation
from mdm.hub.steward.workplace import Workplace
from mdm.lifecycle.billed_usage import Accuracy, accuracy
from mdm.lifecycle.close import Close
from mdm.lifecycle.impact import add
from mdm.model.kpis import USUAL, Period
from mdm.store import read_console, read_effort
from mdm.store.read_kpis import kept_of

#: Days of the longest period: what is kept of it is read whole.
_LONGEST = 1100
_EARLIEST, _LATEST = date(1990, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Kpis:
    """How things stand, and how they moved.

    Attributes:
        as_of: the newest change event that reconciliation knew of.
        disagreements: what findings of reconciliation are worth, by currency, whatever the sign.
        questions: open invoices and running contracts behind open questions; `refused` behind refused messages.
        questions_impact: `questions` times the hours that they have been open; `refused_impact` likewise.
        findings: how many platforms disagree about.
        close: the month that is being closed, with how many of `points` of its checklist are open.
    """

    now: datetime
    as_of: datetime
    disagreements: Mapping[str, Decimal]
    questions: Mapping[str, Decimal]
    refused: Mapping[str, Decimal]
    findings: int
    close: Close
    open_points: int
    points: int
    period: Period
    baseline: Period
    measures: tuple[Measure, ...]
    #: Measures of single platforms, and of single kinds of breaks.
    parts: tuple[Measure, ...]
    questions_impact: Mapping[str, Decimal]
    refused_impact: Mapping[str, Decimal]

    @property
    def ready(self) -> bool:
        """Whether nothing stands against signing the close."""
        return self.open_points == 0

    def as_json(self) -> dict[str, Any]:
        """The same for programs; decimals as text."""
        return {
            "now": self.now, "as_of": self.as_of,
            "amount_at_risk": {
                "disagreements": _as_text(self.disagreements), "questions": _as_text(self.questions),
                "refused": _as_text(self.refused),
            },
            "failure_impact": {
                "questions": _as_text(self.questions_impact), "refused": _as_text(self.refused_impact),
            },
            "findings": self.findings,
            "close_readiness": {
                "month": self.close.month, "due": self.close.due, "days_left": self.close.days_left(self.now.date()),
                "open_points": self.open_points, "points": self.points, "ready": self.ready,
            },
            "period": asdict(self.period), "baseline": asdict(self.baseline),
            "measures": _figures(self.measures), "parts": _figures(self.parts),
        }  # fmt: skip


def read_kpis(
    desk: Workplace, found: Reconciliation, period: Period | None = None, baseline: Period | None = None
) -> Kpis:
    """The figures of now and of a period: the last ninety days, beside as many before them, when none is named.

    Deadlines of questions come with their ranks: rank new ones before.

    Raises:
        Invalid: a period ends before it begins, or is longer than three years.
        Refused: whoever asks reaches part of the hub.
    """
    must_reach_all(desk.engine, "Figures of the hub")
    now = desk.clock()
    period = period or _usual(now)
    _check(period)
    _check(baseline := baseline or period.before)
    books = closing.books_of(desk, closing.close_named(None, now.date(), desk.rules.reconciliation), found)
    worth: dict[str, Decimal] = {}
    for finding in found.findings:
        add(worth, finding)
    business_days = desk.rules.reconciliation.close_on
    with desk.engine.connect() as connection:
        kept, before = (kept_of(connection, each, business_days) for each in (period, baseline))
        impacts = read_effort.impact_of_questions(connection, now), read_effort.impact_of_refused(connection, now)
        questions, refused = read_console.at_risk(connection), read_console.behind_refused(connection)
    return Kpis(
        now=now,
        as_of=found.as_of,
        disagreements=worth,
        questions=questions,
        refused=refused,
        findings=len(found.findings),
        close=books.close,
        open_points=sum(not item.done for item in books.items),
        points=len(books.items),
        period=period,
        baseline=baseline,
        measures=tuple(measures(kept, before)),
        parts=tuple(parts(kept, before)),
        questions_impact=impacts[0],
        refused_impact=impacts[1],
    )


@dataclass(frozen=True, slots=True)
class InvoiceAccuracy:
    """How right the invoices of a period are, as of the newest change event that reconciliation knew of."""

    as_of: datetime
    period: Period
    figures: Accuracy


def read_invoice_accuracy(desk: Workplace, found: Reconciliation, period: Period | None = None) -> InvoiceAccuracy:
    """Billed against accepted quantities of the invoices issued in a period: the last ninety days, when none is named.

    Raises:
        Invalid: the period ends before it begins, or is longer than three years.
        Refused: whoever asks reaches part of the hub.
    """
    must_reach_all(desk.engine, "Figures of the hub")
    period = period or _usual(desk.clock())
    _check(period)
    return InvoiceAccuracy(found.as_of, period, accuracy(found.usage, period))


def _figures(found: Sequence[Measure]) -> list[dict[str, Any]]:
    return [{**asdict(each), "change": each.change, "improved": each.improved} for each in found]


def _usual(now: datetime) -> Period:
    return Period(now.date() - timedelta(days=USUAL - 1), now.date())


def _as_text(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: format(amount, "f") for currency, amount in amounts.items()}


def _check(period: Period) -> None:
    if not period.first >= _EARLIEST or not period.last <= _LATEST:
        raise Invalid(
            f"Nothing is kept from {period.first} to {period.last}.",
            action=f"Ask for days from {_EARLIEST} to {_LATEST}.",
        )
    days = (period.last - period.first).days + 1
    if days < 1:
        raise Invalid(
            f"A period from {period.first} to {period.last} ends before it begins.",
            action="Give the first day first; both are in it.",
        )
    if days > _LONGEST:
        raise Invalid(f"A period of {days:,} days is too long.", action=f"Ask for {_LONGEST:,} days at most.")
