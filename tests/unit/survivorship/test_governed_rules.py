"""Trust that ages and falls, values that follow a record, and rules of regions."""

from pathlib import Path

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.model.records import StoredRecord
from survivorship.engine import consolidate
from survivorship.rules import RuleSet
from survivorship.ruleset import load_ruleset
from survivorship.values import AttributeLineage, Consolidated
from tests.unit.survivorship.members import member, trust

_YEAR = 365 * 24


def rules(tmp_path: Path, text: str) -> RuleSet:
    file = tmp_path / "rules.yaml"
    file.write_text(f"domain: customer\nversion: '1'\ndisplay: [name]\nsearch: {{}}\n{text}\n")
    return load_ruleset("customer", file)


def golden(tmp_path: Path, text: str, *members: StoredRecord) -> Consolidated:
    return consolidate(rules(tmp_path, text), members, trust)


def test_trust_in_an_old_statement_decays(tmp_path: Path) -> None:
    members = [member("erp:1", at=0, industry="Retail"), member("product:1", at=4 * _YEAR, industry="Wholesale")]
    text = "default: {rank: [trust]}\nattributes: {industry: {decay: {half_life_days: 365%s}}}"

    assert golden(tmp_path, "default: {rank: [trust]}", *members).values["industry"] == "Retail"
    assert golden(tmp_path, text % "", *members).values["industry"] == "Wholesale"
    assert golden(tmp_path, text % ", floor: 0.9", *members).values["industry"] == "Retail"


def test_decay_counts_from_the_youngest_record_so_that_waiting_changes_nothing(tmp_path: Path) -> None:
    text = "default: {rank: [trust], decay: {half_life_days: 30}}"
    early = [member("erp:1", at=0, industry="Retail"), member("product:1", at=_YEAR, industry="Wholesale")]
    late = [member("erp:1", at=9 * _YEAR, industry="Retail"), member("product:1", at=10 * _YEAR, industry="Wholesale")]

    assert golden(tmp_path, text, *early).values == golden(tmp_path, text, *late).values


def test_a_value_that_failed_its_validation_loses_trust(tmp_path: Path) -> None:
    wrong = {"type": "vat", "country": "DE", "value": "DE1", "normal": "DE1", "state": "invalid"}
    right = {"type": "vat", "country": "DE", "value": "DE2", "normal": "DE2", "state": "valid"}
    members = [member("erp:1", identifiers=[wrong]), member("product:1", identifiers=[right])]
    text = "default: {rank: [trust]}\nattributes: {identifiers: {union: true, invalid: %s}}"

    first = [golden(tmp_path, text % factor, *members).values["identifiers"][0] for factor in ("1.0", "0.1")]

    assert first == [wrong, right]


def test_an_attribute_follows_the_record_that_won_another(tmp_path: Path) -> None:
    text = "default: {rank: [trust]}\nattributes: {language: {same_record_as: name}, currency: {same_record_as: name}}"
    members = [
        member("erp:1", at=0, name="Acme", currency="EUR"),
        member("crm:1", at=1, language="de", currency="USD"),
        member("product:1", at=2, language="fr"),
    ]

    found = golden(tmp_path, text, *members)

    assert found.values["currency"] == "EUR"
    assert found.lineage["currency"].rule == "same_record"
    assert [each.reason for each in found.lineage["currency"].runners_up] == [
        "comes from another record than the value that it belongs to"
    ]
    assert found.values["language"] == "de", "where that record says nothing, the rule's own ranking decides"


_VARIANTS = """default: {rank: [trust]}
variants:
  - name: dach
    when: {country: [DE, AT, CH]}
    attributes: {payment_terms: {rank: [most_recent]}}
  - name: elsewhere
    when: {country: {not: [US]}}
    attributes: {payment_terms: {rank: [oldest]}}
"""


@pytest.mark.parametrize(
    ("country", "terms", "variant"), [("AT", "new", "/dach"), ("FR", "old", "/elsewhere"), ("US", "trusted", "")]
)
def test_a_region_has_rules_of_its_own(tmp_path: Path, country: str, terms: str, variant: str) -> None:
    members = [
        member("crm:1", at=0, payment_terms="old"),
        member("erp:1", at=1, payment_terms="trusted", country=country),
        member("product:1", at=2, payment_terms="new"),
    ]

    found = golden(tmp_path, _VARIANTS, *members)

    lineage = found.lineage["payment_terms"]
    assert isinstance(lineage, AttributeLineage)
    assert (found.values["payment_terms"], lineage.ruleset.partition("/")[2]) == (terms, variant.strip("/"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("attributes: {industry: {decay: 5}}", "must be a mapping"),
        ("attributes: {industry: {decay: {floor: 0.5}}}", "half_life_days"),
        ("attributes: {industry: {decay: {half_life_days: 0}}}", "number from 1"),
        ("attributes: {industry: {invalid: 2}}", "number from 0 to 1"),
        ("attributes: {industry: {same_record_as: colour}}", "colour"),
        ("attributes: {industry: {same_record_as: industry}}", "itself"),
        ("attributes: {industry: {same_record_as: segment}, segment: {same_record_as: name}}", "by itself"),
        ("attributes: {industry: {same_record_as: emails}, emails: {union: true}}", "by itself"),
        ("attributes: {emails: {union: true, same_record_as: name}}", "union"),
        ("variants: [{name: a, when: {country: DE}}]", "attributes or groups"),
        ("variants: [{name: a, when: {emails: x}, attributes: {industry: {}}}]", "single value"),
        ("variants: [{name: a, when: {country: DE}, attributes: {country: {rank: [oldest]}}}]", "decides"),
        (
            "variants: [{name: a, when: {country: DE}, attributes: {industry: {}}},"
            " {name: a, when: {country: AT}, attributes: {industry: {}}}]",
            "another variant",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=problem) as told:
        rules(tmp_path, f"default: {{rank: [trust]}}\n{text}")
    assert "line 6" in str(told.value)
