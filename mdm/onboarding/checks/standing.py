"""How the customer stands: in ERP, in its group, in the hub, and with those that only others can ask."""

from collections.abc import Iterator

from mdm.onboarding.checks.outcomes import failed, not_applicable, passed, unverifiable
from mdm.onboarding.ruleset import RuleSet
from mdm.onboarding.subject import ParentState, Subject
from mdm.onboarding.verdict import Observation


def blocked(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """ERP is the authority on its blocks."""
    if subject.values.get("blocked"):
        reason = subject.text("block_reason")
        message = f"ERP blocks the partner: {reason}." if reason else "ERP blocks the partner."
        yield failed("BLOCKED_BY_ERP", "/blocked", message)
    else:
        yield passed("BLOCKED_BY_ERP", "/blocked", "ERP does not block the partner.")


def validated(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Finance has validated the legal entity."""
    if subject.values.get("validated"):
        yield passed("NOT_VALIDATED", "/validated", "The legal entity is validated.")
    else:
        yield failed("NOT_VALIDATED", "/validated", "The legal entity is not validated.")


def parent(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """A parent that is named is known."""
    if subject.parent is ParentState.NONE:
        yield not_applicable("PARENT_MISSING", "/parent", "No parent is named.")
    elif subject.parent is ParentState.UNKNOWN:
        yield failed("PARENT_MISSING", "/parent", "The parent that is named is no customer the hub knows.")
    else:
        yield passed("PARENT_MISSING", "/parent", "The parent is known.")


def hierarchy(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Nobody is its own ancestor, and no two ancestors are each other's."""
    code, path = "HIERARCHY_CYCLE", "/parent"
    if not subject.ancestors:
        yield not_applicable(code, path, "The customer has no known parent.")
    elif subject.entity_id in subject.ancestors or len({*subject.ancestors}) < len(subject.ancestors):
        yield failed(code, path, "The parents of this customer form a circle.")
    else:
        yield passed(code, path, "The parents of this customer form no circle.")


def identity(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """No steward still has to say whether this customer is another one as well."""
    if subject.open_questions:
        plural = "question is" if subject.open_questions == 1 else "questions are"
        message = f"{subject.open_questions} {plural} open about whether this customer is another one as well."
        yield failed("DUPLICATE_POSSIBLE", "", message, {"questions": str(subject.open_questions)})
    else:
        yield passed("DUPLICATE_POSSIBLE", "", "No question about the identity of this customer is open.")


def sanctions(subject: Subject, _rules: RuleSet) -> Iterator[Observation]:
    """Whether the customer is on a sanctions list, only the lists can tell."""
    code, path = "SANCTIONS_SCREENING", "/name"
    if subject.text("name"):
        yield unverifiable(code, path, "No sanctions list is connected; the name was not screened.")
    else:
        yield not_applicable(code, path, "There is no name to screen.")
