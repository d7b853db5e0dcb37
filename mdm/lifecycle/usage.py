"""Usage batches with the invoice that bills them and what a unit of use costs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.cases import UsageCase
from mdm.lifecycle.facts import Invoice, Subscription, UsageBatch
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.prices import agreed_prices
from mdm.model.ids import CrosswalkKey, EntityId

_DAY = timedelta(days=1)


class _Sale(NamedTuple):
    """The subscription under which something metered was used, and what it sells it as."""

    subscription: Subscription
    product: EntityId
    invoices: Sequence[Invoice]


def usage_cases(
    ledger: Ledger,
    agreements: Agreements,
    invoices: Mapping[CrosswalkKey, Sequence[Invoice]],
    metered: frozenset[EntityId],
) -> Iterator[UsageCase]:
    """Every usage batch as a case, in the order in which they were received. `invoices` is by subscription."""
    first: dict[tuple[EntityId | None, str], UsageBatch] = {}
    for batch in sorted(ledger.usage, key=lambda each: (each.received_at is None, each.received_at, each.key)):
        earlier = first.setdefault((batch.customer, batch.event_id), batch) if batch.event_id is not None else batch
        sale, billed_by = _billing_of(batch, _sales(batch, agreements, invoices, metered))
        contract = agreements.contract_of(sale.subscription) if sale is not None else None
        named: frozenset[Decimal] = frozenset()
        if sale is not None and contract is not None and batch.received_at is not None:
            named = agreed_prices(contract, batch.received_at, metered).get(sale.product, frozenset())
        yield UsageCase(
            batch=batch,
            first=earlier if earlier is not batch else None,
            billed_by=billed_by,
            unit_price=min(named) if len(named) == 1 else _charged(batch, sale),
            contract=contract,
            product=sale.product if sale is not None else batch.product,
        )


def _sales(
    batch: UsageBatch,
    agreements: Agreements,
    invoices: Mapping[CrosswalkKey, Sequence[Invoice]],
    metered: frozenset[EntityId],
) -> list[_Sale]:
    """The customer's subscriptions that sell the product.

    Where none does (a retired feature leads nowhere, a product is not yet recognised in both platforms), whatever is
    metered is meant, if a subscription sells only one such thing.
    """
    subscriptions = agreements.subscriptions_of(batch.customer)
    found = [(each, batch.product) for each in subscriptions if batch.product in each.quantities]
    if not found:
        sold = [(each, metered & each.quantities.keys()) for each in subscriptions]
        found = [(each, min(products)) for each, products in sold if len(products) == 1]
    return [
        _Sale(subscription, product, invoices.get(subscription.key, ()))
        for subscription, product in found
        if product is not None
    ]


def _billing_of(batch: UsageBatch, sales: Sequence[_Sale]) -> tuple[_Sale | None, Invoice | None]:
    """The sale that a batch belongs to, and the invoice that bills it; None where it cannot be told.

    Usage is billed in arrears, so by the invoice of the period that begins the day after the usage ends.
    """
    billing = [
        (sale, invoice)
        for sale in sales
        for invoice in sale.invoices
        if batch.period_end is not None and invoice.period_start == batch.period_end + _DAY
    ]
    if len(billing) == 1:
        return billing[0]
    return (sales[0] if len(sales) == 1 else None), None


def _charged(batch: UsageBatch, sale: _Sale | None) -> Decimal | None:
    """What the invoice nearest to the batch charges for a unit, else what the offer asks."""
    if sale is None or batch.period_end is None:
        return None
    lines: list[tuple[timedelta, date, Decimal]] = [
        (abs(invoice.period_start - batch.period_end), invoice.period_start, line.unit_amount)
        for invoice in sale.invoices
        for line in invoice.lines
        if line.product == sale.product and line.unit_amount is not None and invoice.period_start is not None
    ]
    if lines:
        return min(lines)[2]
    offer = sale.subscription.offers.get(sale.product)
    return offer.unit_amount if offer is not None else None
