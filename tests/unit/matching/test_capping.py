"""What caps of blocks keep from being compared, against figures worked out by hand."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from matching.assessment import assess
from matching.batch import blocks_of, candidate_pairs
from matching.capping import CappedRule, above_cap, capped, never_compared
from matching.model import MatchModel, profile_model
from tests.unit.matching.profiles import PEOPLE, TABLES

#: Blocks of cities pair up to four, those of phones two.
HALVED = PEOPLE.replace("[{rule: city,", "[{rule: phone, columns: [phones], halved: 1}, {rule: city,").replace(
    ", {rule: phone, columns: [phones]}]", "]"
)


@pytest.fixture(scope="module")
def model() -> MatchModel:
    found = replace(profile_model(HALVED, (), TABLES), block_cap=4)
    assert [(rule.name, found.cap_of(rule)) for rule in found.blocking] == [("phone", 2), ("city", 4)]
    return found


def person(city: str | None, *phones: str) -> dict[str, Any]:
    return {"name": "ann abel", "words": ["ann", "abel"], "city": city, "phones": list(phones)}


#: Five in Bonn, three of whom have one phone; two in Köln, one of whom has that phone, too.
PERSONS = [
    person("bonn", "1"), person("bonn", "1"), person("bonn", "1", "2"), person("bonn"), person("bonn", "2"),
    person("köln", "1"), person("köln"),
]  # fmt: skip


def test_a_rule_is_counted_with_its_blocks_above_the_cap_and_the_pairs_that_it_does_not_make(model: MatchModel) -> None:
    large = above_cap(model, blocks_of(model, PERSONS))

    assert capped(model, large).rules == (
        CappedRule("phone", cap=2, blocks=1, records=4, pairs=6),
        CappedRule("city", cap=4, blocks=1, records=5, pairs=10),
    )


def test_true_pairs_are_lost_that_share_only_keys_above_the_cap(model: MatchModel) -> None:
    entities = ["ann", "ann", "bea", None, "bea", "ann", "ann"]

    found = assess(model, PERSONS, entities).capped

    # 0-1 shares phone and city, 0-5 and 1-5 the phone; 2-4 has a phone of its own, and 0-6 and 1-6 share nothing.
    assert {rule.rule: rule.true_pairs_lost for rule in found.rules} == {"phone": 3, "city": 1}
    assert found.true_pairs_lost == 3


def test_what_is_as_large_as_its_cap_is_not_above_it(model: MatchModel) -> None:
    found = assess(model, PERSONS[1:4] + PERSONS[5:], ["a", "a", "a", "a", "a"]).capped

    assert [rule.rule for rule in found.rules] == ["phone"]
    assert assess(replace(model, block_cap=6), PERSONS[1:4] + PERSONS[5:], ["a"] * 5).capped.rules == ()


def test_without_truth_nobody_can_tell_what_is_lost(model: MatchModel) -> None:
    found = capped(model, above_cap(model, blocks_of(model, PERSONS)))

    assert found.true_pairs_lost is None
    assert {rule.true_pairs_lost for rule in found.rules} == {None}


def test_every_true_pair_is_compared_or_named(model: MatchModel) -> None:
    compared = set(zip(*candidate_pairs(model, PERSONS).tolist(), strict=True))

    missing = list(never_compared(dict.fromkeys(range(len(PERSONS)), "one"), compared))

    assert len(missing) == len(set(missing))
    assert {*missing, *compared} == set(combinations(range(len(PERSONS)), 2))
    assert not compared.intersection(missing)
