"""Rule sets are checked when they are loaded, and a fault is named by file and line."""

from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain
from survivorship.ruleset import RuleSet, load_ruleset

_HEAD = 'domain: contract\nversion: "9"\n'
_TAIL = "display: [number]\nsearch: {words: [number]}\n"
_DEFAULT = "default: {rank: [trust]}\n"


def load(tmp_path: Path, text: str, domain: str = "contract") -> RuleSet:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    return load_ruleset(domain, file)


@pytest.mark.parametrize("domain", list(Domain))
def test_the_shipped_rules_say_for_every_attribute_how_it_survives(domain: Domain) -> None:
    ruleset = load_ruleset(domain)

    covered = [name for rule in ruleset.rules for name in rule.attributes]
    assert sorted(covered) == sorted(attribute.name for attribute in ATTRIBUTES[domain])


def test_a_small_document_gets_the_default_for_all_else(tmp_path: Path) -> None:
    ruleset = load(tmp_path, _HEAD + _DEFAULT + _TAIL)

    assert ruleset.version == "9"
    assert {rule.rank for rule in ruleset.rules} == {ruleset.rules[0].rank}


def test_the_fingerprint_follows_the_content_and_not_the_comments(tmp_path: Path) -> None:
    plain = load(tmp_path, _HEAD + _DEFAULT + _TAIL).fingerprint

    assert load(tmp_path, "# A remark.\n" + _HEAD + _TAIL + _DEFAULT).fingerprint == plain
    assert load(tmp_path, _HEAD + "default: {rank: [oldest]}\n" + _TAIL).fingerprint != plain
    assert len(plain) == 16


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (_HEAD + "default: {rank: [loudest]}\n" + _TAIL, 3, "loudest"),
        (_HEAD + "default: {}\n" + _TAIL, 3, "must have a rank"),
        (_HEAD + _DEFAULT + "attributes:\n  colour: {rank: [trust]}\n" + _TAIL, 5, "not an attribute"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {rnk: [trust]}\n" + _TAIL, 5, "rnk"),
        (_HEAD + _DEFAULT + "attributes:\n  end_date: {rank: [trust]}\n" + _TAIL, 5, "groups.term"),
        (_HEAD + _DEFAULT + "groups:\n  lines: {rank: [trust]}\n" + _TAIL, 5, "not a group"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {union: true}\n" + _TAIL, 5, "is for lists"),
        (_HEAD + _DEFAULT + "attributes:\n  other_numbers: {union: [lines]}\n" + _TAIL, 5, "cannot put lines"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {without: other_numbers}\n" + _TAIL, 5, "belongs to a union"),
        (_HEAD + _DEFAULT + "attributes:\n  other_numbers: {union: true, unlike: 80}\n" + _TAIL, 5, "`without`"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {otherwise: amendment}\n" + _TAIL, 5, "not a list of texts"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {trust: {crm: 7}}\n" + _TAIL, 5, "from 0 to 1"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {rank: [{trust: 0}]}\n" + _TAIL, 5, "from 0.01 to 1"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {rank: [{states: mood}]}\n" + _TAIL, 5, "mood"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {rank: [{}]}\n" + _TAIL, 5, "one criterion"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {reserve_below: 2}\n" + _TAIL, 5, "from 0 to 1"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {prefer: {mood: good}}\n" + _TAIL, 5, "mood"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {prefer: {amendment: {}}}\n" + _TAIL, 5, "must be a value"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {prefer: {amendment: [[1]]}}\n" + _TAIL, 5, "single value"),
        (_HEAD + _DEFAULT + "attributes:\n  number: {}\n  number: {}\n" + _TAIL, 6, "twice"),
        (_HEAD + _DEFAULT + "surprise: 1\n" + _TAIL, 4, "surprise"),
        (_HEAD + _DEFAULT + "display: [nickname]\nsearch: {}\n", 4, "nickname"),
        (_HEAD + _DEFAULT, 1, "display"),
        (_HEAD.replace("contract", "customer") + _DEFAULT + _TAIL, 1, "must be contract"),
    ],
)
def test_a_fault_is_named_by_file_and_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=rf"rules\.yaml, line {line}: .*{problem}"):
        load(tmp_path, text)


@pytest.mark.parametrize("text", ["", "domain: [", "- a\n- b\n"])
def test_a_file_that_is_no_rule_set_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"rules\.yaml"):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        load_ruleset("contract", tmp_path / "none.yaml")
