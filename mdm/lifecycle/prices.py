"""What a unit may cost on an invoice: as the contract names it, or as the invoices around it charge it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from mdm.lifecycle.facts import Contract, Invoice, Terms
from mdm.model.ids import CrosswalkKey, EntityId

#: By product, every price per billing period that may be charged.
Agreed: TypeAlias = Mapping[EntityId, frozenset[Decimal]]

#: Billing keeps unit prices with four decimals.
_UNIT = Decimal("0.0001")


def agreed_prices(contract: Contract, at: datetime, metered: frozenset[EntityId]) -> dict[EntityId, frozenset[Decimal]]:
    """The prices per billing period that the contract's records named at an instant.

    The price of a year is divided by the periods per year and rounded half up to four decimals; the price of a unit of
    use stands as it is. A record whose first known version was amended before says nothing about the time before it.
    """
    found: dict[EntityId, set[Decimal]] = defaultdict(set)
    for record in {terms.record for terms in contract.terms}:
        terms = _terms_at([each for each in contract.terms if each.record == record], at)
        if terms is None:
            continue
        for product, price in terms.prices.items():
            if product in metered:
                found[product].add(price)
            elif terms.periods_per_year:
                found[product].add((price / terms.periods_per_year).quantize(_UNIT, ROUND_HALF_UP))
    return {product: frozenset(prices) for product, prices in found.items()}


def _terms_at(versions: Sequence[Terms], at: datetime) -> Terms | None:
    began = [terms for terms in versions if terms.since <= at]
    if began:
        return began[-1]
    first = versions[0]
    return first if first.first and not first.amended else None


def usual_prices(invoices: Iterable[Invoice], start: date | None) -> dict[tuple[CrosswalkKey, EntityId], Decimal]:
    """For each invoice of one subscription and each product: the price that the two nearest invoices agree on.

    Stands in for a contract that exists only as a subscription and names no price. Nearest are the one before and the
    one after, at either end the next two; only invoices of the same year of the subscription count, because prices
    change when it is renewed. Absent where there are no two, or where they disagree.
    """
    series: dict[tuple[EntityId, int], list[tuple[date, CrosswalkKey, Decimal]]] = defaultdict(list)
    for invoice in invoices:
        if start is None or invoice.period_start is None:
            continue
        for product, price in _single_prices(invoice):
            year = _full_years(start, invoice.period_start)
            series[product, year].append((invoice.period_start, invoice.key, price))
    usual = {}
    for (product, _), charged in series.items():
        charged.sort()
        for position, (_, invoice_key, _) in enumerate(charged):
            around = {charged[index][2] for index in _nearest_two(position, len(charged))}
            if len(around) == 1:
                usual[invoice_key, product] = around.pop()
    return usual


def _single_prices(invoice: Invoice) -> Iterator[tuple[EntityId, Decimal]]:
    """The price of every product that the invoice charges at one price."""
    prices: dict[EntityId, set[Decimal]] = defaultdict(set)
    for line in invoice.lines:
        if line.product is not None and line.unit_amount is not None:
            prices[line.product].add(line.unit_amount)
    return ((product, found.pop()) for product, found in prices.items() if len(found) == 1)


def _full_years(start: date, day: date) -> int:
    return day.year - start.year - ((day.month, day.day) < (start.month, start.day))


def _nearest_two(position: int, length: int) -> tuple[int, ...]:
    if length < 3:
        return ()
    if position == 0:
        return (1, 2)
    if position == length - 1:
        return (length - 2, length - 3)
    return (position - 1, position + 1)
