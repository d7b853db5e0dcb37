"""Why two records were compared, in words."""

import pytest

from matching.model import load_model
from matching.scoring import Contribution
from mdm.access import Role
from mdm.hub.meeting import met_by
from mdm.hub.shared_keys import SharedKey

WORDS = (
    ("address = p:10115|12", "the same postcode and house number", "10115, 12"),
    ("street = s:hauptstrasse|12|berlin", "the same street, house number and city", "hauptstrasse 12, berlin"),
    ("two words = anvil+works", "two words of the name", "anvil and works"),
    ("word+country = muster|DE", "a word of the name, and the country", "muster, DE"),
    ("same customer, customer+date", "the same customer, and a date in the same month", ""),
    ("a rule of one's own = x", "a rule of one's own", "x"),
)


@pytest.mark.parametrize(("key", "words", "value"), WORDS)
def test_a_key_is_told_in_words_and_kept_as_it_is(key: str, words: str, value: str) -> None:
    rule, _, stated = key.partition(" = ")

    assert met_by([SharedKey(rule, stated)], Role.STEWARD) == [(words, value, key)]


def test_values_are_told_to_those_who_may_see_identifiers() -> None:
    key = SharedKey("identifier", "DE123456789")

    assert met_by([key], Role.READER) == [("the same identifier", "", "identifier")]


def test_a_key_that_too_many_have_says_so() -> None:
    (met,) = met_by([SharedKey("email", "info@example.com", 120, 50)], Role.STEWARD)

    assert met.words == "the same e-mail address - 120 records have it, more than the 50 that are compared by it"


@pytest.mark.parametrize("domain", ["customer", "contract", "product"])
def test_every_rule_and_every_level_of_the_shipped_models_is_told_by_words_that_stand_alone(domain: str) -> None:
    model = load_model(domain)

    rules = [rule.name for rule in model.blocking] + [f"same customer, {rule.name}" for rule in model.dynamic]
    met = met_by([SharedKey(rule, "x") for rule in rules], Role.STEWARD)
    assert [each.words for each in met if each.words in rules] == []
    levels = {(each.name, level.label) for each in model.comparisons for level in each.levels}
    terse = {"claims to be", "claims the same", "two facts shared", "no fact shared", "acronym", "moved", "mistyped"}
    assert {words for name, label in levels if (words := Contribution(name, label, 0.0).words) in terse} == set()
