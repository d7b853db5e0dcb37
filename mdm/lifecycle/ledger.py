"""From source rows to facts: amounts, dates and resolved references, everything indexed by the key of its row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mdm.lifecycle.facts import (
    Entitlement,
    Invoice,
    InvoiceLine,
    JournalEntry,
    Offer,
    Order,
    PostingLine,
    Subscription,
    UsageBatch,
)
from mdm.lifecycle.material import Material, Stated, amount_of
from mdm.lifecycle.numbers import number_forms
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.products import Products, key_of, read_products
from mdm.model.ids import CrosswalkKey, EntityId


@dataclass(frozen=True, slots=True)
class Ledger:
    """All linked facts that reconciliation reads. `entries` is by the invoice that they name."""

    invoices: Mapping[CrosswalkKey, Invoice]
    entries: Mapping[CrosswalkKey, Sequence[JournalEntry]]
    subscriptions: Mapping[CrosswalkKey, Subscription]
    entitlements: Sequence[Entitlement]
    usage: Sequence[UsageBatch]
    products: Products
    orders: Sequence[Order] = ()


def read_ledger(material: Material, policy: Policy) -> Ledger:
    """The facts of the material. Rows that name nothing known stay, with None where the name leads nowhere."""
    products = read_products(material, policy)
    invoices = _invoices(material, products)
    return Ledger(
        invoices=invoices,
        entries=_entries(material, invoices.values()),
        subscriptions={
            each.key: _subscription(each, material, products)
            for each in material.contract_records
            if policy.plays("subscription", each.key)
        },
        entitlements=[_entitlement(each, material, products) for each in material.of_kind("entitlement")],
        usage=[_usage(each, material, products) for each in material.of_kind("usage_batch")],
        products=products,
        orders=[_order(each, material) for each in material.of_kind("order")],
    )


def _order(row: Stated, material: Material) -> Order:
    return Order(
        key=row.key,
        number=row.text("number"),
        contract=material.entity(row.target("contract")),
        status=row.word("status"),
        value=row.amount("value"),
        currency=row.text("currency"),
        changed_at=row.changed_at,
    )


def _invoices(material: Material, products: Products) -> dict[CrosswalkKey, Invoice]:
    lines: dict[CrosswalkKey | None, list[InvoiceLine]] = defaultdict(list)
    for row in material.of_kind("invoice_line"):
        lines[row.target("invoice")].append(
            InvoiceLine(
                row.key,
                products.named(row.target("product")),
                row.amount("quantity"),
                row.amount("unit_amount"),
                row.amount("amount"),
            )
        )
    return {
        row.key: Invoice(
            key=row.key,
            number=row.text("number"),
            customer=material.entity(row.target("customer")),
            subscription=row.target("contract"),
            status=row.word("status"),
            currency=row.text("currency"),
            total=row.amount("total"),
            period_start=row.day("period_start"),
            period_end=row.day("period_end"),
            issued_at=row.instant("issued_at"),
            lines=tuple(sorted(lines.get(row.key, ()), key=lambda line: line.key)),
            due_date=row.day("due_date"),
            paid=row.amount("amount_paid"),
        )
        for row in material.of_kind("invoice")
    }


def _entries(material: Material, invoices: Iterable[Invoice]) -> dict[CrosswalkKey, list[JournalEntry]]:
    """Journal entries by the invoice that they name, by its number or its key, however it was typed.

    A form that two invoices share names neither.
    """
    named: dict[str, set[CrosswalkKey]] = defaultdict(set)
    for invoice in invoices:
        for form in number_forms(invoice.number) | number_forms(invoice.key.key):
            named[form].add(invoice.key)
    lines: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for posting in material.of_kind("posting"):
        lines[posting.key.system, posting.text("journal_entry") or posting.key.key].append(posting)
    entries: dict[CrosswalkKey, list[JournalEntry]] = defaultdict(list)
    for (_, number), rows in sorted(lines.items()):
        meant = set().union(
            *(named.get(form, set()) for row in rows for form in number_forms(row.text("invoice_number")))
        )
        if len(meant) == 1:
            entries[meant.pop()].append(_entry(number, rows, material))
    return entries


def _entry(number: str, rows: Sequence[Stated], material: Material) -> JournalEntry:
    statuses = {row.word("status") or "" for row in rows}
    reasons = sorted({reason for row in rows if (reason := row.text("reject_reason"))})
    lines = tuple(
        PostingLine(row.key, row.text("account"), row.amount("amount"), row.target("customer") is not None)
        for row in sorted(rows, key=lambda row: row.key)
    )
    partners = {material.entity(row.target("customer")) for row in rows}
    return JournalEntry(
        number=number,
        # An entry is posted or rejected as a whole; lines that disagree are on their way from one to the other.
        status=statuses.pop() if len(statuses) == 1 else "",
        reject_reason=reasons[0] if reasons else None,
        partners=frozenset(partner for partner in partners if partner is not None),
        lines=lines,
    )


def _subscription(row: Stated, material: Material, products: Products) -> Subscription:
    quantities: dict[EntityId, Decimal] = defaultdict(Decimal)
    offers: dict[EntityId, Offer] = {}
    for line in row.attributes.get("lines") or ():
        name = key_of(line["product"])
        product = products.named(name)
        if product is None:
            continue
        quantities[product] += amount_of(line["quantity"]) or Decimal(0)
        if name in products.offers:
            offers[product] = products.offers[name]
    return Subscription(
        key=row.key,
        contract=material.entity(row.key),
        customer=material.entity(row.target("customer")),
        status=row.word("status"),
        currency=row.text("currency"),
        start=row.day("start_date"),
        stated_forms=frozenset().union(*map(number_forms, row.attributes.get("other_numbers") or ())),
        changed_at=row.changed_at,
        quantities=dict(quantities),
        offers=offers,
    )


def _entitlement(row: Stated, material: Material, products: Products) -> Entitlement:
    return Entitlement(
        key=row.key,
        customer=material.entity(row.target("customer")),
        product=products.named(row.target("product")),
        quantity=row.amount("quantity"),
        valid_from=row.day("valid_from"),
        valid_to=row.day("valid_to"),
        status=row.word("status"),
        subscription=row.target("contract"),
        contract_number=row.text("contract_number"),
        changed_at=row.changed_at,
    )


def _usage(row: Stated, material: Material, products: Products) -> UsageBatch:
    return UsageBatch(
        key=row.key,
        customer=material.entity(row.target("customer")),
        product=products.named(row.target("product")),
        event_id=row.text("event_id"),
        quantity=row.amount("quantity"),
        period_start=row.day("period_start"),
        period_end=row.day("period_end"),
        received_at=row.instant("received_at"),
    )
