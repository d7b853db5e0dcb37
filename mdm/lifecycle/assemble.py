"""Puts facts that must agree with each other into cases."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from mdm.lifecycle.agreements import (
    Agreements,
    contract_in_force,
    read_agreements,
    subscription_meant,
)
from mdm.lifecycle.cases import Case, ContractCase, EntitlementCase, InvoiceCase
from mdm.lifecycle.facts import Invoice
from mdm.lifecycle.ledger import Ledger, read_ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.prices import Agreed, agreed_prices, usual_prices
from mdm.lifecycle.usage import usage_cases
from mdm.model.ids import CrosswalkKey, EntityId


def read_story(material: Material, policy: Policy) -> tuple[Ledger, Agreements]:
    """The facts and the agreements of the material."""
    ledger = read_ledger(material, policy)
    return ledger, read_agreements(material, ledger, policy)


def cases(ledger: Ledger, agreements: Agreements) -> Iterator[Case]:
    """Every invoice, entitlement, usage batch and contract as a case."""
    metered = ledger.products.metered
    yield from _invoice_cases(ledger, agreements, metered)
    yield from _entitlement_cases(ledger, agreements, metered)
    yield from usage_cases(ledger, agreements, invoices_by_subscription(ledger), metered)
    for contract in agreements.contracts.values():
        yield ContractCase(contract)


def _invoice_cases(ledger: Ledger, agreements: Agreements, metered: frozenset[EntityId]) -> Iterator[InvoiceCase]:
    usual = _usual_prices(ledger, agreements)
    for invoice in ledger.invoices.values():
        contract = contract_in_force(invoice, agreements)
        prices: Agreed = {}
        if contract is not None and contract.only_subscribed:
            prices = usual.get(invoice.key, {})
        elif contract is not None and invoice.issued_at is not None:
            prices = agreed_prices(contract, invoice.issued_at, metered)
        yield InvoiceCase(
            invoice=invoice,
            entries=tuple(ledger.entries.get(invoice.key, ())),
            subscription=agreements.subscription(invoice.subscription),
            contract=contract,
            agreed=prices,
        )


def _usual_prices(ledger: Ledger, agreements: Agreements) -> dict[CrosswalkKey, dict[EntityId, frozenset[Decimal]]]:
    """By invoice: what the invoices around it charge."""
    found: dict[CrosswalkKey, dict[EntityId, frozenset[Decimal]]] = defaultdict(dict)
    for key, invoices in invoices_by_subscription(ledger).items():
        subscription = agreements.subscription(key)
        if subscription is not None:
            for (invoice, product), price in usual_prices(invoices, subscription.start).items():
                found[invoice][product] = frozenset({price})
    return found


def invoices_by_subscription(ledger: Ledger) -> dict[CrosswalkKey, list[Invoice]]:
    """The invoices of each subscription."""
    invoices: dict[CrosswalkKey, list[Invoice]] = defaultdict(list)
    for invoice in ledger.invoices.values():
        if invoice.subscription is not None:
            invoices[invoice.subscription].append(invoice)
    return invoices


def _entitlement_cases(
    ledger: Ledger, agreements: Agreements, metered: frozenset[EntityId]
) -> Iterator[EntitlementCase]:
    for entitlement in ledger.entitlements:
        subscription = subscription_meant(entitlement, agreements)
        agreed = None
        if subscription is not None and entitlement.product is not None and entitlement.product not in metered:
            agreed = subscription.quantities.get(entitlement.product)
        yield EntitlementCase(
            entitlement=entitlement,
            subscription=subscription,
            contract=agreements.contract_of(subscription),
            agreed_quantity=agreed,
        )
