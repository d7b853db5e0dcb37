"""Companies of one name that are not one: real ones by their identifiers, and records that state only the name."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from matching.batch import resolve
from matching.model import load_model
from tests.unit.matching.test_ranking import record

CASE = Path(__file__).parents[2] / "cases" / "homonyms" / "companies.csv"
NORDWIND = {"name": "Nordwind Anlagenbau GmbH", "country": "DE"}
IN_MUNICH = {**NORDWIND, "street": "Hauptstr. 5", "postal_code": "80331", "city": "München", "phone": "+49 89 1234567"}
IN_KIEL = {**NORDWIND, "street": "Hafenweg 11", "postal_code": "24103", "city": "Kiel", "phone": "+49 431 7654321"}


def companies() -> list[dict[str, str]]:
    with CASE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def customer(number: int, row: dict[str, str], lei: str | None = None) -> dict[str, Any]:
    stated = {**record("customer", number, row)}
    return {**stated, "identifiers": [f"lei::{lei}"]} if lei else stated


def entities(records: list[dict[str, Any]]) -> set[frozenset[int]]:
    return set(resolve(load_model("customer"), records).clustering.groups)


def test_companies_of_one_name_stay_apart_by_their_identifiers() -> None:
    rows = companies()

    found = entities([customer(number, row, row["lei"].lower()) for number, row in enumerate(rows)])

    assert len(rows) > 150
    assert all(len({rows[number]["lei"] for number in group}) == 1 for group in found)


def test_records_that_name_an_identifier_find_their_own_company_among_namesakes() -> None:
    rows = [row for row in companies() for _ in range(2)]

    found = entities([customer(number, row, row["lei"].lower()) for number, row in enumerate(rows)])

    homes: defaultdict[str, set[frozenset[int]]] = defaultdict(set)
    for group in found:
        for number in group:
            homes[rows[number]["lei"]].add(group)
    assert all(len(groups) == 1 for groups in homes.values())
    assert all(len(group) == 2 for group in found)


@pytest.mark.parametrize("vague", [1, 2])
def test_what_states_only_a_name_is_joined_to_none_of_two_namesakes(vague: int) -> None:
    known = [customer(0, IN_MUNICH), customer(1, IN_MUNICH), customer(2, IN_KIEL), customer(3, IN_KIEL)]

    found = entities([*known, *(customer(4 + number, NORDWIND) for number in range(vague))])

    assert found == {frozenset({0, 1}), frozenset({2, 3}), *(frozenset({4 + number}) for number in range(vague))}


def test_what_states_only_a_name_is_joined_to_the_only_company_of_that_name() -> None:
    found = entities([customer(0, IN_MUNICH), customer(1, IN_MUNICH), customer(2, NORDWIND)])

    assert found == {frozenset({0, 1, 2})}
