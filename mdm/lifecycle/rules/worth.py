"""What a customer owes or pays for one product of a subscription: by its invoices, else by its offer. Pure.

Amounts are stable from day to day while nothing happens: an explanation holds for the amount that it was given for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from mdm.lifecycle.facts import Invoice, Subscription
from mdm.model.ids import CrosswalkKey, EntityId

#: An amount and its currency; None where nobody knows.
Worth: TypeAlias = tuple[Decimal | None, str | None]

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Arrears:
    """Invoices that are not paid, the longest overdue first, and what of them is owed for one product. `days` is how
    long the first is overdue."""

    invoices: tuple[Invoice, ...]
    days: int
    amount: Decimal | None
    currency: str | None


def arrears(overdue: Iterable[Invoice], product: EntityId | None, today: date) -> Arrears | None:
    """What is owed of invoices that were due before today; None when none was.

    Of an invoice over several products a product owes its share of what is not paid, by the amounts of the lines. The
    amount is None where no invoice says it, and where they are in several currencies.
    """
    late = sorted(
        (each for each in overdue if each.due_date is not None and each.due_date < today),
        key=lambda each: (each.due_date, each.key),
    )
    if not late or late[0].due_date is None:
        return None
    owed = [amount for each in late if (amount := _owed(each, product)) is not None]
    currencies = {each.currency for each in late}
    known = bool(owed) and len(currencies) == 1
    return Arrears(
        tuple(late),
        (today - late[0].due_date).days,
        sum(owed, Decimal(0)) if known else None,
        currencies.pop() if known else None,
    )


def _owed(invoice: Invoice, product: EntityId | None) -> Decimal | None:
    own = invoice.charged(product)
    amounts = [line.amount for line in invoice.lines if line.amount is not None]
    if own is None or invoice.total is None or not (whole := sum(amounts, Decimal(0))):
        return None
    return (own / whole * (invoice.total - (invoice.paid or Decimal(0)))).quantize(_CENT, ROUND_HALF_UP)


def of_a_period(product: EntityId | None, subscription: Subscription, invoices: Iterable[Invoice]) -> Worth:
    """What a subscription costs for a product in one billing period: as its newest invoice charges it, else as its
    offer asks for the quantity that it sells."""
    newest = _newest(product, invoices)
    if newest is not None:
        return newest.charged(product), newest.currency
    price, currency = of_a_unit(product, subscription, ())
    quantity = subscription.quantities.get(product) if product is not None else None
    if price is None or not quantity:
        return None, None
    return (price * quantity).quantize(_CENT, ROUND_HALF_UP), currency


def of_a_unit(product: EntityId | None, subscription: Subscription, invoices: Iterable[Invoice]) -> Worth:
    """What a unit costs in one billing period: as the newest invoice charges it, else as the offer asks."""
    newest = _newest(product, invoices)
    prices = {line.unit_amount for line in newest.lines if line.product == product} if newest is not None else set()
    if newest is not None and len(prices) == 1:
        return prices.pop(), newest.currency
    offer = subscription.offers.get(product) if product is not None else None
    if offer is None or offer.unit_amount is None:
        return None, None
    return offer.unit_amount, subscription.currency


def times(worth: Worth, quantity: Decimal) -> Worth:
    """So many units, in cents."""
    price, currency = worth
    return (None, None) if price is None else ((price * quantity).quantize(_CENT, ROUND_HALF_UP), currency)


def _newest(product: EntityId | None, invoices: Iterable[Invoice]) -> Invoice | None:
    charging = [each for each in invoices if each.charged(product) is not None]
    return max(charging, key=lambda each: (each.period_start or date.min, each.key), default=None)


def pair(subscription: CrosswalkKey | None, customer: EntityId | None, product: EntityId | None) -> str:
    """The name of a pair of subscription and product, which everything about it shares: like
    `billing.subscription:sub_1/prd_2`. The customer stands for a subscription that nobody knows."""
    sold = f"{subscription.system}.{subscription.type}:{subscription.key}" if subscription is not None else customer
    return f"{sold or 'unknown'}/{product or 'unknown'}"
