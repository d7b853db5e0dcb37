"""What disagreements are worth, and whose books they are in: findings by our own legal entity, month and cause. Pure.

A finding belongs where its facts are posted. What is not posted yet belongs where everything else of its customer is
posted, if that is one legal entity; otherwise nobody knows yet, and it is told under no legal entity rather than left
out. So the sums over all rows are the sums of reconciliation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.material import Material, Stated
from mdm.model.ids import CrosswalkKey, EntityId

#: On which day a fact counts, by kind: the attribute that says so. Otherwise the day of its last change.
_DAYS = {
    "invoice": "issued_at",
    "posting": "posting_date",
    "usage_batch": "period_end",
    "payment": "paid_at",
    "entitlement": "valid_from",
    "contract": "start_date",
}


@dataclass(frozen=True, slots=True)
class Books:
    """In whose books facts are: legal entity and month of a fact, and the one legal entity of a customer."""

    companies: Mapping[CrosswalkKey, str]
    months: Mapping[CrosswalkKey, str]
    of_customer: Mapping[EntityId, str]
    #: The day of each fact: its own, or that of its last change.
    days: Mapping[CrosswalkKey, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sited:
    """A finding with its legal entity (empty when nobody knows yet) and month."""

    finding: Finding
    company: str
    month: str


@dataclass(slots=True)
class Row:
    """Findings of one legal entity, month and cause together. Amounts are by currency, whatever their sign."""

    company: str
    month: str
    cause: str
    severity: Severity
    owner: str
    findings: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)


def books_of(material: Material) -> Books:
    """Where the facts of a hub are booked."""
    postings = material.of_kind("posting")
    companies = {each.key: company for each in postings if (company := each.text("company_code"))}
    by_number: dict[str, str] = {}
    of_customer: dict[EntityId, set[str]] = {}
    for each in postings:
        company, number = companies.get(each.key), each.text("invoice_number")
        customer = material.entity(each.target("customer"))
        if company and number:
            by_number.setdefault(number, company)
        if company and customer is not None:
            of_customer.setdefault(customer, set()).add(company)
    for invoice in material.of_kind("invoice"):
        if (posted := by_number.get(invoice.text("number") or "")) is not None:
            companies[invoice.key] = posted
    days = {each.key: _day(each) for each in (*material.facts, *material.contract_records)}
    return Books(
        companies,
        {each.key: f"{days[each.key]:%Y-%m}" for each in material.facts},
        {customer: next(iter(found)) for customer, found in of_customer.items() if len(found) == 1},
        days,
    )


def site(findings: Iterable[Finding], books: Books, otherwise: str) -> list[Sited]:
    """Each finding where it belongs; `otherwise` is the month of findings about facts that have none."""
    sited = []
    for each in findings:
        company = next((books.companies[fact] for fact in each.facts if fact in books.companies), None)
        if company is None and each.customer is not None:
            company = books.of_customer.get(each.customer)
        month = next((books.months[fact] for fact in each.facts if fact in books.months), otherwise)
        sited.append(Sited(each, company or "", month))
    return sited


def rows_of(sited: Iterable[Sited]) -> list[Row]:
    """The findings added up by legal entity, month and cause; the newest month and the gravest first."""
    rows: dict[tuple[str, str, str], Row] = {}
    for each in sited:
        finding = each.finding
        row = rows.setdefault(
            (each.company, each.month, finding.rule),
            Row(each.company, each.month, finding.rule, finding.severity, finding.owner),
        )
        row.findings += 1
        add(row.amounts, finding)
    return sorted(
        sorted(rows.values(), key=lambda row: (row.company, row.severity is not Severity.ERROR, row.cause)),
        key=lambda row: row.month,
        reverse=True,
    )


def total(rows: Iterable[Row]) -> dict[str, Decimal]:
    """The amounts of rows together, by currency."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        for currency, amount in row.amounts.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sums


def sums_of(findings: Sequence[Finding]) -> dict[str, Decimal]:
    """Amounts per currency, whatever their sign: what does not agree."""
    sums: dict[str, Decimal] = {}
    for each in findings:
        add(sums, each)
    return sums


def add(sums: dict[str, Decimal], finding: Finding) -> None:
    """Add what a finding is worth to sums by currency."""
    if finding.amount is not None and finding.currency:
        sums[finding.currency] = sums.get(finding.currency, Decimal(0)) + abs(finding.amount)


def _day(fact: Stated) -> date:
    own = fact.day(_DAYS[fact.kind]) if fact.kind in _DAYS else None
    return own or fact.changed_at.date()
