"""What registries say, how old it is, and what the account structure lacks."""

from datetime import timedelta
from typing import Any

import pytest

from mdm.model.ids import EntityId
from mdm.onboarding.assess import assess
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checkpoint import Checkpoint, CheckpointName, Waiver
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.subject import Account, Duplicate
from mdm.onboarding.verdict import Decision, Outcome, Verdict
from tests.unit.mdm.onboarding.subjects import NOON, VAT, codes, identifier, subject_of, values

DAY = timedelta(days=1)
NUMBER, NAME = VAT[2], "muster maschinenbau gmbh"
LEI = "5493001KJTIIGC8Y1R12"


def said(provider: Provider, key: str, answer: Answer, days: int = 1, **facts: str) -> Attestation:
    return Attestation(provider, key, answer, NOON - days * DAY, facts=facts)


def vies(answer: Answer, days: int = 1, **facts: str) -> Attestation:
    return said(Provider.VIES, NUMBER, answer, days, **facts)


def gleif(answer: Answer, **facts: str) -> Attestation:
    return said(Provider.GLEIF, LEI, answer, **facts)


def judged(*attestations: Attestation, with_lei: bool = False, target: str = "sap", **known: Any) -> Verdict:
    numbers = [identifier(*VAT)] + ([identifier("lei", None, LEI)] if with_lei else [])
    changed = values(identifiers=numbers, **known.pop("changed", {}))
    return assess(subject_of(changed, attestations, **known), shipped_ruleset().aimed_at(target))


def test_a_registered_number_under_the_same_name_passes() -> None:
    verdict = judged(vies(Answer.CONFIRMED, name="MUSTER MASCHINENBAU GMBH"))
    assert {"VAT_NOT_REGISTERED", "VAT_NAME_MISMATCH"} <= set(codes(verdict, Outcome.PASS))


def test_a_number_that_is_not_registered_blocks() -> None:
    verdict = judged(vies(Answer.REFUTED))
    assert codes(verdict) == ["VAT_NOT_REGISTERED"]
    assert verdict.decision is Decision.BLOCKED


def test_a_number_of_the_head_of_the_group_is_told_by_its_name() -> None:
    assert codes(judged(vies(Answer.CONFIRMED, name="Ganz Andere Holding SE"))) == ["VAT_NAME_MISMATCH"]


def test_an_outage_is_not_a_no() -> None:
    verdict = judged(vies(Answer.UNAVAILABLE))
    assert codes(verdict) == []
    assert "VAT_UNVERIFIABLE" in codes(verdict, Outcome.UNVERIFIABLE)


def test_an_old_answer_is_no_answer() -> None:
    verdict = judged(vies(Answer.CONFIRMED, days=90))
    assert codes(verdict) == ["EVIDENCE_STALE"]
    assert "VAT_UNVERIFIABLE" in codes(verdict, Outcome.UNVERIFIABLE)
    assert codes(judged(vies(Answer.CONFIRMED, days=89))) == []


@pytest.mark.parametrize(
    ("answer", "facts", "expected"),
    [
        (Answer.CONFIRMED, {"status": "ISSUED", "name": "Muster Maschinenbau GmbH"}, []),
        (Answer.REFUTED, {"status": "LAPSED", "name": "Muster Maschinenbau GmbH"}, ["LEI_LAPSED"]),
        (Answer.CONFIRMED, {"status": "ISSUED", "name": "Something Else Ltd"}, ["LEI_NAME_MISMATCH"]),
    ],
)
def test_an_lei_is_in_force_and_bears_the_name(answer: Answer, facts: dict[str, str], expected: list[str]) -> None:
    assert codes(judged(gleif(answer, **facts), with_lei=True)) == expected


def test_a_parent_that_gleif_reports_must_be_one_here() -> None:
    reported = gleif(Answer.CONFIRMED, status="ISSUED", direct_parent="A" * 20)
    assert codes(judged(reported, with_lei=True, ancestor_leis=("A" * 20,))) == []
    assert codes(judged(reported, with_lei=True, ancestor_leis=("B" * 20,))) == ["PARENT_CONFLICT"]
    assert "PARENT_CONFLICT" in codes(judged(reported, with_lei=True), Outcome.UNVERIFIABLE)


@pytest.mark.parametrize(
    ("answer", "code", "decision"),
    [
        (Answer.REFUTED, "SANCTIONS_HIT", Decision.BLOCKED),
        (Answer.DOUBTFUL, "SANCTIONS_REVIEW", Decision.NEEDS_REVIEW),
    ],
)
def test_a_name_on_a_list_stops_everything(answer: Answer, code: str, decision: Decision) -> None:
    verdict = judged(said(Provider.SANCTIONS, NAME, answer, listed_name="Muster", list="TEST"))
    assert codes(verdict) == [code]
    assert verdict.decision is decision


def test_a_list_that_was_not_renewed_for_a_week_is_stale() -> None:
    assert codes(judged(said(Provider.SANCTIONS, NAME, Answer.CONFIRMED, days=7))) == ["SANCTIONS_STALE"]


def test_who_exists_already_is_not_created_again() -> None:
    known = (Duplicate(EntityId("cus_9"), 21.5, True),)
    verdict = judged(duplicates=known)
    assert codes(verdict) == ["DUPLICATE_CERTAIN"]
    assert verdict.decision is Decision.BLOCKED
    assert codes(judged(duplicates=(Duplicate(EntityId("cus_9"), 3.0, False),))) == ["DUPLICATE_POSSIBLE"]


def test_of_several_whom_it_matches_it_is_said_to_be_one() -> None:
    known = (Duplicate(EntityId("cus_9"), 21.5, True), Duplicate(EntityId("cus_8"), 3.75, True))

    said = [each.observation.message for each in judged(duplicates=known).findings if each.code == "DUPLICATE_CERTAIN"]

    assert said == [
        "This is cus_9 already: 21.5 bits speak for it.",
        "This matches cus_8 as well: 3.8 bits speak for it.",
    ]


def test_a_target_asks_for_its_own_account_structure() -> None:
    bare = judged(in_erp=False)
    assert {"SUBSIDIARY_MISSING", "RECON_ACCOUNT_MISSING", "CHECKPOINT_MISSING"} == set(codes(bare))
    assert codes(judged(in_erp=False, target="odoo")) == []
    account = Account(company_code="1010", reconciliation_account="140000", payment_terms="Z030 days")
    assert set(codes(judged(in_erp=False, account=account))) == {"PAYMENT_TERMS_UNMAPPED", "CHECKPOINT_MISSING"}


def test_a_confirmation_holds_until_its_end() -> None:
    name = CheckpointName.ACCOUNT_STRUCTURE_APPROVED
    account = Account(company_code="1010", reconciliation_account="140000")

    def after(expires: timedelta | None) -> list[str]:
        given = Checkpoint(name, "ines", NOON - DAY, "approved", None if expires is None else NOON + expires)
        return codes(judged(in_erp=False, account=account, checkpoints={name: given}))

    assert after(None) == after(DAY) == []
    assert after(timedelta(0)) == ["CHECKPOINT_EXPIRED"]


def test_a_waiver_excuses_one_finding_and_shows() -> None:
    answers = (vies(Answer.CONFIRMED, name="Other SE"),)
    waiver = Waiver("VAT_NAME_MISMATCH", "/identifiers/0", "ines", "group", NOON + DAY)
    verdict = judged(*answers, waivers=(waiver,))
    assert codes(verdict, Outcome.WAIVED) == ["VAT_NAME_MISMATCH"]
    assert verdict.decision is Decision.READY_WITH_WARNINGS
    elsewhere = Waiver("VAT_NAME_MISMATCH", "/identifiers/3", "ines", "group", NOON + DAY)
    assert codes(judged(*answers, waivers=(elsewhere,))) == ["VAT_NAME_MISMATCH"]


def test_an_error_that_nobody_may_waive_stays() -> None:
    waiver = Waiver("BLOCKED_BY_ERP", "", "ines", "please", NOON + DAY)
    assert codes(judged(waivers=(waiver,), changed={"blocked": True})) == ["BLOCKED_BY_ERP"]


def test_the_verdict_holds_until_the_first_thing_it_rests_on_expires() -> None:
    waiver = Waiver("VAT_NAME_MISMATCH", "", "ines", "group", NOON + 3 * DAY)
    assert judged(vies(Answer.CONFIRMED)).valid_until == NOON + 89 * DAY
    assert judged(vies(Answer.CONFIRMED, name="Other SE"), waivers=(waiver,)).valid_until == NOON + 3 * DAY
    assert judged().valid_until is None


def test_every_check_has_an_outcome() -> None:
    verdict = judged()
    assert [each.number for each in verdict.checks] == list(range(1, 19))
    assert verdict.checks[8].outcome is Outcome.NOT_APPLICABLE  # no bank account is stated
    assert verdict.checks[4].outcome is Outcome.UNVERIFIABLE  # VIES was not asked
