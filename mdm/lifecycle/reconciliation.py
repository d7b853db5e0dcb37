"""Runs the rules over all cases and makes findings of what they say."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeAlias, TypeVar

from mdm.lifecycle.agreements import Agreements
from mdm.lifecycle.assemble import cases, read_story
from mdm.lifecycle.cases import (
    Case,
    Context,
    ContractCase,
    EntitlementCase,
    InvoiceCase,
    OrderCase,
    ProductCase,
    ReferenceCase,
    SubscriptionCase,
    UsageCase,
)
from mdm.lifecycle.coverage import product_cases
from mdm.lifecycle.findings import Finding, Problem
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.references import reference_cases
from mdm.lifecycle.rules import (
    contracts,
    entitlements,
    invoices,
    orders,
    postings,
    products,
    references,
    subscriptions,
    usage,
)

C = TypeVar("C", bound=Case)
Check: TypeAlias = Callable[[C, Context], Problem | None]

# A rule is named like its function.
ON_INVOICES: tuple[Check[InvoiceCase], ...] = (
    postings.invoice_erp_amount_mismatch,
    postings.posting_missing,
    postings.posting_rejected,
    postings.double_posting,
    postings.invoice_without_erp_partner,
    invoices.currency_mismatch,
    invoices.price_differs_from_contract,
)
ON_ENTITLEMENTS: tuple[Check[EntitlementCase], ...] = (
    entitlements.entitlement_active_sub_cancelled,
    entitlements.entitlement_active_delinquent,
    entitlements.amendment_not_in_entitlement,
    entitlements.entitlement_without_subscription,
)
ON_SUBSCRIPTIONS: tuple[Check[SubscriptionCase], ...] = (
    subscriptions.paid_without_entitlement,
    subscriptions.subscription_without_entitlement,
)
ON_USAGE: tuple[Check[UsageCase], ...] = (usage.duplicate_usage_batch, usage.late_usage_after_invoice)
ON_CONTRACTS: tuple[Check[ContractCase], ...] = (
    contracts.contract_without_subscription,
    contracts.account_used_before_validation,
)
ON_ORDERS: tuple[Check[OrderCase], ...] = (orders.order_state_mismatch,)
ON_REFERENCES: tuple[Check[ReferenceCase], ...] = (references.reference_never_arrived,)
ON_PRODUCTS: tuple[Check[ProductCase], ...] = (
    products.usage_unit_missing,
    products.billing_metric_missing,
    products.revenue_account_missing,
)
#: Rules of which the subject is a row of a product and no linked fact.
ABOUT_PRODUCTS: frozenset[str] = frozenset(check.__name__ for check in ON_PRODUCTS)

RULE_NAMES: tuple[str, ...] = tuple(
    check.__name__
    for checks in (
        ON_INVOICES,
        ON_ENTITLEMENTS,
        ON_SUBSCRIPTIONS,
        ON_USAGE,
        ON_CONTRACTS,
        ON_ORDERS,
        ON_REFERENCES,
        ON_PRODUCTS,
    )
    for check in checks
)


def reconcile(material: Material, policy: Policy) -> tuple[Finding, ...]:
    """Everything that does not agree, ordered by rule and by the key of the fact it is about.

    The same material gives the same findings in the same order.
    """
    return reconcile_story(material, policy, *read_story(material, policy))


def reconcile_story(material: Material, policy: Policy, ledger: Ledger, agreements: Agreements) -> tuple[Finding, ...]:
    """The same of a story that was read before."""
    context = Context(material.as_of, policy)
    everything = chain(
        cases(ledger, agreements),
        reference_cases(material, ledger),
        product_cases(material, policy, ledger, agreements),
    )
    found = (finding for case in everything for finding in examine(case, context))
    return tuple(sorted(found, key=lambda finding: (finding.rule, finding.subject)))


def examine(case: Case, context: Context) -> Iterator[Finding]:
    """What the rules say about one case."""
    match case:
        case InvoiceCase():
            yield from _run(ON_INVOICES, case, context)
        case EntitlementCase():
            yield from _run(ON_ENTITLEMENTS, case, context)
        case SubscriptionCase():
            yield from _run(ON_SUBSCRIPTIONS, case, context)
        case UsageCase():
            yield from _run(ON_USAGE, case, context)
        case ContractCase():
            yield from _run(ON_CONTRACTS, case, context)
        case OrderCase():
            yield from _run(ON_ORDERS, case, context)
        case ReferenceCase():
            yield from _run(ON_REFERENCES, case, context)
        case ProductCase():
            yield from _run(ON_PRODUCTS, case, context)


def _run(checks: Iterable[Check[C]], case: C, context: Context) -> Iterator[Finding]:
    for check in checks:
        problem = check(case, context)
        if problem is not None:
            yield _finding(check.__name__, problem, case, context.policy)


def _finding(name: str, problem: Problem, case: Case, policy: Policy) -> Finding:
    rule = policy.rules[name]
    return Finding(
        rule=name,
        code=rule.code,
        severity=rule.severity,
        facts=problem.facts,
        customer=case.customer,
        contract=case.contract.entity_id if case.contract is not None else None,
        amount=problem.amount,
        currency=problem.currency,
        sentence=problem.sentence,
        action=rule.action,
        owner=rule.owner,
        correlations=problem.correlations,
        days_overdue=problem.days_overdue,
    )
