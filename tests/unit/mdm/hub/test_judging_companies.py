"""What the shipped customer model makes of companies as people write them, where a person would ask.

Stated as decisions, not as weights, which training changes.
"""

from typing import Any

import pytest

from matching.decision import Decision, decide
from matching.model import load_model
from matching.scoring import PairScore, explain_pair
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
    ],
)
def test_companies_of_one_house_at_one_address_are_a_question_at_most(left: str, right: str) -> None:
    score = compare(company(left, **HERE), company(right, **HERE))

    assert decide(MODEL, score.weight, score.veto) is not Decision.MATCH


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
