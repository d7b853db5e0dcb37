"""Puts facts that must agree with each other into cases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from mdm.lifecycle.agreements import (
    Agreements,
    contract_in_force,
    is_unmatched,
    read_agreements,
    subscription_meant,
)
from mdm.lifecycle.cases import Case, ContractCase, EntitlementCase, Granted, InvoiceCase, OrderCase, SubscriptionCase
from mdm.lifecycle.facts import Entitlement, Invoice, Order, Subscription
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
    """Every invoice, entitlement, subscription, usage batch and contract as a case."""
    metered, invoices = ledger.products.metered, invoices_by_subscription(ledger)
    yield from _invoice_cases(ledger, agreements, metered)
    entitled = list(_entitlement_cases(ledger, agreements, metered, invoices))
    yield from entitled
    yield from _subscription_cases(agreements, invoices, entitled)
    yield from usage_cases(ledger, agreements, invoices, metered)
    for contract in agreements.contracts.values():
        yield ContractCase(contract)
    yield from _order_cases(ledger, agreements)


def _order_cases(ledger: Ledger, agreements: Agreements) -> Iterator[OrderCase]:
    placed: dict[EntityId | None, list[Order]] = defaultdict(list)
    for order in ledger.orders:
        placed[order.contract].append(order)
    for entity, contract in agreements.contracts.items():
        orders = tuple(sorted(placed.get(entity, ()), key=lambda each: each.key))
        known = (agreements.subscription(key) for key in contract.subscriptions)
        yield OrderCase(contract, orders, tuple(each for each in known if each is not None))


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
    ledger: Ledger,
    agreements: Agreements,
    metered: frozenset[EntityId],
    invoices: Mapping[CrosswalkKey, Sequence[Invoice]],
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
            invoices=tuple(invoices.get(subscription.key, ())) if subscription is not None else (),
            unmatched=subscription is None and is_unmatched(entitlement, agreements),
        )


def _subscription_cases(
    agreements: Agreements, invoices: Mapping[CrosswalkKey, Sequence[Invoice]], entitled: Iterable[EntitlementCase]
) -> Iterator[SubscriptionCase]:
    meaning: dict[CrosswalkKey, list[Entitlement]] = defaultdict(list)
    astray: dict[EntityId | None, list[Entitlement]] = defaultdict(list)
    granted: set[EntityId] = set()
    for case in entitled:
        if case.entitlement.product is not None:
            granted.add(case.entitlement.product)
        if case.subscription is not None:
            meaning[case.subscription.key].append(case.entitlement)
        # One that means nothing that is known, or what was cancelled, may in truth be that of another subscription.
        if case.subscription is None or case.subscription.status == "cancelled":
            astray[case.entitlement.customer].append(case.entitlement)
    for subscription in agreements.subscriptions.values():
        own, others = meaning.get(subscription.key, ()), astray.get(subscription.customer, ())
        yield SubscriptionCase(
            subscription=subscription,
            contract=agreements.contract_of(subscription),
            invoices=tuple(invoices.get(subscription.key, ())),
            sold=tuple(_granted(subscription, product, own, others) for product in sorted(granted)
                       if product in subscription.quantities),
        )  # fmt: skip


def _granted(
    subscription: Subscription, product: EntityId, own: Sequence[Entitlement], others: Sequence[Entitlement]
) -> Granted:
    return Granted(
        product,
        tuple(sorted((each for each in own if each.product == product), key=lambda each: each.key)),
        subscription.customer is None
        or any(each.product is None for each in own)
        or any(each.product in (None, product) for each in others if each not in own),
    )
