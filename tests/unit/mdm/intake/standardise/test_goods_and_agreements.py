"""Names and codes of products; numbers, terms and lines of contracts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.intake.standardise.agreements import derived_terms
from mdm.intake.standardise.document_numbers import number_form, number_forms, number_stems
from mdm.intake.standardise.goods import ProductName, product_name
from tests.unit.mdm.intake.standardise.given import standardised


@pytest.mark.parametrize(
    "written",
    [
        "Nimbus Analytics Professional",
        "SUBSCR NIMBUS ANALYTICS PROF",
        "Nimbus Analytics Pro - Subscription",
        "Nimbus Analytics Professional (annual)",
        "Nimbus Analytics Professional [NIM-ANAL-PRO]",
    ],
)
def test_styles_of_one_product_name_share_words_and_edition(written: str) -> None:
    found = product_name(written)

    assert (found.words, found.edition) == (("nimbus", "analytics"), "professional")


def test_versions_are_told_apart() -> None:
    assert product_name("Pulse Messaging 2.0").version == product_name("svc-messaging-pulse-v2").version == "v2"
    assert product_name("Pulse Messaging").version is None


@pytest.mark.parametrize(
    ("written", "release"),
    [
        ("Pulse 2.0", "0"),
        ("Pulse 2.1", "1"),
        ("Pulse v2.1.0", "1"),
        ("Pulse 2.0.3", "0.3"),
        ("Pulse 2.10", "10"),
        ("Pulse v2", None),
        ("Pulse", None),
    ],
)
def test_the_release_of_a_version_is_told_apart(written: str, release: str | None) -> None:
    assert product_name(written).release == release
    assert standardised("version", written.removeprefix("Pulse").strip()).comparison.get("release") == release


def test_a_name_says_what_a_thing_is_for_and_by_which_period_it_is_charged() -> None:
    toner = standardised("product_name", "Toner black for HP LaserJet 1020").comparison
    assert toner["made_for"] == "hp laserjet"
    assert "made_for" not in standardised("product_name", "Licence for 10 users").comparison
    assert standardised("product_name", "Support pro Stunde").comparison["period"] == "hour"
    assert standardised("product_name", "Support (annual)").comparison["period"] == "year"
    assert "period" not in standardised("product_name", "Annual plan, billed monthly").comparison


@pytest.mark.parametrize("written", ["Oil 5 L", "Oil 5L", "OIL 5-litre", "Oil, 5000 ml", "Oil 5,000 ml", "Oil 500 cl"])
def test_writings_of_one_measure_are_one(written: str) -> None:
    assert product_name(written).words == ("oil", "5000", "ml")


def test_a_measure_is_no_version_and_what_only_looks_like_one_stays() -> None:
    assert product_name("Cable 2,50 mm") == product_name("Cable 2.5mm") == ProductName(("cable", "2p5mm"), None, None)
    assert product_name("Tap M6x1").words == ("tap", "m6x1")
    assert product_name("Grill 2000").words == ("grill", "2000")


@pytest.mark.parametrize("written", ["HP", "Hewlett-Packard", "hewlett packard Inc.", "HP®"])
def test_writings_of_one_brand_are_one(written: str) -> None:
    assert standardised("brand", written).comparison == {"brand": "hp"}


def test_a_name_states_a_widely_known_brand_that_it_begins_with_and_may_state_another_behind_by() -> None:
    assert standardised("product_name", "Hewlett Packard LaserJet 400").comparison["named_brand"] == "hp"
    assert "named_brand" not in standardised("product_name", "Toner for HP LaserJet 400").comparison
    assert "named_brand" not in standardised("product_name", "Canon").comparison
    assert standardised("product_name", "Workflow by Prism").comparison["made_by"] == "prism"


def test_a_code_in_brackets_is_a_code() -> None:
    assert standardised("product_name", "Nimbus Analytics [NIM-ANAL-PRO]").comparison["codes"] == ["nimanalpro"]


def test_a_code_is_folded_whole_and_in_parts() -> None:
    result = standardised("product_code", "NIM.ANAL-PRO_v2")

    assert result.value == "NIM.ANAL-PRO_v2"
    assert result.comparison == {"codes": ["nimanalprov2"], "code_parts": ["anal", "nim", "pro", "v2"]}


def test_only_a_trade_item_number_with_a_right_check_digit_is_compared() -> None:
    assert standardised("gtin", "4006381333931").comparison == {"gtin": "04006381333931"}
    assert standardised("gtin", "4006381333932").comparison == {}
    assert standardised("gtin", "0000000000000").rejected == "PLACEHOLDER"


@pytest.mark.parametrize(
    "written",
    [
        "CT-2024-000123",
        "ct 2024 000123",
        "CT2024000123",
        "CT-2024-000123 / v2",
        "CT-2024-000123 / PO 4711",
        "CT-2024-000123, PO 4711",
        "CT-2024-000123 dated 31.01.2024",
        "CT-2024-000123 z dnia 2024-01-31",
        "ct 2024/123",
        "CT/24/0123",
        "CT2024123",
        "CT - 2024 - 123",
        "CT-2O24-OOO123",
        "CT2O24OOOI23",
        "CT-123/2024",
        "ct 0123 2024",
        "123/CT/2024",
        "2024/CT/123",
    ],
)
def test_writings_of_one_number_are_one(written: str) -> None:
    assert number_form(written) == "ct2024000123"


def test_a_number_without_its_prefix_is_found_among_the_numbers() -> None:
    own = standardised("own_number", "CT-2024-000123").comparison
    stated = standardised("stated_number", "2024-000123").comparison

    assert set(own["numbers"]) & set(stated["numbers"]) == {"2024000123"}
    assert (own["own_number"], stated["stated_number"]) == ("ct2024000123", "2024000123")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("V-2024-001-A1", "v2024000001a1"),
        ("2024-03-00123", "202403000123"),
        ("2024-3-123", "202403000123"),
        ("0040000007", "0040000007"),
        ("4000 0007", "40000007"),
        ("10001/2", "100012"),
        ("123/2024", "2024000123"),
        ("7.2024", "2024000007"),
        ("CT-24/2024", "ct2024000024"),
        ("CT-24-2024", "ct2024002024"),
        ("2023/2024", "2023002024"),
        ("BU-1-123/2024", "bu11232024"),
        ("40000007/2024", "400000072024"),
        ("1232024", "1232024"),
        ("PO-123", "po123"),
        ("SOL-2024-7", "sol2024000007"),
        ("sub_0ExFew", "sub0exfew"),
    ],
)
def test_only_the_counter_of_a_year_is_filled_up_and_only_digits_are_mended(written: str, form: str) -> None:
    assert number_form(written) == form


@given(st.text(alphabet="CTO0123 2024-/.,#I", max_size=24))
def test_a_number_is_among_its_forms_and_reads_as_itself(written: str) -> None:
    form = number_form(written)

    assert (form is None) == (number_forms(written) == ())
    assert form is None or (form in number_forms(written) and "" not in number_forms(written))
    assert "" not in number_stems(written)


@pytest.mark.parametrize(
    ("written", "stem"),
    [
        ("CT-2024-123/1", "ct2024000123"),
        ("CT-2024-000123-A", "ct2024000123"),
        ("10001 Nachtrag 2", "10001"),
        ("10001-01", "10001"),
        ("CT-2024-000123", None),
        ("CT-24", None),
        ("PO-12/1", None),
    ],
)
def test_the_number_of_a_part_begins_with_that_of_the_whole(written: str, stem: str | None) -> None:
    stems = number_stems(written)

    assert stem in stems if stem else stems == ()


@pytest.mark.parametrize(
    ("written", "as_"),
    [
        ("123/24", "2024000123"),
        ("UM/0123/24", "um2024000123"),
        ("123/UM/24", "um2024000123"),
        ("Nr. 123/24", "2024000123"),
    ],
)
def test_a_number_over_a_short_year_may_also_be_read_as_one_of_the_year(written: str, as_: str) -> None:
    assert as_ in number_forms(written)
    assert number_form(written) != as_


@pytest.mark.parametrize("written", ["123/55", "1234567/24", "123-24", "123/24/7", "A/123/B/24"])
def test_what_need_not_be_a_short_year_is_none(written: str) -> None:
    assert not any("202" in form for form in number_forms(written))


def test_further_numbers_of_a_text_are_told_apart_from_the_first() -> None:
    found = standardised("stated_number", "PO 4500012345, CT-2024-123, 31.01.2024, v2").comparison

    assert found["stated_number"] == "po4500012345"
    assert {"ct2024000123", "2024000123"} <= set(found["further_numbers"]) <= set(found["numbers"])
    assert not any("310120" in form for form in found["numbers"])


@pytest.mark.parametrize("sign", ["-", ",", "/", "v1", "dated", "1.1.2020"])
def test_nothing_is_cut_off_a_long_text(sign: str) -> None:
    """What finds the end of a number looks at every sign, each time as far as the end of the text."""
    text = f"CT-2024-000123 a {sign} " * 2_000

    assert len(number_form(text) or "") > 20_000
    assert number_form(text) in number_forms(text)


def test_junk_is_no_number() -> None:
    assert standardised("stated_number", "TBD").value is None


def test_lines_name_product_quantity_and_price() -> None:
    lines = standardised(
        "lines", target=("crm", "product2#product_code"), product="KIT", quantity=20, unit_price="3000.00"
    ).value

    assert lines == [
        {
            "product": {"system": "crm", "type": "product2#product_code", "key": "KIT"},
            "quantity": "20",
            "unit_price": "3000.00",
        }
    ]


def test_term_and_yearly_value_follow_from_dates_and_value() -> None:
    comparison = {**standardised("start", "2023-12-07").comparison, **standardised("end", "2025-12-06").comparison}

    derived = derived_terms({"value": "120000.00", "currency": "EUR"}, comparison)

    assert derived == {"term_months": 24, "value": 120000.0, "annual_value": 60000.0, "currency": "eur"}


def test_a_period_is_compared_but_is_no_attribute() -> None:
    result = standardised("period", start="2024-01-01T00:00:00.000000Z", end="2024-02-01")

    assert result.value is None
    assert result.comparison == {"period_start": 19723, "period_end": 19754}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("currency", "eur", "EUR"),
        ("currency", "EURO", None),
        ("language", "de-AT", "de"),
        ("language", ["??", "nl-NL"], "nl"),
        ("integer", "7", 7),
        ("integer", "7.5", None),
        ("decimal", "1E3", "1000"),
        ("decimal", "NaN", None),
        ("date", "2024-02-30", None),
        ("date", "2024-02-29T10:00:00Z", "2024-02-29"),
        ("date", 1_700_000_000, "2023-11-14"),
        ("boolean", True, True),
        ("boolean", "no", False),
        ("boolean", "maybe", None),
        ("text", " N/A ", None),
        ("text", "a\u00a0 b", "a b"),
        ("texts", ["red", "red", "n/a", None], ["red"]),
    ],
)
def test_plain_values(name: str, value: object, expected: object) -> None:
    assert standardised(name, value).value == expected


def test_codes_are_translated_and_unknown_ones_named() -> None:
    codes = {"activated": "active", "draft": "draft"}

    assert standardised("code", "Activated", codes=codes).value == "active"
    assert standardised("code", "Frozen", codes=codes).rejected == "CODE_UNKNOWN"
    assert standardised("code", "Frozen", codes={"*": "other"}).value == "other"
    assert standardised("code", "0015g", options={"then": "merged"}).value == "merged"
    assert standardised("code", False, options={"then": "inactive", "equals": "true"}).value is None
