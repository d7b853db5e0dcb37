"""Entitlement against subscription: may the customer use what it pays for, as much and as long?"""

from mdm.lifecycle.cases import Context, EntitlementCase
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import plain


def entitlement_active_sub_cancelled(case: EntitlementCase, context: Context) -> Problem | None:
    """The entitlement is active although its subscription was cancelled more than a day ago."""
    return _outlives(case, context, "cancelled", "entitlement_end", "was cancelled")


def entitlement_active_delinquent(case: EntitlementCase, context: Context) -> Problem | None:
    """The entitlement is active although its subscription is not paid."""
    return _outlives(case, context, "past_due", "entitlement_suspension", "is past due")


def _outlives(case: EntitlementCase, context: Context, status: str, grace: str, words: str) -> Problem | None:
    entitlement, subscription = case.entitlement, case.subscription
    if subscription is None or subscription.status != status:
        return None
    if not context.policy.says("entitlement_active", entitlement.status):
        return None
    if not context.overdue(subscription.changed_at, grace):
        return None
    return Problem(
        (entitlement.key, subscription.key),
        f"Entitlement {entitlement.key.key} is active, but subscription {subscription.key.key} {words}.",
    )


def amendment_not_in_entitlement(case: EntitlementCase, context: Context) -> Problem | None:
    """The subscription sells another quantity than the entitlement grants."""
    entitlement, subscription, agreed = case.entitlement, case.subscription, case.agreed_quantity
    if subscription is None or agreed is None or entitlement.quantity is None or agreed == entitlement.quantity:
        return None
    if subscription.status not in ("active", "past_due"):
        return None
    if not context.policy.says("entitlement_usable", entitlement.status):
        return None
    if not context.overdue(subscription.changed_at, "entitlement_amendment"):
        return None
    return Problem(
        (entitlement.key, subscription.key),
        f"Entitlement {entitlement.key.key} grants {plain(entitlement.quantity)}, but subscription "
        f"{subscription.key.key} sells {plain(agreed)}.",
    )
