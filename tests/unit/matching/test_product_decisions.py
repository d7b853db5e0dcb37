"""Which two products are one by themselves and which are a question, as a person would decide at a glance.

Each case holds for names alone and beside a code in common; one trade item number makes up for what names say.
"""

from typing import Any

import pytest

from matching.decision import Decision, decide
from matching.model import load_model
from matching.scoring import PairScore, explain_pair
from tests.unit.matching.test_ranking import record

CODE = {"code": "ACM-4711"}
GTIN = {"gtin": "4006381333931"}


def score(one: dict[str, str], other: dict[str, str]) -> PairScore:
    return explain_pair(load_model("product"), record("product", 1, one), record("product", 2, other))


def decision(found: PairScore) -> Decision:
    return decide(load_model("product"), found.weight, found.veto)


APART = [
    ("Acme CRM 2.0", "Acme CRM 2.1", "release_differs"),
    ("Acme CRM 2.7", "Acme CRM 2.0", "release_differs"),
    ("Acme CRM 11.0", "Acme CRM 11.5", "release_differs"),
    ("Acme CRM v2.0", "Acme CRM v2.1", "release_differs"),
    ("Acme CRM 2.0.1", "Acme CRM 2.0.3", "release_differs"),
    ("Screw M8x20", "Screw M8x25", "number_differs"),
    ("Cable Cat6", "Cable Cat6a", "mark_differs"),
    ("Relay 24VDC", "Relay 24VAC", "mark_differs"),
    ("Battery AA", "Battery AAA", "mark_differs"),
    ("Printer M402n", "Printer M402dn", "mark_differs"),
    ("Galaxy S21", "Galaxy S21+", "role_differs"),
    ("Brother HL1110", "Brother HL1112", "number_differs"),
    ("Brother HL-1110", "Brother HL-1112", "number_differs"),
    ("Valve A-100", "Valve A-101", "number_differs"),
    ("Pump 778812", "Pump 990043", "number_differs"),
    ("HP LaserJet M404dn", "HP LaserJet M404n", "model_differs"),
    ("HP LaserJet M404dn", "HP LaserJet M404dw", "model_differs"),
    ("Toner HP 26A", "Toner HP 26B", "model_differs"),
    ("Acme Office E3", "Acme Office E5", "model_differs"),
    ("HDMI Cable 2m", "HDMI Cable 3m", "size_differs"),
    ('Monitor 24"', "Monitor 27 inch", "size_differs"),
    ("Copy Paper 80 g/m2", "Copy Paper 90gsm", "size_differs"),
    ("Copy Paper 500 sheets", "Copy Paper 250 Blatt", "size_differs"),
    ("Bosch GSR 12V-15", "Bosch GSR 12V-35", "number_differs"),
    ("Acme CRM", "Acme CRM Training", "role_differs"),
    ("Acme CRM Starter", "Acme CRM Training Starter", "role_differs"),
    ("Acme CRM", "Acme CRM Add-on", "role_differs"),
    ("Samsung Galaxy S21", "Samsung Galaxy S21 Ultra", "role_differs"),
    ("iPhone 13", "iPhone 13 case", "role_differs"),
    ("HP 1020", "Toner black for HP 1020", "made_for_it"),
    ("HP 1020", "Toner schwarz für HP 1020", "made_for_it"),
    ("Nordlux Lamp", "Bulb for Nordlux Lamp", "made_for_it"),
    ("Acme Support monthly", "Acme Support yearly", "period_differs"),
    ("Acme Support per hour", "Acme Support per month", "period_differs"),
    ("Acme Support (annual)", "Acme Support je Monat", "period_differs"),
]


@pytest.mark.parametrize(("one", "other", "why"), APART)
def test_names_of_two_things_are_a_question_unless_a_trade_item_number_makes_them_one(
    one: str, other: str, why: str
) -> None:
    for left, right in ((one, other), (other, one)):
        bare = score({"name": left}, {"name": right})
        coded = score({"name": left} | CODE, {"name": right} | CODE)
        numbered = score({"name": left} | GTIN, {"name": right} | GTIN)

        assert why in bare.vetoes
        assert decision(bare) is not Decision.MATCH
        assert (decision(coded), why in coded.vetoes) == (Decision.POSSIBLE, True)
        assert decision(numbered) is Decision.MATCH


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Storage", "Acme Storage Cluster"),
        ("Desk Lamp", "Desk Lamp Blue"),
        ("Acme CRM", "Acme CRM for Salesforce"),
        ("Acme Antivirus 1 Year", "Acme Antivirus 1 Year Renewal"),
    ],
)
def test_a_name_that_says_more_is_a_question_where_no_code_agrees(one: str, other: str) -> None:
    bare, coded = score({"name": one}, {"name": other}), score({"name": one} | CODE, {"name": other} | CODE)

    assert "says_more" in bare.vetoes
    assert (decision(bare), decision(coded)) == (Decision.POSSIBLE, Decision.MATCH)


SAME = [
    ("Cable Cat6 grey", "Cable Cat 6 grey"),
    ("Screw M8x20 zinc", "Screw M8 x 20 mm zinc"),
    ("Engine oil 5W30", "Engine oil 5W-30"),
    ("Bosch GSR 12V-15", "Bosch GSR12V15"),
    ("Copy Paper 80 g/m² 500 Blatt", "Copy Paper 80gsm 500 sheets"),
    ("Acme CRM 2.1", "Acme CRM 2.1.0"),
    ("Acme CRM 2.0", "Acme CRM v2"),
    ("Screw M8x20", "screw m8 x 20"),
    ("Acme CRM Plus", "Acme CRM PLUS"),
    ("Acme Support (annual)", "Acme Support yearly"),
    ("Acme Support (annual)", "Acme Support"),
    ("Acme Support, annual plan, billed monthly", "Acme Support yearly, billed"),
    ("Acme CRM for 10 users", "Acme CRM 10 users"),
    ("Training for Acme CRM", "Course for Acme CRM"),
    ("Acme CRM Add-on", "Acme CRM Addon"),
    ("Valve A-100", "Valve A100"),
    ("HP LaserJet M-404dn", "HP LaserJet M404dn"),
    ("Cable HDMI 2m", "HDMI cable 2 m"),
    ("HDMI Cable 2.0 m", "HDMI Cable 200 cm"),
    ('Monitor 24"', "Monitor 24 inch"),
    ("Monitor 24 Zoll", "Monitor 24 inch"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_another_way_to_write_a_name_is_no_other_thing(one: str, other: str) -> None:
    found = score({"name": one} | CODE, {"name": other} | CODE)

    assert not found.vetoes
    assert decision(found) is Decision.MATCH


def test_a_brand_is_no_further_word() -> None:
    found = score({"name": "Ultra 400", "brand": "Nordic Tools AB"}, {"name": "Nordic Tools Ultra 400"})

    assert "says_more" not in found.vetoes


@pytest.mark.parametrize("names", [("Acme Sensor", "Zeta Widget Big"), ("Acme Sensor", "Oil")])
def test_one_trade_item_number_under_two_names_is_a_question(names: tuple[str, str]) -> None:
    """Either is a mistake, and nobody but a person can tell which."""
    one, other = ({"name": each} | GTIN for each in names)
    found = score(one, other)

    assert (decision(found), found.veto) == (Decision.POSSIBLE, "same_gtin")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HP LaserJet Pro M404dn", "Hewlett Packard LaserJet M404dn Printer"),
        ("Bosch GSR12V15", "Akkuschrauber Bosch Professional GSR12V15"),
        ("Bosch GSR12V15", "Akkuschrauber Bosch Professional GSR 12V-15"),
    ],
)
def test_one_model_in_names_that_otherwise_differ_is_asked_about(one: str, other: str) -> None:
    assert decision(score({"name": one}, {"name": other})) is Decision.POSSIBLE


def test_what_is_made_for_a_model_is_not_asked_about_as_that_model() -> None:
    found = score({"name": "HP LaserJet Pro M404dn"}, {"name": "Toner black for HP M404dn"})

    assert "same_model" not in found.vetoes


def test_a_trade_item_number_that_differs_asks_nobody() -> None:
    other: dict[str, Any] = {"name": "Zeta Widget Big", "gtin": "3007822945943"}

    assert decision(score({"name": "Acme Sensor"} | GTIN, other)) is Decision.NONE


def test_two_codes_of_one_series_are_a_question_and_codes_of_two_platforms_say_nothing() -> None:
    def decided(one: str, other: str) -> tuple[Decision, str | None]:
        found = score({"name": "Acme Payroll", "code": one}, {"name": "Acme Payroll", "code": other})
        return decision(found), found.veto

    assert decided("PAY-100", "PAY-200") == (Decision.POSSIBLE, "code_differs")
    assert decided("PAY-100", "pay100") == (Decision.MATCH, None)
    assert decided("PAY-100", "40000471") == (Decision.MATCH, None)
    assert decided("PAY-ROLL", "PAY-RUN") == (Decision.MATCH, None)
