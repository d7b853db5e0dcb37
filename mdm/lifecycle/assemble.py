"""Puts facts that must agree with each other into cases."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from mdm.lifecycle.agreements import Agreements, agreed_prices, contract_in_force, read_agreements, subscription_meant
from mdm.lifecycle.cases import Case, ContractCase, EntitlementCase, InvoiceCase, UsageCase
from mdm.lifecycle.facts import Invoice, Subscription, UsageBatch
from mdm.lifecycle.ledger import Ledger, read_ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.model.ids import CrosswalkKey, EntityId

_DAY = timedelta(days=1)


def cases(material: Material, policy: Policy) -> Iterator[Case]:
    """Every invoice, entitlement, usage batch and contract as a case."""
    ledger = read_ledger(material, policy)
    agreements = read_agreements(material, ledger, policy)
    metered = material.metered | {each.product for each in ledger.offers.values() if each.metered and each.product}
    yield from _invoice_cases(ledger, agreements, metered)
    yield from _entitlement_cases(ledger, agreements, metered)
    yield from _usage_cases(ledger, agreements)
    for contract in agreements.contracts.values():
        yield ContractCase(contract)


def _invoice_cases(ledger: Ledger, agreements: Agreements, metered: frozenset[EntityId]) -> Iterator[InvoiceCase]:
    for invoice in ledger.invoices.values():
        contract = contract_in_force(invoice, agreements)
        prices = {}
        if contract is not None and invoice.issued_at is not None:
            prices = agreed_prices(contract, invoice.issued_at, metered)
        yield InvoiceCase(
            invoice=invoice,
            entries=tuple(ledger.entries.get(invoice.key, ())),
            subscription=agreements.subscription(invoice.subscription),
            contract=contract,
            agreed=prices,
        )


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


def _usage_cases(ledger: Ledger, agreements: Agreements) -> Iterator[UsageCase]:
    invoices: dict[CrosswalkKey, list[Invoice]] = defaultdict(list)
    for invoice in ledger.invoices.values():
        if invoice.subscription is not None:
            invoices[invoice.subscription].append(invoice)
    first: dict[tuple[EntityId | None, str], UsageBatch] = {}
    for batch in sorted(ledger.usage, key=lambda each: (each.received_at is None, each.received_at, each.key)):
        earlier = first.setdefault((batch.customer, batch.event_id), batch) if batch.event_id is not None else batch
        subscription, billed_by = _billing_of(batch, invoices, agreements)
        yield UsageCase(
            batch=batch,
            first=earlier if earlier is not batch else None,
            billed_by=billed_by,
            offer=subscription.offers.get(batch.product) if subscription and batch.product else None,
            contract=agreements.contract_of(subscription),
        )


def _billing_of(
    batch: UsageBatch, invoices: Mapping[CrosswalkKey, Sequence[Invoice]], agreements: Agreements
) -> tuple[Subscription | None, Invoice | None]:
    """The subscription that a batch was used under, and the invoice that bills it. None where it cannot be told.

    Usage is billed in arrears, so by the invoice of the period that begins the day after the usage ends.
    """
    if batch.customer is None or batch.product is None or batch.period_end is None:
        return None, None
    sold_by = [each for each in agreements.subscriptions_of(batch.customer) if batch.product in each.quantities]
    billing = [
        (subscription, invoice)
        for subscription in sold_by
        for invoice in invoices.get(subscription.key, ())
        if invoice.period_start == batch.period_end + _DAY
    ]
    if len(billing) == 1:
        return billing[0]
    return (sold_by[0] if len(sold_by) == 1 else None), None
