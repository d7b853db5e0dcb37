"""Resolved contracts with the terms that their records stated over time, and which contract or subscription is meant.

References between platforms are missing, re-typed or left stale by a renewal, so what the hub resolved comes first and
a stated number only where it leads to one contract of the same customer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mdm.lifecycle.adoption import adopt
from mdm.lifecycle.facts import Activation, Contract, Entitlement, Invoice, Subscription, Terms
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material, Stated, Version, amount_of, day_of
from mdm.lifecycle.numbers import number_forms
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.products import Products, key_of
from mdm.model.ids import CrosswalkKey, EntityId


@dataclass(frozen=True, slots=True)
class Agreements:
    """All contracts and subscriptions, also by customer. `assigned` says which contract a subscription bills now."""

    contracts: Mapping[EntityId, Contract]
    subscriptions: Mapping[CrosswalkKey, Subscription]
    assigned: Mapping[CrosswalkKey, EntityId]
    by_customer: Mapping[EntityId, Sequence[Contract]]
    sold_to: Mapping[EntityId, Sequence[Subscription]]

    def subscription(self, key: CrosswalkKey | None) -> Subscription | None:
        return None if key is None else self.subscriptions.get(key)

    def contract_of(self, subscription: Subscription | None) -> Contract | None:
        if subscription is None or subscription.key not in self.assigned:
            return None
        return self.contracts.get(self.assigned[subscription.key])

    def contracts_of(self, customer: EntityId | None) -> Sequence[Contract]:
        return () if customer is None else self.by_customer.get(customer, ())

    def subscriptions_of(self, customer: EntityId | None) -> Sequence[Subscription]:
        return () if customer is None else self.sold_to.get(customer, ())


def read_agreements(material: Material, ledger: Ledger, policy: Policy) -> Agreements:
    """Every contract entity with its records."""
    records: dict[EntityId, list[Stated]] = defaultdict(list)
    for record in material.contract_records:
        entity = material.entity(record.key)
        if entity is not None:
            records[entity].append(record)
    accounts = {account.key: account for account in material.accounts}
    contracts = {
        entity: _contract(entity, values, records.get(entity, []), accounts, material, ledger, policy)
        for entity, values in material.contracts.items()
    }
    subscriptions: dict[EntityId, list[Subscription]] = defaultdict(list)
    for subscription in ledger.subscriptions.values():
        if subscription.customer is not None:
            subscriptions[subscription.customer].append(subscription)
    adopted = adopt(contracts, ledger, policy.grace["subscription"])
    assigned = {key: each.contract for key, each in ledger.subscriptions.items() if each.contract is not None}
    for entity, subscription in adopted.items():
        contracts[entity] = replace(contracts[entity], subscriptions=(subscription.key,))
        assigned[subscription.key] = entity
    of_customer: dict[EntityId, list[Contract]] = defaultdict(list)
    for contract in contracts.values():
        if contract.customer is not None:
            of_customer[contract.customer].append(contract)
    return Agreements(contracts, ledger.subscriptions, assigned, of_customer, subscriptions)


def _contract(
    entity: EntityId,
    values: Mapping[str, Any],
    records: Sequence[Stated],
    accounts: Mapping[CrosswalkKey, Stated],
    material: Material,
    ledger: Ledger,
    policy: Policy,
) -> Contract:
    numbers = [str(number) for number in (values.get("number"), *(values.get("other_numbers") or ())) if number]
    lines = [
        line for source in (values, *(record.attributes for record in records)) for line in source.get("lines") or ()
    ]
    products = {ledger.products.named(key_of(line["product"])) for line in lines}
    return Contract(
        entity_id=entity,
        customer=_named(values.get("customer"), material),
        number=numbers[0] if numbers else None,
        number_forms=frozenset().union(*map(number_forms, numbers)),
        status=_status(values.get("status"), records, policy),
        currency=values.get("currency"),
        start=day_of(values.get("start_date")),
        end=day_of(values.get("end_date")),
        value=amount_of(values.get("value")),
        prior=_named(values.get("prior_contract"), material),
        records=tuple(sorted(record.key for record in records)),
        subscriptions=tuple(sorted(each.key for each in records if policy.plays("subscription", each.key))),
        products=frozenset(product for product in products if product is not None),
        terms=tuple(terms for record in records for terms in _terms(record, material, ledger.products, policy)),
        activations=tuple(_activations(records, accounts, policy)),
        changed_at=max((record.changed_at for record in records), default=None),
    )


def _status(golden: str | None, records: Sequence[Stated], policy: Policy) -> str | None:
    """The surviving status; but a draft typed once more beside a signed contract does not make it a draft."""
    if golden is not None and policy.says("contract_draft", golden):
        active = [each.word("status") for each in records if policy.says("contract_active", each.word("status"))]
        return active[0] if active else golden
    return golden


def _named(reference: Mapping[str, Any] | None, material: Material) -> EntityId | None:
    if reference is None:
        return None
    return material.entity(key_of(reference))


def _terms(record: Stated, material: Material, products: Products, policy: Policy) -> Iterable[Terms]:
    """The prices that a record named over time; nothing for records that name none."""
    versions = material.versions.get(record.key) or [Version(record.changed_at, record.attributes)]
    for position, version in enumerate(versions):
        prices = {}
        for line in version.attributes.get("lines") or ():
            price = amount_of(line.get("unit_price"))
            product = products.named(key_of(line["product"]))
            if price is not None and product is not None:
                prices[product] = price
        if prices:
            yield Terms(
                record=record.key,
                since=version.since,
                first=position == 0,
                amended=bool(version.attributes.get("amendment")),
                periods_per_year=policy.periods_per_year.get(str(version.attributes.get("billing_frequency"))),
                prices=prices,
            )


def _activations(
    records: Sequence[Stated], accounts: Mapping[CrosswalkKey, Stated], policy: Policy
) -> Iterable[Activation]:
    for record in records:
        account = accounts.get(record.target("customer") or record.key)
        activated_on = record.day("activated_on")
        if policy.plays("agreement", record.key) and activated_on is not None and account is not None:
            yield Activation(
                record=record.key,
                activated_on=activated_on,
                account=account.key,
                validated=bool(account.attributes.get("validated")),
                validated_on=account.day("validated_on"),
            )


def contract_in_force(invoice: Invoice, agreements: Agreements) -> Contract | None:
    """The contract that an invoice bills: that of its subscription, or, when that began after the invoice's period (the
    subscription goes on under a renewal) or ended before it, the customer's one contract that covers the period, sells
    the same products and has no other subscription.
    """
    now = agreements.contract_of(agreements.subscription(invoice.subscription))
    day = invoice.period_start
    if day is None or (now is not None and now.covers(day)):
        return now
    products = {line.product for line in invoice.lines}
    candidates = [
        contract
        for contract in agreements.contracts_of(invoice.customer)
        if not {*contract.subscriptions} - {invoice.subscription}
        and contract.covers(day)
        and products <= contract.products
    ]
    return candidates[0] if len(candidates) == 1 else None


def subscription_meant(entitlement: Entitlement, agreements: Agreements) -> Subscription | None:
    """The subscription behind an entitlement: the one it names; else that of the customer's contract whose number it
    states; else that of the customer's one contract for the product with the same first or last day.
    """
    if entitlement.subscription is not None:
        return agreements.subscription(entitlement.subscription)
    for keys in _likely(entitlement, agreements):
        if len(keys) == 1:
            return agreements.subscriptions[next(iter(keys))]
    return None


def is_unmatched(entitlement: Entitlement, agreements: Agreements) -> bool:
    """Whether there is no subscription behind an entitlement: the one it names is unknown; or, where it names none,
    its number and term lead to none and its customer has none that sells the product.

    Of an entitlement whose customer or product nobody knows it cannot be told.
    """
    if entitlement.subscription is not None:
        return entitlement.subscription not in agreements.subscriptions
    if entitlement.customer is None or entitlement.product is None:
        return False
    sold = any(entitlement.product in each.quantities for each in agreements.subscriptions_of(entitlement.customer))
    return not sold and not any(_likely(entitlement, agreements))


def _likely(entitlement: Entitlement, agreements: Agreements) -> tuple[set[CrosswalkKey], set[CrosswalkKey]]:
    """The subscriptions of the customer's contracts by the number that it states, and by its product and term."""
    contracts = agreements.contracts_of(entitlement.customer)
    forms = number_forms(entitlement.contract_number)
    stated = {key for each in contracts if forms & each.number_forms for key in each.subscriptions}
    dated = {key for each in contracts if _same_term(entitlement, each) for key in each.subscriptions}
    return stated, dated


def _same_term(entitlement: Entitlement, contract: Contract) -> bool:
    if entitlement.product not in contract.products:
        return False
    if contract.end is not None:
        return contract.end == entitlement.valid_to
    return contract.start is not None and contract.start == entitlement.valid_from
