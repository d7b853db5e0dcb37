"""Usage against invoices: is everything that was used reported once and billed?"""

from decimal import ROUND_HALF_UP, Decimal

from mdm.lifecycle.cases import Context, UsageCase
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import name


def duplicate_usage_batch(case: UsageCase, _context: Context) -> Problem | None:
    """A second batch reports an event that another batch has reported before."""
    if case.first is None:
        return None
    return Problem(
        (case.batch.key, case.first.key),
        f"Usage batch {case.batch.key.key} repeats event {case.batch.event_id} of batch {case.first.key.key}.",
        _worth(case),
        _currency(case),
    )


def late_usage_after_invoice(case: UsageCase, _context: Context) -> Problem | None:
    """The batch arrived after the invoice that bills its period was issued. A repeated batch is not late as well."""
    batch, invoice = case.batch, case.billed_by
    if case.first is not None or invoice is None or invoice.issued_at is None or batch.received_at is None:
        return None
    if batch.received_at <= invoice.issued_at:
        return None
    return Problem(
        (batch.key, invoice.key),
        f"Usage batch {batch.key.key} for {batch.period_start} to {batch.period_end} arrived after invoice "
        f"{name(invoice)}, which bills that period.",
        _worth(case),
        _currency(case),
    )


def _worth(case: UsageCase) -> Decimal | None:
    if case.unit_price is None or case.batch.quantity is None:
        return None
    return (case.unit_price * case.batch.quantity).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _currency(case: UsageCase) -> str | None:
    if case.contract is not None:
        return case.contract.currency
    return case.billed_by.currency if case.billed_by is not None else None
