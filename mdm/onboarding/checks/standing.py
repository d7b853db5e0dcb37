"""How the customer stands: in ERP, in its group, in the hub, and with those that only others can ask."""

from collections.abc import Iterator

from mdm.onboarding.checks.outcomes import failed, not_applicable, passed
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
    """The customer is none of those the hub has already, and no steward has to say whether it is."""
    sure = [each for each in subject.duplicates or () if each.certain]
    for each in sure:
        of_another = each is not sure[0]  # it is one customer, and the surest comes first
        said = f"This matches {each.entity_id} as well" if of_another else f"This is {each.entity_id} already"
        message = f"{said}: {each.weight:.1f} bits speak for it."
        yield failed("DUPLICATE_CERTAIN", "", message, {"entity_id": each.entity_id, "bits": f"{each.weight:.1f}"})
    doubtful = [each for each in subject.duplicates or () if not each.certain]
    for each in doubtful:
        message = f"This may be {each.entity_id}: {each.weight:.1f} bits speak for it."
        yield failed("DUPLICATE_POSSIBLE", "", message, {"entity_id": each.entity_id, "bits": f"{each.weight:.1f}"})
    if subject.open_questions:
        plural = "question is" if subject.open_questions == 1 else "questions are"
        message = f"{subject.open_questions} {plural} open about whether this customer is another one as well."
        yield failed("DUPLICATE_POSSIBLE", "", message, {"questions": str(subject.open_questions)})
    elif not doubtful:
        yield passed("DUPLICATE_POSSIBLE", "", "No question about the identity of this customer is open.")
    if subject.duplicates is None:
        yield not_applicable("DUPLICATE_CERTAIN", "", "A golden customer is not compared with itself.")
    elif not sure:
        yield passed("DUPLICATE_CERTAIN", "", "No other golden customer matches.")
