"""The checks, one by one."""

import pytest

from mdm.intake.candidate import candidate_record
from mdm.model.ids import Domain, EntityId
from mdm.onboarding.checks.accounts import approvals
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.subject import ParentState
from mdm.onboarding.verdict import Decision, Outcome
from tests.unit.mdm.onboarding.subjects import CUSTOMER, VAT, address, codes, identifier, subject_of, values, verdict_on

OTHER = EntityId("cus_2")


def test_without_name_nothing_can_be_created() -> None:
    assert codes(verdict_on(name=None)) == ["NAME_MISSING"]
    assert verdict_on(name="  ").decision is Decision.BLOCKED


def test_a_name_is_broken_between_words_into_four_lines() -> None:
    assert codes(verdict_on(name=" ".join(["abcdefghi"] * 16))) == []
    assert codes(verdict_on(name=" ".join(["abcdefghi"] * 17))) == ["NAME_TOO_LONG"]
    assert codes(verdict_on(name="x" * 41)) == ["NAME_TOO_LONG"]


def test_characters_that_cannot_be_printed_are_named() -> None:
    verdict = verdict_on(name="Muster\u0007 GmbH 🚀")

    finding = next(each for each in verdict.findings if each.code == "ERP_CHARSET")

    assert finding.observation.message.endswith("U+0007, U+1F680.")
    assert codes(verdict_on(name="株式会社トヨタ")) == []


@pytest.mark.parametrize(
    ("form", "country", "expected"),
    [("GmbH", "DE", []), ("GmbH", "FR", ["LEGAL_FORM_COUNTRY_MISMATCH"]), ("Ltd.", "FR", [])],
)
def test_a_legal_form_belongs_to_its_countries(form: str, country: str, expected: list[str]) -> None:
    vat = [identifier("vat", country, "1")]
    verdict = verdict_on(legal_form=form, country=country, address=address(country=country), identifiers=vat)
    assert codes(verdict) == expected


def test_seat_and_address_are_in_one_country() -> None:
    verdict = verdict_on(address=address(country="AT", postal_code="1010"))
    assert codes(verdict) == ["COUNTRY_CONFLICT"]


@pytest.mark.parametrize("part", ["street", "postal_code", "city"])
def test_a_missing_part_of_the_address_blocks(part: str) -> None:
    verdict = verdict_on(address=address(**{part: None}))

    assert codes(verdict) == ["ADDRESS_INCOMPLETE"]
    assert verdict.decision is Decision.BLOCKED
    failed = next(each for each in verdict.findings if each.outcome is Outcome.FAIL)
    assert failed.observation.path == f"/address/{part}"


@pytest.mark.parametrize(
    ("country", "postcode", "region", "expected"),
    [
        ("US", "97270-1234", "OR", []),
        ("US", "97270", "Oregon", []),
        ("US", "97270", "XX", ["REGION_UNKNOWN"]),
        ("MX", "06600", "Mexico City", []),
        ("US", "97270", None, ["ADDRESS_INCOMPLETE"]),
        ("US", "9727", "OR", ["POSTCODE_FORMAT"]),
        ("IN", "122001", "Haryana", []),
        ("JP", "150-0001", "東京都", []),
        ("GB", "sw1a 1aa", None, []),
        ("GB", "12345", None, ["POSTCODE_FORMAT"]),
        ("NL", "9780 NP", None, []),
        ("PL", "00-950", None, []),
        ("NO", "0150", None, []),
        ("HK", None, None, []),
    ],
)
def test_postcode_and_region_follow_the_country(
    country: str, postcode: str | None, region: str | None, expected: list[str]
) -> None:
    verdict = verdict_on(
        country=country,
        legal_form=None,
        address=address(country=country, postal_code=postcode, region=region),
        identifiers=[identifier("tax", country, "1")],
    )
    assert [code for code in codes(verdict) if code != "LEGAL_FORM_MISSING"] == expected


def test_what_a_country_needs_may_be_unknown() -> None:
    verdict = verdict_on(address=address(country="XK"))
    assert "ADDRESS_INCOMPLETE" in codes(verdict, Outcome.UNVERIFIABLE)


def test_a_tax_number_is_asked_for_where_businesses_have_one() -> None:
    assert codes(verdict_on(identifiers=[])) == ["TAX_ID_MISSING"]
    us = address(country="US", postal_code="97270", region="OR")
    assert codes(verdict_on(identifiers=[], country="US", legal_form="Inc.", address=us)) == []


def test_wrong_check_digits_block_unless_the_right_number_stands_beside() -> None:
    wrong = identifier("vat", "DE", "DE136695977", "invalid")

    alone, beside = verdict_on(identifiers=[wrong]), verdict_on(identifiers=[identifier(*VAT), wrong])

    assert (codes(alone), alone.decision) == (["TAX_ID_CHECKSUM"], Decision.BLOCKED)
    assert (codes(beside), beside.decision) == (["IDENTIFIER_INVALID"], Decision.READY_WITH_WARNINGS)
    found = next(each for each in alone.findings if each.code == "TAX_ID_CHECKSUM")
    assert found.observation.message == "The check digits are wrong for the VAT number of DE."


def test_a_number_without_check_digits_is_neither_right_nor_wrong() -> None:
    verdict = verdict_on(identifiers=[identifier("tax", "DE", "9181081508155", "unverifiable")])
    assert "TAX_ID_CHECKSUM" in codes(verdict, Outcome.UNVERIFIABLE)


def test_the_tax_number_of_the_head_of_the_group_needs_a_look() -> None:
    assert codes(verdict_on(identifiers=[identifier("vat", "FR", "FR1")])) == ["TAX_ID_COUNTRY_MISMATCH"]


def test_a_tax_number_that_another_customer_has_needs_a_look() -> None:
    verdict = verdict_on(sharing={VAT: [OTHER]})

    assert codes(verdict) == ["TAX_ID_DUPLICATE"]
    assert verdict.decision is Decision.NEEDS_REVIEW
    assert "cus_2" in next(each for each in verdict.findings if each.code == "TAX_ID_DUPLICATE").observation.message


def test_two_right_numbers_of_one_kind_contradict_each_other() -> None:
    verdict = verdict_on(identifiers=[identifier(*VAT), identifier("vat", "DE", "DE129273398")])
    assert codes(verdict) == ["IDENTIFIER_AMBIGUOUS"]
    found = next(each for each in verdict.findings if each.code == "IDENTIFIER_AMBIGUOUS")
    assert found.observation.message == "2 different VAT numbers of DE are known."


@pytest.mark.parametrize(
    ("pending", "said"),
    [(1, "1 change of the record waits for approval."), (2, "2 changes of the record wait for approval.")],
)
def test_changes_that_wait_are_counted_in_words(pending: int, said: str) -> None:
    assert [each.message for each in approvals(subject_of(values(), pending=pending), shipped_ruleset())] == [said]


def test_vies_is_only_missed_for_numbers_that_it_knows() -> None:
    british = identifier("vat", "GB", "GB123456789")
    northern_irish = identifier("vat", "GB", "XI123456789")
    gb = {"country": "GB", "legal_form": None, "address": address(country="GB", postal_code="BT1 1AA")}

    assert "VAT_UNVERIFIABLE" not in codes(verdict_on(**gb, identifiers=[british]), Outcome.UNVERIFIABLE)
    assert "VAT_UNVERIFIABLE" in codes(verdict_on(**gb, identifiers=[northern_irish]), Outcome.UNVERIFIABLE)


def test_lei_and_duns() -> None:
    good = [identifier("lei", None, "724500ZD1XX1AI9GGX77"), identifier("duns", None, "279086408", "unverifiable")]
    bad = [identifier("lei", None, "724500ZD1XX1AI9GGX78", "invalid"), identifier("duns", None, "27908640", "invalid")]

    assert "LEI_UNVERIFIABLE" in codes(verdict_on(identifiers=[identifier(*VAT), *good]), Outcome.UNVERIFIABLE)
    assert codes(verdict_on(identifiers=[identifier(*VAT), *bad])) == ["LEI_FORMAT", "DUNS_FORMAT"]


def test_values_that_erp_would_cut_off_are_told_with_their_field() -> None:
    verdict = verdict_on(
        address=address(city="x" * 41), identifiers=[identifier(*VAT), identifier("registration", "DE", "1" * 61)]
    )

    found = [each.observation for each in verdict.findings if each.code == "ERP_FIELD_TOO_LONG"]

    assert [(each.path, each.params["field"]) for each in found] == [
        ("/address/city", "CityName"),
        ("/identifiers/1/normal", "BPIdentificationNumber"),
    ]


def test_a_value_is_too_long_for_the_verdict_where_it_is_for_the_projection() -> None:
    """Lengths of fields that only the projection states count too: an industry, the second line of an address."""
    long = {"industry": "x" * 11, "address": address(line2="x" * 41, region="Noord-Holland")}
    verdict = verdict_on(**long)
    found = [each.observation for each in verdict.findings if each.code == "ERP_FIELD_TOO_LONG"]

    assert [(each.path, each.params["field"]) for each in found] == [
        ("/industry", "Industry"),
        ("/address/line2", "AdditionalStreetSuffixName"),
    ]


@pytest.mark.parametrize(
    "number",
    ["DE000000000", "GB000000000", "ATU00000000", "DEXXXXXXXXX", "NL123456789B01", "FR00000000000", "999-99-9999"],
)
def test_a_placeholder_is_no_number_that_is_known(number: str) -> None:
    read = candidate_record(Domain.CUSTOMER, {"identifiers": [{"type": "vat", "value": number}], "country": "DE"})

    verdict = verdict_on(identifiers=read.attributes.get("identifiers", []))

    assert "TAX_ID_MISSING" in codes(verdict)


def test_phones_and_mail_addresses_must_work() -> None:
    verdict = verdict_on(
        phones=[{"value": "1", "e164": None, "valid": False}],
        emails=[{"value": "nobody@nowhere", "domain": None, "shared": False}],
    )
    assert codes(verdict) == ["PHONE_INVALID", "EMAIL_INVALID"]


@pytest.mark.parametrize(
    ("parent", "ancestors", "expected"),
    [
        (ParentState.KNOWN, (OTHER,), []),
        (ParentState.UNKNOWN, (), ["PARENT_MISSING"]),
        (ParentState.KNOWN, (OTHER, CUSTOMER), ["HIERARCHY_CYCLE"]),
        (ParentState.KNOWN, (OTHER, EntityId("cus_3"), OTHER), ["HIERARCHY_CYCLE"]),
    ],
)
def test_the_hierarchy_is_known_and_no_circle(
    parent: ParentState, ancestors: tuple[EntityId, ...], expected: list[str]
) -> None:
    assert codes(verdict_on(parent=parent, ancestors=ancestors)) == expected


def test_a_block_of_erp_is_told_with_its_reason() -> None:
    verdict = verdict_on(blocked=True, block_reason="Insolvency")

    assert verdict.decision is Decision.BLOCKED
    assert [each.observation.message for each in verdict.findings if each.code == "BLOCKED_BY_ERP"] == [
        "ERP blocks the partner: Insolvency."
    ]


def test_open_questions_about_identity_come_first() -> None:
    assert codes(verdict_on(open_questions=2)) == ["DUPLICATE_POSSIBLE"]
