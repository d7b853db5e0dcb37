"""Contract against what came before and after it: a validated legal entity, and a subscription."""

from datetime import UTC, datetime, time

from mdm.lifecycle.cases import Context, ContractCase
from mdm.lifecycle.findings import Problem
from mdm.lifecycle.rules.wording import contract_name


def contract_without_subscription(case: ContractCase, context: Context) -> Problem | None:
    """The contract is active and has begun, but no subscription belongs to it.

    Whether it has one cannot be told of a contract whose customer nobody knows.
    """
    contract = case.contract
    if contract.subscriptions or not contract.records or contract.start is None or contract.customer is None:
        return None
    if not context.policy.says("contract_active", contract.status):
        return None
    if not context.overdue(datetime.combine(contract.start, time.min, UTC), "subscription"):
        return None
    return Problem(
        contract.records,
        f"Contract {contract_name(contract)} began on {contract.start}, but has no subscription.",
        contract.value,
        contract.currency,
    )


def account_used_before_validation(case: ContractCase, _context: Context) -> Problem | None:
    """The contract was activated before the legal entity of its account was validated, or it never was."""
    if not case.contract.activations:
        return None
    # The contract may have been typed twice; what counts is when it was activated first.
    first = min(case.contract.activations, key=lambda each: (each.activated_on, each.record))
    if first.validated and (first.validated_on is None or first.validated_on <= first.activated_on):
        return None
    state = f"only on {first.validated_on}" if first.validated else "not at all"
    return Problem(
        (first.record, first.account),
        f"Contract {contract_name(case.contract)} was activated on {first.activated_on}; its account was validated "
        f"{state}.",
    )
