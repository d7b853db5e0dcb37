"""Decision, form and repeatability of verdicts."""

import json

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.hub.projections import shipped_targets
from mdm.onboarding.assess import CHECKS, assess
from mdm.onboarding.checks.outcomes import masked
from mdm.onboarding.ruleset import read_ruleset, shipped_ruleset
from mdm.onboarding.verdict import Decision, Outcome, canonical_bytes, document
from tests.unit.mdm.onboarding.subjects import codes, identifier, subject_of, values, verdict_on


def test_a_customer_that_lacks_nothing_waits_only_for_those_who_cannot_be_asked() -> None:
    verdict = verdict_on()

    assert codes(verdict) == []
    assert codes(verdict, Outcome.UNVERIFIABLE) == ["VAT_UNVERIFIABLE", "SANCTIONS_UNSCREENED"]
    assert verdict.decision is Decision.READY_WITH_WARNINGS
    assert (verdict.completeness, verdict.validity) == ("1.00", "1.00")


#: A country that the rule set does not know.
_ELSEWHERE = {"country": "XK", "address": {"street": "Rr. A", "city": "Prishtina", "country": "XK"}}


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ({"blocked": True}, Decision.BLOCKED),
        ({"validated": False}, Decision.NEEDS_REVIEW),
        ({"blocked": True, "validated": False}, Decision.BLOCKED),
        ({"legal_form": None}, Decision.READY_WITH_WARNINGS),
        (_ELSEWHERE, Decision.NEEDS_REVIEW),
        (
            _ELSEWHERE | {"legal_form": None, "identifiers": [identifier("tax", "XK", "810123456", "unverifiable")]},
            Decision.UNVERIFIABLE,
        ),
    ],
)
def test_the_worst_finding_decides(changed: dict[str, object], decision: Decision) -> None:
    assert verdict_on(**changed).decision is decision


def test_the_same_input_gives_the_same_bytes() -> None:
    assert canonical_bytes(verdict_on()) == canonical_bytes(verdict_on())


def test_every_finding_names_rule_evidence_and_path() -> None:
    for finding in document(verdict_on(name="x" * 50, phones=[{"value": "1", "valid": False}]))["findings"]:
        assert finding["rule"]["id"]
        assert finding["rule"]["version"]
        assert finding["evidence"][0]["kind"] in ("algorithm", "external")
        assert finding["path"] == "" or finding["path"].startswith("/")
        assert ("fix" in finding) == (finding["outcome"] in ("fail", "unverifiable"))


def test_the_document_says_who_was_judged_by_what() -> None:
    written = json.loads(canonical_bytes(verdict_on()))

    assert written["subject"] == {"type": "customer", "id": "cus_1", "version": 7}
    assert written["target"] == {"erp": "sap", "release": "2508", "company_code": None, "country": "DE"}
    assert written["ruleset"]["name"] == "erp-onboarding"
    assert written["ruleset"]["hash"] == f"sha256:{shipped_ruleset().digest}"


def test_every_check_speaks_even_when_nothing_is_wrong_or_known() -> None:
    assert len({finding.rule_id for finding in verdict_on().findings}) >= len(CHECKS) - 1
    assert verdict_on(name=None, address=None, identifiers=None, phones=None, emails=None, country=None).findings


def test_every_declared_code_is_unique_in_its_rule() -> None:
    rules = shipped_ruleset().rules
    assert len({rule.rule_id for rule in rules.values()}) == len(rules)


def test_numbers_leave_masked() -> None:
    verdict = verdict_on(identifiers=[identifier("vat", "DE", "DE123456789", "invalid")])

    assert b"DE123456789" not in canonical_bytes(verdict)
    assert masked("DE123456789") == "DE12*****89"
    assert masked("12345") == "1***45"
    assert masked("123") == "***"


def test_an_erp_is_called_as_its_projection_calls_it() -> None:
    called = {name: target.title for name, target in shipped_ruleset().targets.items()}

    assert called == {name: target.title for name, target in shipped_targets().items()}
    verdict = assess(subject_of(values(), in_erp=False), shipped_ruleset())
    asked = next(each for each in verdict.findings if each.code == "RECON_ACCOUNT_MISSING")
    assert asked.observation.message == "No reconciliation account is stated; SAP S/4HANA needs one."


def test_rules_that_lack_a_part_are_refused_with_its_name() -> None:
    with pytest.raises(ConfigurationInvalid, match="targets"):
        read_ruleset("version: '1'", "{}", "{}")
    with pytest.raises(ConfigurationInvalid):
        read_ruleset("nothing", "{}", "{}")
