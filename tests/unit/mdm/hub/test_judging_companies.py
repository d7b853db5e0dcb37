"""What the shipped customer model makes of companies as people write them, where a person would ask.

Stated as decisions, not as weights, which training changes.
"""

from typing import Any

import pytest

from matching.decision import Decision, decide
from matching.features import derive
from matching.model import load_model
from matching.scoring import PairScore, explain_pair
from matching.validity import contradiction, facts_of
from mdm.intake.candidate import candidate_record
from mdm.model.ids import Domain

MODEL = load_model("customer")
HERE = {"address": {"street": "Hauptstr. 12", "postal_code": "80331", "city": "München"}}
THERE = {"address": {"street": "Neuer Weg 5", "postal_code": "20095", "city": "Hamburg"}}


def company(name: str, *identifiers: tuple[str, str], country: str = "DE", **values: Any) -> dict[str, Any]:
    numbers = [{"type": kind, "value": value, "country": country} for kind, value in identifiers]
    return {"name": name, "country": country, **values, **({"identifiers": numbers} if numbers else {})}


def compare(left: dict[str, Any], right: dict[str, Any]) -> PairScore:
    forms = [
        {**candidate_record(Domain.CUSTOMER, each).comparison, "self": [f"{side}:customer#id:1"]}
        for side, each in (("crm", left), ("erp", right))
    ]
    return explain_pair(MODEL, *forms)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Alpha GmbH", "Alpha Holding GmbH"),
        ("Novaterra GmbH", "Novaterra Immobilien GmbH"),
        ("Schinke GmbH", "Schinke Verwaltungs GmbH"),
        ("Fund I GmbH & Co. KG", "Fund II GmbH & Co. KG"),
        ("Solar Park XII GmbH", "Solar Park XIV GmbH"),
        ("Solar Park XV GmbH", "Solar Park XXI GmbH"),
        ("Windpark Alpha V GmbH", "Windpark Alpha X GmbH"),
        ("Alpha Series A Fund GmbH", "Alpha Series B Fund GmbH"),
        ("Kepler Partners A GmbH", "Kepler Partners B GmbH"),
        ("Alpha One GmbH", "Alpha Two GmbH"),
        ("Erste Kepler Beteiligungs GmbH", "Zweite Kepler Beteiligungs GmbH"),
        ("Schmidt GmbH", "Schmidt AG"),
        ("Nordlicht GmbH", "Nordlicht GmbH & Co. KG"),
    ],
)
def test_companies_of_one_house_at_one_address_are_a_question_at_most(left: str, right: str) -> None:
    score = compare(company(left, **HERE), company(right, **HERE))

    assert decide(MODEL, score.weight, score.veto) is not Decision.MATCH


def test_a_company_that_changed_its_legal_form_is_known_by_its_number() -> None:
    vat = ("vat", "DE129273398")

    score = compare(company("Schmidt GmbH", vat, **HERE), company("Schmidt AG", vat, **HERE))

    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


def test_a_company_that_changed_its_legal_form_is_known_by_what_another_platform_says_of_it() -> None:
    left, right = (
        {**candidate_record(Domain.CUSTOMER, company(name, **HERE)).comparison, "tokens": ["contract:ct2024000123"]}
        for name in ("Schmidt GmbH", "Schmidt AG")
    )

    score = explain_pair(MODEL, {**left, "self": ["crm:account:1"]}, {**right, "self": ["erp:partner:1"]})

    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


def test_a_mistyped_word_of_that_kind_is_the_same_word() -> None:
    score = compare(company("Alpha Holding GmbH", **HERE), company("Alpha Hoding GmbH", **HERE))

    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        pytest.param(
            company("Nordwind GmbH", ("vat", "DE129273398")), company("Suedsturm AG", ("vat", "DE129273398"), **HERE),
            "identifier_agrees", id="one tax number, two names",
        ),
        pytest.param(
            company("Nordwind GmbH", ("lei", "5493001KJTIIGC8Y1R12")),
            company("Suedsturm Inc", ("lei", "5493001KJTIIGC8Y1R12"), country="US"),
            "identifier_agrees", id="one LEI, two countries",
        ),
        pytest.param(company("Meyer Werft GmbH", **HERE), company("Meyer Werft GmbH", **THERE), "name_agrees",
                     id="moved"),
    ],
)  # fmt: skip
def test_what_agrees_in_one_telling_thing_only_is_asked(left: dict[str, Any], right: dict[str, Any], veto: str) -> None:
    score = compare(left, right)

    assert score.weight < MODEL.thresholds.possible
    assert (score.veto, score.asked) == (veto, True)
    assert decide(MODEL, score.weight, score.veto) is Decision.POSSIBLE


def test_a_telling_name_elsewhere_is_not_asked_about_where_something_else_differs() -> None:
    phones = [["+49 89 123456"], ["+49 40 987654"]]
    left, right = (
        company("Meyer Werft GmbH", phones=stated, **place) for stated, place in zip(phones, (HERE, THERE), strict=True)
    )

    score = compare(left, right)

    assert decide(MODEL, score.weight, score.veto) is Decision.NONE


def test_another_number_of_the_german_register_makes_a_match_a_question() -> None:
    left = company("Schinke GmbH", ("registration", "HRB 48213"), **HERE)

    score = compare(left, company("Schinke GmbH", ("registration", "HRB 77190"), **HERE))

    assert decide(MODEL, score.weight, score.veto) is not Decision.MATCH
    assert score.vetoes == ("registration_differs",)


def test_one_register_number_of_two_courts_is_no_agreement() -> None:
    """The number is unique within one court only."""
    left, right = (
        company("Nordlicht Energie GmbH", ("registration", f"HRB 84731 Amtsgericht {court}"), **place)
        for court, place in (("München", HERE), ("Hamburg", THERE))
    )

    score = compare(left, right)

    assert decide(MODEL, score.weight, score.veto) is not Decision.MATCH


REGISTERED = "registration"


@pytest.mark.parametrize(
    ("left", "right", "decision", "veto"),
    [
        pytest.param("HRB 84731 Amtsgericht München", "AG München, HRB 77190", Decision.POSSIBLE,
                     "registration_differs", id="two numbers of one court"),
        pytest.param("HRB 84731 Amtsgericht München", "AG München, HRB-Nr. 84731", Decision.MATCH, None,
                     id="one number of one court"),
        pytest.param("HRB 84731 Amtsgericht München", "HRB 84731", Decision.MATCH, None, id="one says no court"),
        pytest.param("HRB 84731 Amtsgericht München", "HRB 77190", Decision.POSSIBLE,
                     "register_number_differs", id="another number, and one says no court"),
        pytest.param("HRB 84731 Amtsgericht München", "HRB 84781", Decision.MATCH, None,
                     id="a slip, and one says no court"),
        pytest.param("HRB 84731 Amtsgericht München", "HRB 50112 Hamburg", Decision.MATCH, None,
                     id="numbers of two courts say nothing of one another"),
        pytest.param("HRA 84731 Amtsgericht München", "HRB 84731 Amtsgericht München", Decision.POSSIBLE,
                     "registration_differs", id="two registers of one court"),
        pytest.param("HRA 84731", "HRB 84731", Decision.POSSIBLE, "registration_differs", id="two registers"),
        pytest.param("HRA 84731 München", "HRB 84731", Decision.POSSIBLE, "register_number_differs",
                     id="two registers, and one says no court"),
    ],
)  # fmt: skip
def test_a_number_of_the_german_register_is_held_against_those_of_its_court(
    left: str, right: str, decision: Decision, veto: str | None
) -> None:
    score = compare(*(company("Schinke GmbH", (REGISTERED, number), **HERE) for number in (left, right)))

    assert (decide(MODEL, score.weight, score.veto), score.veto) == (decision, veto)


def test_strangers_with_one_number_of_two_courts_are_not_asked_about() -> None:
    score = compare(
        company("Schinke GmbH", (REGISTERED, "HRB 84731 Kiel")),
        company("Vogel Optik GmbH", (REGISTERED, "HRB 84731 Ulm")),
    )

    assert decide(MODEL, score.weight, score.veto) is Decision.NONE


@pytest.mark.parametrize(
    ("country", "name", "left", "right"),
    [
        pytest.param("IN", "Kaveri Textiles Pvt Ltd", "27AAACR4849R1ZL", "29AAACR4849R1ZH", id="two states of India"),
        pytest.param("IN", "Kaveri Textiles Pvt Ltd", "27AAACR4849R1ZL", "AAACR4849R", id="a state and the whole"),
        pytest.param(
            "BR", "Souza Alimentos Ltda", "11.222.333/0001-81", "11.222.333/0002-62", id="two sites in Brazil"
        ),
        pytest.param("CA", "Maple Foods Inc", "123026635RC0001", "123026635 RT0001", id="two accounts of Canada"),
        pytest.param("CH", "Huber Maschinen AG", "CHE-100.155.212 MWST", "CHE-100.155.212 TVA", id="two languages"),
        pytest.param("NO", "Hansen Bygg AS", "988 077 917 MVA", "988077917", id="registered for a tax"),
        pytest.param("HU", "Duna Trans Kft.", "12892312-2-41", "HU12892312", id="home and abroad"),
        pytest.param("DE", "Schinke GmbH", "USt-IdNr.: DE 129 273 398", "DE129273398", id="labelled"),
    ],
)
def test_numbers_of_states_sites_and_taxes_are_those_of_one_company(
    country: str, name: str, left: str, right: str
) -> None:
    forms = [
        candidate_record(Domain.CUSTOMER, company(name, ("tax", number), country=country)).comparison
        for number in (left, right)
    ]
    columns = [derive("customer", form, MODEL.common_tokens) for form in forms]
    score = explain_pair(MODEL, *forms)

    assert contradiction(*(facts_of(MODEL.cannot_link, each) for each in columns)) is None
    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


DOMAIN = {"web_domain": "hurd-diggin.ie"}
PHONE = {"phones": ["+353 21 960 8114"]}


@pytest.mark.parametrize(
    ("short", "whole", "shared", "asked"),
    [
        pytest.param("DH Ltd", "Hurd & Diggin Ltd", DOMAIN, True, id="two letters and a domain"),
        pytest.param("DH Ltd", "Hurd & Diggin Ltd", PHONE, True, id="two letters and a phone"),
        pytest.param("OMS", "Medical Services Olea", DOMAIN, True, id="letters in another order"),
        pytest.param("DH Ltd", "Hurd & Diggin Ltd", {}, False, id="two letters and nothing else"),
        pytest.param("DH Ltd", "Hurd & Diggin Ltd", {"web_domain": "gmail.com"}, False, id="a domain of everybody"),
        pytest.param("Shevchenko T.H.", "Shevchenko Taras Hryhorovych", PHONE, True, id="first names by their letters"),
        pytest.param("DK Ltd", "Hurd & Diggin Ltd", DOMAIN, False, id="other letters"),
    ],
)
def test_letters_of_a_name_are_a_question_beside_a_domain_or_a_phone(
    short: str, whole: str, shared: dict[str, Any], asked: bool
) -> None:
    score = compare(company(short, country="IE", **shared), company(whole, country="IE", **shared))

    assert score.asked is asked
    assert decide(MODEL, score.weight, score.veto) is (Decision.POSSIBLE if asked else Decision.NONE)


def test_letters_of_a_name_are_no_question_where_the_numbers_differ() -> None:
    score = compare(
        company("DH Ltd", ("vat", "IE6388047V"), country="IE", **DOMAIN),
        company("Hurd & Diggin Ltd", ("vat", "IE9825613N"), country="IE", **DOMAIN),
    )

    assert not score.asked


GROUP = {"phones": ["+91 80 5571 2741"], "web_domain": "vaulprinting.in"}


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        pytest.param("Vaul Printing Pvt Ltd", "Vaul India Pvt Ltd", "shared_word_and_number", id="sisters"),
        pytest.param("Vaul Printing Pvt Ltd", "Vaul Printing India Pvt Ltd", None, id="one name contains the other"),
        pytest.param("Vaul Printing Pvt Ltd", "Vaul Prinitng", None, id="a slip"),
    ],
)
def test_the_number_phone_and_domain_of_a_group_do_not_join_its_companies(
    left: str, right: str, veto: str | None
) -> None:
    score = compare(*(company(name, ("tax", "27AAACR4849R1ZL"), country="IN", **GROUP) for name in (left, right)))

    assert score.veto == veto
    assert decide(MODEL, score.weight, score.veto) is (Decision.POSSIBLE if veto else Decision.MATCH)
