"""Numbers typed by their scheme, with the state of their check digits."""

import pytest

from mdm.intake.standardise.identifiers import Identifier, gtin_form, implied_registration, parse_identifier
from tests.unit.mdm.intake.standardise.given import standardised


@pytest.mark.parametrize(
    ("hint", "written", "country", "expected"),
    [
        # VAT numbers of the union: with and without prefix, in any writing. Valid ones from the tax offices' examples.
        ("vat", "DE 136,695 976", None, Identifier("vat", "DE", "DE136695976", "valid")),
        ("vat", "136695976", "DE", Identifier("vat", "DE", "DE136695976", "valid")),
        ("vat", "de136695978", "DE", Identifier("vat", "DE", "DE136695978", "invalid")),
        ("vat", "FR40303265045", None, Identifier("vat", "FR", "FR40303265045", "valid")),
        ("vat", "NL4495445B01", "NL", Identifier("vat", "NL", "NL4495445B01", "valid")),
        ("vat", "GB 980 7806 84", None, Identifier("vat", "GB", "GB980780684", "valid")),
        # The prefix outranks the country of the row: a group's number on a subsidiary.
        ("vat", "DE136695976", "FR", Identifier("vat", "DE", "DE136695976", "valid")),
        # Tax numbers elsewhere, in whatever field.
        ("vat", "53-0196605", "US", Identifier("tax", "US", "530196605", "valid")),
        ("vat", "10226428", "US", Identifier("tax", "US", "010226428", "valid")),
        ("tax:US", "07-1144442", None, Identifier("tax", "US", "071144442", "invalid")),
        ("tax", "27AAPFU0939F1ZV", "IN", Identifier("tax", "IN", "27AAPFU0939F1ZV", "valid")),
        ("registration", "5835678256246", "JP", Identifier("tax", "JP", "5835678256246", "valid")),
        ("registration", "91110000600037341L", "CN", Identifier("tax", "CN", "91110000600037341L", "valid")),
        # Registration numbers.
        ("registration", "552 008 443", "FR", Identifier("registration", "FR", "552008443", "valid")),
        ("registration", "73282932000074", "FR", Identifier("registration", "FR", "732829320", "valid")),
        ("registration", "7196912", "GB", Identifier("registration", "GB", "07196912", "unverifiable")),
        ("registration", "HRB 178441", "DE", Identifier("registration", "DE", "HRB178441", "unverifiable")),
        ("registration", "HRB 178441 B", "DE", Identifier("registration", "DE", "HRB178441B", "unverifiable")),
        # The number is unique within one court only: with a court it is not the number that others tell without.
        ("registration", "HRB 178441 Berlin", "DE", Identifier("registration", "DE", "HRB178441BERLIN", "invalid")),
        ("registration", "HRB 178441 / 5", "DE", Identifier("registration", "DE", "HRB1784415", "invalid")),
        ("registration", "123", "GB", Identifier("registration", "GB", "123", "invalid")),
        # Schemes of the whole world.
        ("lei", "2138 00KUD8LAJWSQ9D15", None, Identifier("lei", None, "213800KUD8LAJWSQ9D15", "valid")),
        ("lei", "213800KUD8LXJWSQ9D15", None, Identifier("lei", None, "213800KUD8LXJWSQ9D15", "invalid")),
        ("registration", "213800KUD8LAJWSQ9D15", "GB", Identifier("lei", None, "213800KUD8LAJWSQ9D15", "valid")),
        ("duns", "15-048-3782", None, Identifier("duns", None, "150483782", "unverifiable")),
        ("duns", "60902413", None, Identifier("duns", None, "060902413", "unverifiable")),
        ("duns", "15048378A", None, Identifier("duns", None, "15048378A", "invalid")),
    ],
)
def test_a_number_is_typed_by_what_it_is(hint: str, written: str, country: str, expected: Identifier) -> None:
    assert parse_identifier(hint, written, country) == expected


@pytest.mark.parametrize("junk", ["000000000", "123456789", "N/A", "unknown", "-", "999999999", ""])
def test_junk_is_no_identifier(junk: str) -> None:
    assert parse_identifier("duns", junk, None) is None


def test_a_vat_number_that_contains_the_registration_number_states_both() -> None:
    comparison = standardised("identifiers", "FR40303265045", options={"type": "vat"}).comparison

    assert comparison == {"identifiers": ["registration:fr:303265045", "vat:fr:fr40303265045"]}


def test_a_mistyped_number_is_weak_evidence_and_implies_nothing() -> None:
    result = standardised("identifiers", "DE136695978", options={"type": "vat"})

    assert result.comparison == {"weak_identifiers": ["vat:de:de136695978"]}
    assert result.value[0]["state"] == "invalid"
    assert implied_registration(Identifier("vat", "FR", "FR40303265046", "invalid")) is None


def test_a_number_of_an_unknown_country_is_kept_but_is_no_evidence() -> None:
    result = standardised("identifiers", "46986529", options={"type": "tax"})

    assert result.value[0]["country"] is None
    assert result.comparison == {}


def test_the_type_may_come_from_another_column() -> None:
    result = standardised("identifiers", codes={"us_ein": "tax:US"}, value="53-0196605", type="us_ein")

    assert result.comparison == {"identifiers": ["tax:us:530196605"]}


def test_the_value_keeps_the_writing_of_the_source() -> None:
    value = standardised("identifiers", " DE 136 695 976 ", options={"type": "vat"}).value[0]

    assert value == {
        "type": "vat",
        "country": "DE",
        "value": "DE 136 695 976",
        "normal": "DE136695976",
        "state": "valid",
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("73513537", ("00000073513537", "valid")),
        ("036000291452", ("00036000291452", "valid")),
        ("0036000291452", ("00036000291452", "valid")),
        ("4006381333931", ("04006381333931", "valid")),
        ("4006381333932", ("04006381333932", "invalid")),
        ("40063813", ("00000040063813", "invalid")),
        ("QRS17", ("qrs17", "invalid")),
        ("0000000000000", None),
    ],
)
def test_one_trade_item_has_one_number_whatever_its_length(written: str, expected: tuple[str, str] | None) -> None:
    assert gtin_form(written) == expected
