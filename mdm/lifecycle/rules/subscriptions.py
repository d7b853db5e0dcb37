"""Subscription against entitlements: is what is sold, or paid for, granted?

Only products that are granted by entitlements at all are looked at: services and goods never are. Where an entitlement
may stand for the subscription without saying so, nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from mdm.lifecycle.cases import Context, Granted, SubscriptionCase
from mdm.lifecycle.facts import Entitlement, Invoice
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import name
from mdm.lifecycle.rules.worth import of_a_period, pair
from mdm.model.ids import CrosswalkKey


@dataclass(frozen=True, slots=True)
class _Lacking:
    """A product that is sold and cannot be used, with the invoice by which this very period of it is paid."""

    sold: Granted
    paid_by: Invoice | None


def paid_without_entitlement(case: SubscriptionCase, context: Context) -> Problem | None:
    """The newest invoice for a product is paid and its period runs, but the customer cannot use it: no entitlement is
    known, or all are suspended or have ended."""
    lacking = [each for each in _lacking(case, context) if each.paid_by is not None]
    if not lacking:
        return None
    invoices = {each.paid_by.key: each.paid_by for each in lacking if each.paid_by is not None}
    amounts = [each.paid_by.charged(each.sold.product) for each in lacking if each.paid_by is not None]
    first = next(iter(invoices.values()))
    return _problem(
        case,
        lacking,
        tuple(invoices),
        f"invoice {name(first)} is paid until {first.period_end}",
        _total(amounts) if len({each.currency for each in invoices.values()}) == 1 else None,
        first.currency,
    )


def subscription_without_entitlement(case: SubscriptionCase, context: Context) -> Problem | None:
    """The subscription runs, and no entitlement is known to something that it sells. What is paid for is told by
    `paid_without_entitlement`."""
    lacking = [each for each in _lacking(case, context) if each.paid_by is None and not each.sold.entitlements]
    if not lacking:
        return None
    worth = [of_a_period(each.sold.product, case.subscription, case.invoices) for each in lacking]
    currencies = {currency for _, currency in worth}
    amount = _total([each for each, _ in worth]) if len(currencies) == 1 else None
    return _problem(case, lacking, (), "it runs", amount, currencies.pop())


def _lacking(case: SubscriptionCase, context: Context) -> list[_Lacking]:
    """What the subscription sells for long enough and the customer may not use."""
    subscription, today = case.subscription, context.as_of.date()
    began = datetime.combine(subscription.start or date.min, time.min, UTC)
    if not context.policy.says("subscription_running", subscription.status):
        return []
    if not context.overdue(max(began, subscription.changed_at), "entitlement_grant"):
        return []
    return [
        _Lacking(each, _paid_by(case, each, context))
        for each in case.sold
        if not each.uncertain and not any(_holds(entitlement, today, context) for entitlement in each.entitlements)
    ]


def _holds(entitlement: Entitlement, today: date, context: Context) -> bool:
    """Whether it may be used today. A term that has ended yesterday does not, whatever the status says."""
    ended = entitlement.valid_to is not None and entitlement.valid_to < today
    return context.policy.says("entitlement_active", entitlement.status) and not ended


def _paid_by(case: SubscriptionCase, sold: Granted, context: Context) -> Invoice | None:
    today = context.as_of.date()
    charging = [each for each in case.invoices if each.charged(sold.product) and each.period_start is not None]
    newest = max(charging, key=lambda each: (each.period_start or date.min, each.key), default=None)
    if newest is None or newest.period_start is None or newest.period_end is None:
        return None
    runs = newest.period_start <= today <= newest.period_end
    return newest if runs and context.policy.says("invoice_paid", newest.status) else None


def _problem(
    case: SubscriptionCase,
    lacking: Sequence[_Lacking],
    invoices: tuple[CrosswalkKey, ...],
    state: str,
    amount: Decimal | None,
    currency: str | None,
) -> Problem:
    key = case.subscription.key
    known = tuple(entitlement.key for each in lacking for entitlement in each.sold.entitlements)
    missing = f"entitlement {known[0].key} may not be used" if known else "there is no entitlement"
    products = f"{len(lacking)} products" if len(lacking) > 1 else "what it sells"
    return Problem(
        (key, *invoices, *known),
        f"Subscription {key.key}: {state}, but to {products} {missing}.",
        amount,
        currency if amount is not None else None,
        tuple(pair(key, case.customer, each.sold.product) for each in lacking),
    )


def _total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [each for each in amounts if each is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(amounts) else None
