"""The generated companies: repeatable, valid where a real source is valid, and hard where real stores are hard."""

from collections import Counter, defaultdict
from itertools import islice
from random import Random

import pytest

from bench.companies import Company, companies, rows
from bench.company_events import messages
from bench.company_numbers import tax_number
from bench.company_words import LANDS
from mdm.intake.catalogue import load_catalogue
from mdm.intake.debezium import translate
from mdm.intake.standardise.identifiers import VALID, parse_identifier


def drawn(count: int) -> list[Company]:
    return list(islice(companies(Random(3)), count))


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    assert list(rows(300, seed=4)) == list(rows(300, seed=4))
    assert list(rows(300, seed=4)) != list(rows(300, seed=5))


def test_there_are_as_many_rows_as_asked_for_each_with_a_key_of_its_own() -> None:
    found = list(rows(1234))

    assert len(found) == 1234
    assert len({each.key for each in found}) == 1234


def test_a_company_has_one_to_six_records_on_several_platforms() -> None:
    found = list(rows(5000))

    sizes = Counter(each.company for each in found)
    assert set(sizes.values()) == {1, 2, 3, 4, 5, 6}
    assert {each.key.system for each in found} == {"crm", "billing", "erp", "product"}


@pytest.mark.parametrize("land", [land.code for land in LANDS])
def test_tax_numbers_have_right_check_digits(land: str) -> None:
    random = Random(7)
    kind = "tax" if land == "US" else "vat"
    found = [parse_identifier(kind, tax_number(land, random), land) for _ in range(50)]

    assert {each.state for each in found if each is not None} == {VALID}
    assert len(set(found)) == 50


def test_groups_share_brand_address_and_domain_and_not_the_tax_number() -> None:
    by_address = defaultdict(list)
    for company in drawn(3000):
        by_address[company.place, company.words[0]].append(company)
    groups = [members for members in by_address.values() if len(members) > 1]

    assert len(groups) > 50
    assert any(members[0].domain == members[1].domain for members in groups)
    assert all(len({each.tax for each in members}) == len(members) for members in groups)


def test_some_companies_are_called_like_another_one_elsewhere() -> None:
    by_name = defaultdict(set)
    for company in drawn(3000):
        by_name[company.land.code, company.words].add(company.tax)

    assert sum(len(taxes) > 1 for taxes in by_name.values()) > 100


def test_as_events_they_keep_the_contracts_of_the_platforms() -> None:
    found = list(messages(500))

    decoded = translate(found, load_catalogue(None))

    assert len(decoded.events) == 500
    assert decoded.dead_letters == ()
    assert decoded.drifts == ()
