"""What a version must pass before an ERP is served it."""

import pytest

from mdm.core.gates import Gate, of_changes, reasons
from mdm.hub.gates import shipped_gates
from mdm.model.ids import Domain
from mdm.onboarding.assess import assess
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.verdict import Decision, Verdict
from mdm.projection.project import Projected
from tests.unit.mdm.onboarding.subjects import NOON, subject_of, values

FITS = Projected({}, (), ())


def judged(provider: Provider, answer: Answer) -> Verdict:
    said = Attestation(provider, "muster maschinenbau gmbh", answer, NOON, facts={"listed_name": "Muster", "list": "T"})
    return assess(subject_of(values(), (said,)), shipped_ruleset().aimed_at("sap"))


def test_of_what_needs_a_review_only_the_named_findings_hold_a_version_back() -> None:
    gate = shipped_gates().of[Domain.CUSTOMER]
    doubtful, unasked = (judged(Provider.SANCTIONS, each) for each in (Answer.DOUBTFUL, Answer.UNAVAILABLE))

    assert doubtful.decision is Decision.NEEDS_REVIEW
    assert [each.code for each in reasons(gate, FITS, doubtful)] == ["SANCTIONS_REVIEW"]
    assert reasons(gate, FITS, unasked) == (), "unavailable is not invalid"


@pytest.mark.parametrize(("answer", "expected"), [(Answer.REFUTED, ["SANCTIONS_HIT"]), (Answer.CONFIRMED, [])])
def test_a_finding_that_blocks_is_told_once(answer: Answer, expected: list[str]) -> None:
    gate = Gate(True, frozenset({Decision.READY_WITH_WARNINGS}), frozenset({"SANCTIONS_HIT"}))
    verdict = judged(Provider.SANCTIONS, answer)
    assert verdict.decision is (Decision.BLOCKED if expected else Decision.READY_WITH_WARNINGS)
    assert [each.code for each in reasons(gate, FITS, verdict)] == expected


def test_reasons_of_a_change_name_the_attributes_and_whether_somebody_turned_it_down() -> None:
    open_, rejected = (of_changes(["blocked", "payment_terms"], rejected=each) for each in (False, True))
    assert [(each.code, each.attribute) for each in open_] == [
        ("SENSITIVE_CHANGE", "blocked"),
        ("SENSITIVE_CHANGE", "payment_terms"),
    ]
    assert {each.code for each in rejected} == {"SENSITIVE_CHANGE_REJECTED"}
