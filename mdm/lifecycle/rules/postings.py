"""Invoice against journal entries: is everything in the books, once, with the right amount, on a partner?"""

from decimal import Decimal

from mdm.lifecycle.cases import Context, InvoiceCase
from mdm.lifecycle.facts import JournalEntry
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import money, name
from mdm.model.ids import CrosswalkKey


def posting_missing(case: InvoiceCase, context: Context) -> Problem | None:
    """No journal entry names the invoice, although it was issued long enough ago."""
    invoice = case.invoice
    if case.entries or not context.overdue(invoice.issued_at, "posting"):
        return None
    if context.policy.says("invoice_not_due", invoice.status):
        return None
    return Problem(
        (invoice.key,),
        f"Invoice {name(invoice)} over {money(invoice.total, invoice.currency)} has no journal entry.",
        invoice.total,
        invoice.currency,
    )


def posting_rejected(case: InvoiceCase, context: Context) -> Problem | None:
    """ERP rejected a journal entry of the invoice, and nothing was done about it."""
    rejected = [entry for entry in case.entries if context.policy.says("entry_rejected", entry.status)]
    if not rejected or _posted(case, context):
        return None
    entry, invoice = rejected[0], case.invoice
    reason = f": {entry.reject_reason}" if entry.reject_reason else ""
    return Problem(
        (invoice.key, *_keys(rejected)),
        f"Journal entry {entry.number} of invoice {name(invoice)} was rejected{reason}.",
        invoice.total,
        invoice.currency,
    )


def double_posting(case: InvoiceCase, context: Context) -> Problem | None:
    """Two or more posted journal entries name the invoice."""
    posted, invoice = _posted(case, context), case.invoice
    if len(posted) < 2:
        return None
    surplus = None if invoice.total is None else invoice.total * (len(posted) - 1)
    numbers = ", ".join(entry.number for entry in posted)
    return Problem(
        (invoice.key, *_keys(posted)),
        f"Invoice {name(invoice)} is posted {len(posted)} times: {numbers}.",
        surplus,
        invoice.currency,
    )


def invoice_erp_amount_mismatch(case: InvoiceCase, context: Context) -> Problem | None:
    """The receivable of the only posted journal entry is not the total of the invoice."""
    posted, invoice = _posted(case, context), case.invoice
    if len(posted) != 1 or invoice.total is None:
        return None
    receivable = _receivable(posted[0], context)
    if receivable is None or receivable == invoice.total:
        return None
    return Problem(
        (invoice.key, *_keys(posted)),
        f"Journal entry {posted[0].number} books {money(receivable, invoice.currency)} "
        f"for invoice {name(invoice)} over {money(invoice.total, invoice.currency)}.",
        receivable - invoice.total,
        invoice.currency,
    )


def invoice_without_erp_partner(case: InvoiceCase, context: Context) -> Problem | None:
    """A posted journal entry of the invoice is on no business partner."""
    nameless = [entry for entry in _posted(case, context) if not all(line.partner_stated for line in entry.lines)]
    if not nameless:
        return None
    invoice = case.invoice
    return Problem(
        (invoice.key, *_keys(nameless)),
        f"Journal entry {nameless[0].number} of invoice {name(invoice)} is on no business partner.",
        invoice.total,
        invoice.currency,
    )


def _posted(case: InvoiceCase, context: Context) -> list[JournalEntry]:
    return [entry for entry in case.entries if context.policy.says("entry_posted", entry.status)]


def _receivable(entry: JournalEntry, context: Context) -> Decimal | None:
    """What the entry says the customer owes; None when no line is on a receivable account."""
    amounts = [line.amount for line in entry.lines if line.account in context.policy.receivable_accounts]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(amounts) else None


def _keys(entries: list[JournalEntry]) -> tuple[CrosswalkKey, ...]:
    return tuple(line.key for entry in entries for line in entry.lines[:1])
