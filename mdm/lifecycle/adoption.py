"""Subscriptions that identity left apart from the contract they bill.

Matching is careful, and missing, re-typed or stale references mislead it. What it left apart is put together here, for
reconciliation only, where number, customer, dates and products leave one answer. Identity stays as the hub has it.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from mdm.lifecycle.facts import Contract, Subscription
from mdm.lifecycle.ledger import Ledger
from mdm.model.ids import CrosswalkKey, EntityId


def adopt(contracts: Mapping[EntityId, Contract], ledger: Ledger, within: timedelta) -> dict[EntityId, Subscription]:
    """By contract that has no subscription: the one subscription that is likely its own.

    `within` is how long after the start of a contract its subscription may begin.
    """
    of_customer: dict[EntityId, list[Subscription]] = defaultdict(list)
    for key, customers in _customers(ledger).items():
        for customer in customers:
            of_customer[customer].append(ledger.subscriptions[key])
    stating: dict[str, list[Subscription]] = defaultdict(list)
    for subscription in ledger.subscriptions.values():
        for form in subscription.stated_forms:
            stating[form].append(subscription)
    adopted: dict[CrosswalkKey, tuple[Contract, Subscription]] = {}
    for contract in contracts.values():
        if contract.subscriptions or contract.start is None:
            continue
        nearby = [each for form in contract.number_forms for each in stating.get(form, ())]
        nearby += of_customer.get(contract.customer, ()) if contract.customer is not None else ()
        likely = {each.key: each for each in nearby if _is_likely(contract, each, contracts, within)}
        if len(likely) != 1:
            continue
        ((key, subscription),) = likely.items()
        if key not in adopted or _began_later(contract, adopted[key][0]):
            adopted[key] = (contract, subscription)
    return {contract.entity_id: subscription for contract, subscription in adopted.values()}


def _customers(ledger: Ledger) -> dict[CrosswalkKey, set[EntityId]]:
    """By subscription: its customer, and the customers that its documents name.

    Those are the partner on whom its invoices are posted and the tenant who may use it. Where names were too different
    to match they are often the same customer in truth.
    """
    found: dict[CrosswalkKey, set[EntityId]] = {
        key: set() if subscription.customer is None else {subscription.customer}
        for key, subscription in ledger.subscriptions.items()
    }
    for key, entries in ledger.entries.items():
        billed = ledger.invoices[key].subscription
        if billed in found:
            found[billed].update(partner for entry in entries for partner in entry.partners)
    for entitlement in ledger.entitlements:
        if entitlement.subscription in found and entitlement.customer is not None:
            found[entitlement.subscription].add(entitlement.customer)
    return found


def _began_later(contract: Contract, other: Contract) -> bool:
    """A subscription bills the newest of its contracts; ties go to the one found under the greater id."""
    return (contract.start or date.min, contract.entity_id) > (other.start or date.min, other.entity_id)


def _is_likely(
    contract: Contract, subscription: Subscription, contracts: Mapping[EntityId, Contract], within: timedelta
) -> bool:
    """Whether the subscription is likely that of the contract.

    It is, when no signed contract claims it and it began with this one or goes on under it; or when it goes on from a
    contract that ended when this one began.
    """
    other = contracts.get(subscription.contract) if subscription.contract is not None else None
    if other is None or contract.start is None:
        return False
    sells_the_same = bool(contract.products & subscription.quantities.keys())
    if other.only_subscribed:
        return _began_with(contract, subscription, within, sells_the_same) or (
            sells_the_same and _goes_on(contract, subscription)
        )
    ended = other.end is not None and abs(other.end - contract.start) <= within
    return ended and sells_the_same and subscription.status != "cancelled"


def _began_with(contract: Contract, subscription: Subscription, within: timedelta, sells_the_same: bool) -> bool:
    if contract.start is None or subscription.start is None:
        return False
    apart = abs(subscription.start - contract.start)
    return not apart or (apart <= within and sells_the_same)


def _goes_on(contract: Contract, subscription: Subscription) -> bool:
    """A contract that begins on an anniversary of a running subscription renews what it was sold under."""
    if contract.start is None or subscription.start is None or subscription.status == "cancelled":
        return False
    began, renewed = subscription.start, contract.start
    return began < renewed and (began.month, began.day) == (renewed.month, renewed.day)
