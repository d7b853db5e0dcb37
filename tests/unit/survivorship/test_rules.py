"""The building blocks of rule sets that the shipped ones use little or not at all."""

from pathlib import Path
from typing import Any

import pytest

from mdm.model.records import StoredRecord
from survivorship.criteria import comparable
from survivorship.engine import consolidate
from survivorship.ruleset import load_ruleset
from survivorship.writing import folded, search_words, written
from tests.unit.survivorship.members import member, trust


def survivor(tmp_path: Path, rule: str, *members: StoredRecord, attribute: str = "industry") -> Any:
    """The golden value of an attribute under one rule, written as in a document."""
    file = tmp_path / "rules.yaml"
    file.write_text(
        f"domain: customer\nversion: '1'\ndefault: {{rank: [trust]}}\nattributes: {{{attribute}: {rule}}}\n"
        "display: [name]\nsearch: {}\n"
    )
    return consolidate(load_ruleset("customer", file), members, trust).values.get(attribute)


@pytest.mark.parametrize(
    ("rank", "survives"),
    [
        ("most_recent", "Retail trade"),
        ("oldest", "wholesale"),
        ("longest", "Wholesale of goods"),
        ("most_frequent", "WHOLESALE"),
        ("best_written", "Wholesale of goods"),
        ("trust", "Wholesale of goods"),
        ("best_supported", "WHOLESALE"),
        ("{best_supported: industry}", "WHOLESALE"),
        ("{states: employees}", "wholesale"),
    ],
)
def test_each_criterion_picks_its_own_winner(tmp_path: Path, rank: str, survives: str) -> None:
    members = [
        member("product:1", at=0, industry="wholesale", employees=5),
        member("crm:1", at=2, industry="WHOLESALE"),
        member("erp:1", at=1, industry="Wholesale of goods"),
        member("billing:1", at=3, industry="Retail trade"),
    ]

    assert survivor(tmp_path, f"{{rank: [{rank}]}}", *members) == survives


def test_maximum_and_minimum_compare_amounts_not_texts(tmp_path: Path) -> None:
    members = [member("crm:1", annual_revenue="900.00"), member("erp:1", annual_revenue="10000.5")]

    assert survivor(tmp_path, "{rank: [maximum]}", *members, attribute="annual_revenue") == "10000.5"
    assert survivor(tmp_path, "{rank: [minimum]}", *members, attribute="annual_revenue") == "900.00"


def test_minimum_of_dates_is_the_earliest(tmp_path: Path) -> None:
    members = [member("crm:1", validated_on="2025-03-01"), member("erp:1", validated_on="2024-12-31")]

    assert survivor(tmp_path, "{rank: [minimum]}", *members, attribute="validated_on") == "2024-12-31"


def test_validated_first_of_a_plain_value_follows_the_validated_record(tmp_path: Path) -> None:
    members = [member("erp:1", industry="Retail"), member("product:1", industry="Wholesale", validated=True)]

    assert survivor(tmp_path, "{rank: [validated_first]}", *members) == "Wholesale"


def test_only_shuts_records_out(tmp_path: Path) -> None:
    rule = "{only: {status: [active, prospect]}}"

    assert survivor(tmp_path, rule, member("erp:1", industry="Retail", status="inactive")) is None
    assert survivor(tmp_path, rule, member("erp:1", industry="Retail", status="active")) == "Retail"


def test_a_rule_may_trust_a_table_differently_from_its_platform(tmp_path: Path) -> None:
    members = [member("erp:1", industry="Retail"), member("crm:1", industry="Wholesale")]

    assert survivor(tmp_path, "{trust: {erp.table: 0.1, erp: 1.0}}", *members) == "Wholesale"
    assert survivor(tmp_path, "{trust: {erp.other: 0.1, crm: 0.95}}", *members) == "Wholesale"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme Ltd.", "ACME LTD"), ("1200.00", "1200"), ("ｓａｋｅ", "sake"), ({"a": "X", "b": None}, {"a": "x"})],
)
def test_values_that_say_the_same_compare_as_equal(one: object, other: object) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("1.20", "12.0"), ("Acme", "Acne")])
def test_values_that_say_something_else_do_not(one: object, other: object) -> None:
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Acme Tools Ltd", "ACME TOOLS LTD"),
        ("ACME TOOLS LTD", "acme tools ltd"),
        ("Société Générale", "Societe Generale"),
        ("山田製作所", "YAMADA SEISAKUSHO"),
        ("Acme Tools Ltd", "Acme Tools Ltd - DO NOT USE"),
        ("Smith & Co", "Smith &amp; Co"),
        ("IBM", "ibm"),
    ],
)
def test_a_better_written_text_gets_the_higher_grade(better: str, worse: str) -> None:
    assert written(better) > written(worse)


def test_a_text_of_punctuation_only_still_has_a_folded_form() -> None:
    assert folded("!!!") == "!!!"


def test_search_words_are_transliterated() -> None:
    assert search_words("Ελλάς Α.Ε. Nr. 5") == ("ellas", "a", "e", "nr", "5")
