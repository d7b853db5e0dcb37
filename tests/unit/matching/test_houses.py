"""Companies of one house share address, phone and domain; words of their names tell them apart."""

import pytest

from matching.decision import Decision, decide
from matching.model import load_model
from matching.scoring import PairScore, explain_pair
from tests.unit.matching.test_ranking import record

MODEL = load_model("customer")
HOUSE = {
    "country": "DE", "street": "Hafenstr. 12", "postal_code": "26871", "city": "Papenburg",
    "phone": "+49 4961 12340", "site": "musterhaus.de",
}  # fmt: skip


def scored(left: dict[str, str], right: dict[str, str]) -> PairScore:
    return explain_pair(MODEL, record("customer", 1, left), record("customer", 2, right))


@pytest.mark.parametrize(
    ("one", "other", "veto"),
    [
        ("Stadtwerke Papenburg GmbH", "Stadtwerke Papenburg Netz GmbH", "role_differs"),
        ("Klinikum Papenburg GmbH", "Klinikum Papenburg Service GmbH", "role_differs"),
        ("Nordwind Holding GmbH", "Nordwind Logistik GmbH", "role_differs"),
        ("Nordwind GmbH", "Nordwind Immobilien GmbH", "structure_differs"),
        ("Kowalski sp. z o.o.", "Kowalski Budownictwo sp. z o.o.", "role_differs"),
        ("Norges Hus AS", "Stiftelsen Norges Hus", "structure_differs"),
        ("Comercializadora del Norte SA", "Comercializadora del Sur SA", "word_differs"),
        ("Nordwind Fitness Tokyo", "Nordwind Fitness Kyoto", "word_differs"),
    ],
)
def test_parts_of_a_house_are_asked_about_however_much_they_share(one: str, other: str, veto: str) -> None:
    score = scored({**HOUSE, "name": one}, {**HOUSE, "name": other})

    assert score.veto == veto
    assert decide(MODEL, score.weight, score.veto) is Decision.POSSIBLE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nordwind Logistik GmbH", "Nordwind Logistk"),  # a slip in what it does
        ("Nordwind Logistik GmbH", "Nordwind Logistics"),
        ("Nordwind Logistik GmbH", "Nordwind Papenburg Logistik"),
        ("Nordwind Netz Service GmbH", "Service Netz Nordwind"),
    ],
)
def test_what_a_company_does_may_be_written_otherwise(one: str, other: str) -> None:
    score = scored({**HOUSE, "name": one}, {**HOUSE, "name": other})

    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


@pytest.mark.parametrize("without", ["site", "street"])
def test_the_house_and_its_company_in_a_country_are_asked_about(without: str) -> None:
    shared = {key: value for key, value in HOUSE.items() if key != without}

    score = scored({**shared, "name": "Nordwind GmbH"}, {**shared, "name": "Nordwind Deutschland GmbH"})

    assert score.veto == "nation_differs"
    assert decide(MODEL, score.weight, score.veto) is Decision.POSSIBLE


def test_a_country_with_a_slip_is_that_country() -> None:
    score = scored({**HOUSE, "name": "Nordwind Deutschalnd"}, {**HOUSE, "name": "Nordwind Deutschland GmbH"})

    assert score.veto is None
    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH


def test_a_domain_alone_does_not_say_that_a_country_behind_the_name_is_another_company() -> None:
    domain = {"country": "DE", "site": "nordwind.de"}

    assert scored({**domain, "name": "Nordwind"}, {**domain, "name": "Nordwind Deutschland"}).veto is None


def test_a_number_settles_it() -> None:
    tax = {"vat": "DE129273398"}

    score = scored(
        {**HOUSE, **tax, "name": "Stadtwerke Papenburg"}, {**HOUSE, **tax, "name": "Stadtwerke Papenburg Netz"}
    )

    assert decide(MODEL, score.weight, score.veto) is Decision.MATCH
