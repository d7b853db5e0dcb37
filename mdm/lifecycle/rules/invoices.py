"""Invoice against contract: is it in the agreed currency and at the agreed price?"""

from collections.abc import Iterator
from decimal import Decimal

from mdm.lifecycle.cases import Context, InvoiceCase
from mdm.lifecycle.facts import InvoiceLine
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import contract_name, money, name, plain


def currency_mismatch(case: InvoiceCase, _context: Context) -> Problem | None:
    """The invoice is in another currency than its contract, or than its subscription where no contract is known."""
    invoice = case.invoice
    agreed = case.contract.currency if case.contract is not None else None
    if agreed is None and case.subscription is not None:
        agreed = case.subscription.currency
    if agreed is None or invoice.currency is None or agreed == invoice.currency:
        return None
    contract = contract_name(case.contract) if case.contract is not None else "its subscription"
    return Problem(
        (invoice.key,),
        f"Invoice {name(invoice)} is in {invoice.currency}, but contract {contract} is in {agreed}.",
        invoice.total,
        invoice.currency,
    )


def price_differs_from_contract(case: InvoiceCase, _context: Context) -> Problem | None:
    """A line is charged at a price that no record of the contract named for the day of the invoice.

    Where the contract exists only as a subscription, the invoices around it say what was agreed.
    """
    wrong = list(_wrong_lines(case))
    if not wrong or case.contract is None:
        return None
    invoice = case.invoice
    line, price = wrong[0]
    assert line.unit_amount is not None
    delta = sum(
        (_rounded(each.quantity, each.unit_amount) - _rounded(each.quantity, want) for each, want in wrong), Decimal(0)
    )
    said = "the invoices around it" if case.contract.only_subscribed else f"contract {contract_name(case.contract)}"
    return Problem(
        (invoice.key, *(each.key for each, _ in wrong), *case.contract.records[:1]),
        f"Invoice {name(invoice)} charges {plain(line.unit_amount)} per unit, not {plain(price)} as {said}: "
        f"{money(delta, invoice.currency)} in all.",
        delta,
        invoice.currency,
    )


def _wrong_lines(case: InvoiceCase) -> Iterator[tuple[InvoiceLine, Decimal]]:
    for line in case.invoice.lines:
        agreed = case.agreed.get(line.product, frozenset()) if line.product is not None else frozenset()
        if agreed and line.unit_amount is not None and line.unit_amount not in agreed:
            yield line, min(agreed)


def _rounded(quantity: Decimal | None, price: Decimal | None) -> Decimal:
    return ((quantity or Decimal(0)) * (price or Decimal(0))).quantize(Decimal("0.01"))
