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
        ("vat", "NL4495445B01", "NL", Identifier("vat", "NL", "NL004495445B01", "valid")),
        ("vat", "BE 403.170.701", "BE", Identifier("vat", "BE", "BE0403170701", "valid")),
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
        (
            "registration",
            "HRB 178441 B, Amtsgericht Berlin (Charlottenburg)",
            "DE",
            Identifier("registration", "DE", "HRB178441BERLIN", "unverifiable", "berlin"),
        ),
        (
            "registration",
            "AG München, HRB-Nr. 078441",
            "DE",
            Identifier("registration", "DE", "HRB78441MUNICH", "unverifiable", "munich"),
        ),
        ("registration", "HRB Nr. 178441", "DE", Identifier("registration", "DE", "HRB178441", "unverifiable")),
        ("registration", "HRB 178441 / 5", "DE", Identifier("registration", "DE", "HRB1784415", "invalid")),
        ("registration", "123", "GB", Identifier("registration", "GB", "123", "invalid")),
        # The label, the register or the court is no part of the number.
        ("vat", "USt-IdNr.: DE 136 695 976", "DE", Identifier("vat", "DE", "DE136695976", "valid")),
        ("vat", "P. IVA IT00743110157", "IT", Identifier("vat", "IT", "IT00743110157", "valid")),
        ("vat", "C.I.F. B-58378431", "ES", Identifier("vat", "ES", "ESB58378431", "valid")),
        ("vat", "VAT Reg. No. GB 980 7806 84", "GB", Identifier("vat", "GB", "GB980780684", "valid")),
        ("tax", "NIP: 526-10-40-567", "PL", Identifier("vat", "PL", "PL5261040567", "valid")),
        ("registration", "KvK-nr. 33031431", "NL", Identifier("registration", "NL", "33031431", "unverifiable")),
        ("registration", "R.C.S. Paris B 404 833 048", "FR", Identifier("registration", "FR", "404833048", "valid")),
        ("registration", "FN 184561 k, HG Wien", "AT", Identifier("registration", "AT", "FN184561K", "unverifiable")),
        ("registration", "B 184561", "LU", Identifier("registration", "LU", "B184561", "unverifiable")),
        # What looks like a label and is a part of the number stays.
        ("registration", "NO-184561", "IT", Identifier("registration", "IT", "NO184561", "unverifiable")),
        ("tax", "NIF-840101-AB1", "MX", Identifier("tax", "MX", "NIF840101AB1", "valid")),
        ("vat", "N0032484H", "ES", Identifier("vat", "ES", "ESN0032484H", "valid")),
        ("vat", "VAT", "GB", Identifier("vat", "GB", "GBVAT", "invalid")),
        # Nor does the number of a company change with the tax, the account or the site that stands behind it.
        ("tax", "CHE-100.155.212 MWST", "CH", Identifier("tax", "CH", "CHE100155212", "valid")),
        ("tax", "CHE-100.155.212 TVA", "CH", Identifier("tax", "CH", "CHE100155212", "valid")),
        ("vat", "NO 988 077 917 MVA", "NO", Identifier("tax", "NO", "988077917", "valid")),
        ("tax", "123026635 RC0001", "CA", Identifier("tax", "CA", "123026635", "valid")),
        ("vat", "GB 980780684 001", "GB", Identifier("vat", "GB", "GB980780684", "valid")),
        ("tax", "12892312-2-41", "HU", Identifier("vat", "HU", "HU12892312", "valid")),
        ("tax", "T7000012050002", "JP", Identifier("tax", "JP", "7000012050002", "valid")),
        ("tax", "7707083893/773601001", "RU", Identifier("tax", "RU", "7707083893", "valid")),
        ("tax", "AAPFU0939F", "IN", Identifier("tax", "IN", "AAPFU0939F", "valid")),
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


def test_a_number_told_with_its_court_weakly_states_the_number_alone() -> None:
    comparison = standardised(
        "identifiers", "HRB 178441 Hamburg", country="DE", options={"type": "registration"}
    ).comparison

    assert comparison == {
        "identifiers": ["registration:de-hamburg:hrb178441"],
        "weak_identifiers": ["registration:de:hrb178441"],
    }


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
