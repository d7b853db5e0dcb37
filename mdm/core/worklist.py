"""In which order stewards should look at open tasks, by when, and why.

A priority is a sum of parts, each with its reason, so that nobody has to trust a number. Waiting counts linearly; the
order of two tasks therefore never changes with time, and a list sorted by it can be paged through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import log10

from mdm.model.worklist import (
    Affected,
    CustomerWeights,
    CutOff,
    Impact,
    Measures,
    MuchMoney,
    Part,
    Ranked,
    TaskFacts,
)

#: Business days within which a task of a kind should be answered.
ANSWER_WITHIN: Mapping[str, int] = {"possible_match": 5, "conflict": 3}
_ANSWER_WITHIN_OTHERWISE = 3
#: Points that a task gains per day it waits.
POINTS_PER_DAY = 1.0
_SECONDS_PER_DAY = 86_400
_SATURDAY = 5


def rank(facts: TaskFacts, measures: Measures) -> Ranked:
    """The place of a task in the order."""
    moved, impact = impact_parts(facts.affected, measures)
    own = (money_part(facts.amounts, measures.much), _erp(facts), _kind(facts), _near(facts), _size(facts))
    parts = tuple(part for part in (*own, *moved) if part)
    points = sum(part.points for part in parts)
    return Ranked(facts, points - waited(facts.opened_at), parts, impact, due_at(facts.kind, facts.opened_at))


def priority(rank: float, now: datetime) -> float:
    """The priority of a task now, from its rank."""
    return rank + waited(now)


def rank_at(priority: float, now: datetime) -> float:
    """The rank of a task that has this priority now: the inverse of `priority`."""
    return priority - waited(now)


def waiting(opened_at: datetime, now: datetime) -> Part:
    """What the waiting adds now."""
    days = max(0.0, (now - opened_at).total_seconds() / _SECONDS_PER_DAY)
    return Part(round(days * POINTS_PER_DAY, 1), f"waits for {days:.0f} days" if days >= 1 else "new today")


def due_at(kind: str, opened_at: datetime) -> datetime:
    """When a task should be answered: so many business days after it was opened."""
    moment = opened_at
    left = ANSWER_WITHIN.get(kind, _ANSWER_WITHIN_OTHERWISE)
    while left:
        moment += timedelta(days=1)
        if moment.weekday() < _SATURDAY:
            left -= 1
    return moment


def due_state(due: datetime, now: datetime) -> str:
    """`breached`, `due` (within a day) or `ok`."""
    if now > due:
        return "breached"
    return "due" if due - now <= timedelta(days=1) else "ok"


#: The share of questions that should be answered by their deadline.
OBJECTIVE = 0.95


@dataclass(frozen=True, slots=True)
class Promise:
    """How a period's deadlines were kept. Open questions past their deadline count as missed.

    `burnt` is the share that is used up of what the objective allows to be late; above 1 it is broken.
    """

    answered: int
    missed: int

    @property
    def kept(self) -> float | None:
        return 1 - self.missed / self.answered if self.answered else None

    @property
    def burnt(self) -> float | None:
        return self.missed / (self.answered * (1 - OBJECTIVE)) if self.answered else None


def promise(answered: Iterable[tuple[str, datetime, datetime]], open_late: int) -> Promise:
    """How deadlines were kept, from kind, opening and answer of each question, and how many are open past theirs."""
    late = [closed_at > due_at(kind, opened_at) for kind, opened_at, closed_at in answered]
    return Promise(len(late) + open_late, sum(late) + open_late)


def waited(moment: datetime) -> float:
    """The points of waiting since the beginning of time: what is subtracted from ranks and added to priorities."""
    return moment.timestamp() / _SECONDS_PER_DAY * POINTS_PER_DAY


def money_part(
    amounts: Mapping[str, Decimal],
    much: MuchMoney,
    what: str = "in open invoices and running contracts",
    share: float = 1.0,
) -> Part | None:
    """What money adds: by the sum that comes nearest to much in its currency, or exceeds it most.

    There are no exchange rates in the hub. What is much in a currency is what the policy of the second person says, so
    ten million yen do not outweigh a million euros, and the reason names the limit that was the measure.

    Args:
        what: words for what the money does, in the reason.
        share: of the points; less than 1 where the money is not itself in question.
    """
    currency, times = much.most(amounts)
    if times <= 0:
        return None
    # Ten times the money is worth eight points more: what is much outweighs six weeks of waiting, not a year.
    points = share * min(_MOST_POINTS, max(0.0, _POINTS_OF_MUCH + 8 * log10(times)))
    if points < _NOTICED:
        return None
    told = f"{_grouped(amounts[currency])} {currency}" if currency else f"{_grouped(amounts[currency])} of no currency"
    limit = f"{_grouped(much.limit(currency))} {currency}".rstrip()
    return Part(round(points, 1), f"{told} {what}, where {limit} is much")


#: What money adds when it is as much as the policy's limit, at most, and from where on it is told.
_POINTS_OF_MUCH, _MOST_POINTS, _NOTICED = 43.2, 48.0, 0.05


def _grouped(amount: Decimal) -> str:
    return f"{amount:,.0f}".replace(",", "\u202f")


#: What the last day adds to a matter of the month that is being closed; each day before it a point less.
_POINTS_AT_CUT_OFF = 15.0
#: What many users add; a tenth of them adds two thirds of it, and more than many add no more.
_POINTS_OF_MANY_USERS = 8.0


def impact_parts(affected: Affected, measures: Measures) -> tuple[tuple[Part | None, ...], Impact]:
    """What the close and the customers add, and what they were: told also where they add nothing."""
    close = close_part(affected.documents, measures.cut_off)
    customer = customer_part(affected, measures.customers)
    cut_off = measures.cut_off
    impact = Impact(
        {
            "month": cut_off.month, "due": cut_off.due.isoformat(), "days_left": cut_off.days_left,
            "documents": affected.documents, "points": close.points if close else 0.0,
        },
        {
            "customers": affected.customers, "tiers": list(affected.tiers), "users": affected.users,
            "points": customer.points if customer else 0.0,
        },
    )  # fmt: skip
    return (close, customer), impact


def close_part(documents: int, cut_off: CutOff) -> Part | None:
    """What the close adds: a point more each day that the cut-off comes nearer, where its books are touched."""
    points = _POINTS_AT_CUT_OFF - max(0, cut_off.days_left)
    if not documents or points <= 0:
        return None
    when = {0: "today", 1: "tomorrow"}.get(cut_off.days_left, f"in {cut_off.days_left} days")
    found = f"{documents:,} document{'' if documents == 1 else 's'}".replace(",", "\u202f")
    return Part(points, f"{found} of {cut_off.month}, whose books close {when}")


def customer_part(affected: Affected, weights: CustomerWeights) -> Part | None:
    """What the customers behind a matter add: by the best of their tiers, and by how many people use what they have."""
    tier, of_tier = max(
        ((each, weights.tiers.get(each, 0.0)) for each in affected.tiers), key=lambda each: each[1], default=("", 0.0)
    )
    share = log10(1 + affected.users) / log10(1 + weights.many_users)
    points = round(of_tier + _POINTS_OF_MANY_USERS * min(1.0, share), 1)
    if points < _NOTICED:
        return None
    users = f"{affected.users:,} user{'' if affected.users == 1 else 's'}".replace(",", "\u202f")
    told = [f"a customer of tier {tier}"] if of_tier else []
    return Part(points, " with ".join([*told, users] if affected.users else told) + " may be affected")


def _erp(facts: TaskFacts) -> Part | None:
    if facts.erp >= 2:
        return Part(15.0, "both sides are in ERP: the answer changes ERP numbers")
    return Part(8.0, "one side is in ERP") if facts.erp else None


def _kind(facts: TaskFacts) -> Part | None:
    return (
        Part(10.0, "the hub refused to join what matches: the evidence contradicts itself")
        if (facts.kind == "conflict")
        else None
    )


def _near(facts: TaskFacts) -> Part | None:
    standing = min(1.0, max(0.0, facts.standing))
    return Part(round(10 * standing, 1), "close to the weight at which records are joined") if standing > 0 else None


def _size(facts: TaskFacts) -> Part | None:
    more = facts.records - 2
    return Part(min(10.0, 1.5 * more), f"{facts.records} source records are affected") if more > 0 else None
