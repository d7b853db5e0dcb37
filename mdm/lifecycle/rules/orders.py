"""Order, contract and subscription against each other: do they tell the same state?"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from mdm.lifecycle.cases import Context, OrderCase
from mdm.lifecycle.facts import Order
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import contract_name
from mdm.model.ids import CrosswalkKey


def order_state_mismatch(case: OrderCase, context: Context) -> Problem | None:
    """States that cannot hold together, two days after the last change of any of them: an order that is open or
    delivered under a contract that was cancelled or never signed, one that is cancelled while its contract or a
    subscription runs, a subscription that runs under a cancelled contract, and an active contract of which every
    subscription was cancelled.

    About the first order that contradicts, else about the contract. All rows whose states are told are its facts.
    """
    told = dict(_contradictions(case, context))
    if not told or not context.overdue(_last_change(case), "order_state"):
        return None
    orders = [each for each in case.orders if each.key in told]
    others = (*case.contract.records, *(each.key for each in case.subscriptions))
    amount, currency = _worth(case, orders)
    return Problem(
        tuple(dict.fromkeys((*(each.key for each in orders), *others))),
        f"{'; '.join(dict.fromkeys(told.values()))}.",
        amount,
        currency,
    )


def _contradictions(case: OrderCase, context: Context) -> Iterator[tuple[CrosswalkKey, str]]:
    """By the row that it is about: what cannot hold together."""
    says, contract = context.policy.says, case.contract
    # What nobody signed has no state beside that of its subscription.
    active = says("contract_active", contract.status) and not contract.only_subscribed
    cancelled = says("contract_cancelled", contract.status) and not contract.only_subscribed
    running = [each for each in case.subscriptions if says("subscription_running", each.status)]
    state = f"contract {contract_name(contract)} is {contract.status}"
    for order in case.orders:
        about = f"Order {order.number or order.key.key} is {order.status}"
        if (
            (says("order_open", order.status) and cancelled and not running)
            or (says("order_cancelled", order.status) and active)
            or (says("order_delivered", order.status) and says("contract_draft", contract.status))
        ):
            yield order.key, f"{about}, but {state}"
        elif says("order_cancelled", order.status) and running:
            yield order.key, f"{about}, but subscription {running[0].key.key} is {running[0].status}"
    if cancelled:
        for each in running:
            yield each.key, f"Subscription {each.key.key} is {each.status}, but {state}"
    ended = [each for each in case.subscriptions if says("subscription_cancelled", each.status)]
    if active and ended and len(ended) == len(case.subscriptions):
        yield ended[0].key, f"Subscription {ended[0].key.key} is {ended[0].status}, but {state}"


def _last_change(case: OrderCase) -> datetime | None:
    orders = (each.changed_at for each in case.orders)
    subscriptions = (each.changed_at for each in case.subscriptions)
    return max((*orders, *subscriptions, *filter(None, (case.contract.changed_at,))), default=None)


def _worth(case: OrderCase, orders: list[Order]) -> tuple[Decimal | None, str | None]:
    """The orders that contradict, where each says its value in one currency; else the contract."""
    values = [each.value for each in orders if each.value is not None]
    if orders and len(values) == len(orders) and len({each.currency for each in orders}) == 1:
        return sum(values, Decimal(0)), orders[0].currency
    return case.contract.value, case.contract.currency
