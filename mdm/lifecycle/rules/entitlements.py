"""Entitlement against subscription: may the customer use what it pays for, as much and as long?"""

from datetime import UTC, datetime, time

from mdm.lifecycle.cases import Context, EntitlementCase
from mdm.lifecycle.facts import Invoice
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import money, name, plain
from mdm.lifecycle.rules.worth import Arrears, arrears, of_a_period, of_a_unit, pair, times


def entitlement_active_sub_cancelled(case: EntitlementCase, context: Context) -> Problem | None:
    """The entitlement is active although its subscription was cancelled more than a day ago: what a billing period of
    it costs goes unbilled."""
    entitlement, subscription = case.entitlement, case.subscription
    if subscription is None or subscription.status != "cancelled":
        return None
    if not context.policy.says("entitlement_active", entitlement.status):
        return None
    if not context.overdue(subscription.changed_at, "entitlement_end"):
        return None
    return Problem(
        (entitlement.key, subscription.key),
        f"Entitlement {entitlement.key.key} is active, but subscription {subscription.key.key} was cancelled.",
        *of_a_period(entitlement.product, subscription, case.invoices),
        correlations=_pairs(case),
    )


def entitlement_active_delinquent(case: EntitlementCase, context: Context) -> Problem | None:
    """The entitlement is active although its subscription is past due, or an invoice of the subscription is overdue by
    more than the customer is given to pay it after reminders.

    It is worth what is owed for the product of the entitlement. A cancelled subscription is told by another rule.
    """
    entitlement, subscription = case.entitlement, case.subscription
    if subscription is None or subscription.status == "cancelled":
        return None
    if not context.policy.says("entitlement_active", entitlement.status):
        return None
    unpaid = [each for each in case.invoices if context.policy.says("invoice_unpaid", each.status)]
    owed = arrears(unpaid, entitlement.product, context.as_of.date())
    past_due = subscription.status == "past_due" and context.overdue(subscription.changed_at, "entitlement_suspension")
    if not past_due and not (owed is not None and context.overdue(_due(owed.invoices[0]), "entitlement_unpaid")):
        return None
    state = f"subscription {subscription.key.key} is past due" if past_due else ""
    told = [each for each in (state, _told(owed)) if each]
    return Problem(
        (entitlement.key, subscription.key, *(each.key for each in (owed.invoices if owed is not None else ()))),
        f"Entitlement {entitlement.key.key} is active, but {', and '.join(told)}.",
        owed.amount if owed is not None else None,
        owed.currency if owed is not None else None,
        _pairs(case),
        owed.days if owed is not None else None,
    )


def amendment_not_in_entitlement(case: EntitlementCase, context: Context) -> Problem | None:
    """The subscription sells another quantity than the entitlement grants: worth what the difference costs in a
    billing period, negative when more is granted than is paid for."""
    entitlement, subscription, agreed = case.entitlement, case.subscription, case.agreed_quantity
    if subscription is None or agreed is None or entitlement.quantity is None or agreed == entitlement.quantity:
        return None
    if subscription.status not in ("active", "past_due"):
        return None
    if not context.policy.says("entitlement_usable", entitlement.status):
        return None
    if not context.overdue(subscription.changed_at, "entitlement_amendment"):
        return None
    unit = of_a_unit(entitlement.product, subscription, case.invoices)
    return Problem(
        (entitlement.key, subscription.key),
        f"Entitlement {entitlement.key.key} grants {plain(entitlement.quantity)}, but subscription "
        f"{subscription.key.key} sells {plain(agreed)}.",
        *times(unit, agreed - entitlement.quantity),
        correlations=_pairs(case),
    )


def entitlement_without_subscription(case: EntitlementCase, context: Context) -> Problem | None:
    """The entitlement may be used, and no subscription is behind it: the one it names is unknown, or it names none and
    none of its customer sells the product.

    Where it may be one of several, nothing is said.
    """
    entitlement, today = case.entitlement, context.as_of.date()
    if not case.unmatched or not context.policy.says("entitlement_usable", entitlement.status):
        return None
    if entitlement.valid_to is not None and entitlement.valid_to < today:
        return None
    began = datetime.combine(entitlement.valid_from, time.min, UTC) if entitlement.valid_from is not None else None
    if not context.overdue(max(filter(None, (began, entitlement.changed_at))), "entitlement_subscription"):
        return None
    named = entitlement.subscription
    what = f"subscription {named.key}, which it names, is unknown" if named is not None else "no subscription sells it"
    return Problem((entitlement.key,), f"Entitlement {entitlement.key.key} is {entitlement.status}, but {what}.",
                   correlations=_pairs(case))  # fmt: skip


def _pairs(case: EntitlementCase) -> tuple[str, ...]:
    entitlement = case.entitlement
    sold = case.subscription.key if case.subscription is not None else entitlement.subscription
    return (pair(sold, entitlement.customer, entitlement.product),)


def _due(invoice: Invoice) -> datetime | None:
    return None if invoice.due_date is None else datetime.combine(invoice.due_date, time.min, UTC)


def _told(owed: Arrears | None) -> str:
    if owed is None:
        return ""
    first, more = owed.invoices[0], len(owed.invoices) - 1
    others = f" and {more} more" if more else ""
    worth = f", {money(owed.amount, owed.currency)} of it for this" if owed.amount is not None else ""
    return f"invoice {name(first)}{others} is unpaid, {owed.days:,} days overdue{worth}"
