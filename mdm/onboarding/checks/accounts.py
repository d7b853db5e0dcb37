"""The account structure in ERP: terms, tax class, accounts, confirmations - what finance decides."""

from collections.abc import Iterator

from mdm.onboarding.checkpoint import CheckpointName
from mdm.onboarding.checks.outcomes import failed, not_applicable, passed
from mdm.onboarding.ruleset import RuleSet, Target
from mdm.onboarding.subject import Subject
from mdm.onboarding.verdict import Observation


def payment_terms(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """The terms of payment are ones that the target ERP has."""
    code, path = "PAYMENT_TERMS_UNMAPPED", "/payment_terms"
    terms = subject.account.payment_terms or subject.text("payment_terms")
    known = rules.target.payment_terms
    if terms is None:
        yield not_applicable(code, path, "No terms of payment are stated; ERP's default applies.")
    elif not known or any(pattern.fullmatch(terms) for pattern in known):
        yield passed(code, path, "The terms of payment exist in ERP.")
    else:
        yield failed(code, path, f"The target ERP has no terms of payment {terms}.", {"payment_terms": terms})


def tax_class(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """ERP determines taxes by a classification."""
    stated = subject.account.tax_classification or subject.text("tax_classification")
    yield from _needed(rules.target, "tax_classification", "TAX_CLASS_MISSING", "tax classification", stated)


def reconciliation_account(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """Receivables are posted to a reconciliation account."""
    stated = subject.account.reconciliation_account
    what = "reconciliation account"
    if stated is None and subject.in_erp:
        yield passed(
            "RECON_ACCOUNT_MISSING", "/account/reconciliation_account", "ERP holds the partner with its accounts."
        )
        return
    yield from _needed(rules.target, "reconciliation_account", "RECON_ACCOUNT_MISSING", what, stated)


def subsidiary(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """A customer belongs to one of our own companies."""
    stated = subject.account.subsidiary or subject.account.company_code
    if stated is None and subject.in_erp:
        yield passed("SUBSIDIARY_MISSING", "/account/company_code", "ERP holds the partner in a company.")
        return
    yield from _needed(rules.target, "company_code", "SUBSIDIARY_MISSING", "company code or subsidiary", stated)


def _needed(target: Target, name: str, code: str, what: str, stated: str | None) -> Iterator[Observation]:
    path = f"/account/{name}"
    if stated:
        yield passed(code, path, f"A {what} is stated.")
    elif name in target.needs:
        yield failed(code, path, f"No {what} is stated; {target.title} needs one.", {"erp": target.erp})
    else:
        yield not_applicable(code, path, f"{target.title} asks for no {what} at this point.")


def checkpoints(subject: Subject, rules: RuleSet) -> Iterator[Observation]:
    """What finance must have confirmed is confirmed, and the confirmation still holds."""
    for name in CheckpointName:
        path, given = f"/checkpoints/{name}", subject.checkpoints.get(name)
        what = name.value.replace("_", " ")
        if given is not None and (given.expires_at is None or given.expires_at > subject.as_of):
            yield passed("CHECKPOINT_MISSING", path, f"Confirmed: {what}.")
        elif given is not None:
            message = f"The confirmation has expired: {what}."
            yield failed("CHECKPOINT_EXPIRED", path, message, {"checkpoint": name.value})
        elif _implied(subject, name):
            yield passed("CHECKPOINT_MISSING", path, f"The platforms say so: {what}.")
        elif name in rules.target.checkpoints:
            yield failed("CHECKPOINT_MISSING", path, f"Not confirmed yet: {what}.", {"checkpoint": name.value})
        else:
            yield not_applicable("CHECKPOINT_MISSING", path, f"Not asked for: {what}.")


def _implied(subject: Subject, name: CheckpointName) -> bool:
    """A platform that is the authority has said it already."""
    if name is CheckpointName.LEGAL_ENTITY_VALIDATED:
        return bool(subject.values.get("validated"))
    return name is CheckpointName.ACCOUNT_STRUCTURE_APPROVED and subject.in_erp


def approvals(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Nobody has sent it back, and no change of the record waits for a second person."""
    if subject.returned is not None:
        given = subject.returned
        message = f"{given.actor} returned it to the requester on {given.at:%Y-%m-%d}: {given.reason}"
        yield failed("RETURNED_TO_REQUESTER", "", message, {"actor": given.actor, "reason": given.reason})
    if subject.pending:
        changes = (
            "1 change of the record waits" if subject.pending == 1 else f"{subject.pending} changes of the record wait"
        )
        message = f"{changes} for approval."
        yield failed("APPROVAL_PENDING", "", message, {"pending": str(subject.pending)})
    else:
        yield passed("APPROVAL_PENDING", "", "No change of the record waits for approval.")
