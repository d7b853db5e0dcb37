"""Of every column it is known what it is read for, or that nothing reads it."""

from pathlib import Path

import pytest

from mdm.intake.catalogue import Profile, load_catalogue
from mdm.intake.column_coverage import Filling, Use, UseKind, column_coverage, fillings
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain


def profile_of(system: str, table: str) -> Profile:
    found = load_catalogue(None).profile(system, table)
    assert found is not None
    return found


def uses_of(system: str, table: str, column: str) -> tuple[Use, ...]:
    (found,) = (each for each in column_coverage(profile_of(system, table)).columns if each.name == column)
    return found.uses


@pytest.mark.parametrize(
    ("system", "table", "column", "use"),
    [
        ("crm", "account", "id", Use(UseKind.KEY, "key", "id")),
        ("crm", "account", "id", Use(UseKind.ALIAS, "id15", "id")),
        ("crm", "account", "name", Use(UseKind.ATTRIBUTE, "legal_form", "name", "legal_form")),
        ("crm", "account", "parent_id", Use(UseKind.ATTRIBUTE, "parent", "parent_id", "reference", "account")),
        ("crm", "account", "parent_id", Use(UseKind.REFERENCE, "parent", "parent_id", target="account")),
        ("crm", "account", "master_record_id", Use(UseKind.CLAIM, "same", "master_record_id", target="account")),
        ("billing", "invoice", "number", Use(UseKind.EVIDENCE, "invoice", "number", target="customer")),
    ],
)
def test_a_column_names_everything_that_it_is_read_for(system: str, table: str, column: str, use: Use) -> None:
    assert use in uses_of(system, table, column)


def test_a_column_that_nothing_reads_is_not_mapped() -> None:
    found = column_coverage(profile_of("crm", "account"))

    assert found.unmapped == tuple(each.name for each in found.columns if not each.uses) != ()
    assert found.mapped + len(found.unmapped) == len(found.columns) == 28
    assert found.share == found.mapped / 28
    assert (found.kind, found.domain) == ("customer", Domain.CUSTOMER)


def test_a_use_is_told_once_however_often_a_rule_names_the_column() -> None:
    for profile in load_catalogue(None).profiles:
        for column in column_coverage(profile).columns:
            assert len(column.uses) == len(set(column.uses)), (profile.table, column.name)


def test_of_a_table_without_a_mapping_only_the_key_is_read(tmp_path: Path) -> None:
    source = load_catalogue(None).folder
    assert source is not None
    (tmp_path / "crm").mkdir()
    document = source / "crm" / "contract.odcs.yaml"
    (tmp_path / "crm" / document.name).write_text(document.read_text("utf-8"), "utf-8")
    profile = load_catalogue(tmp_path).profile("crm", "account")
    assert profile is not None

    found = column_coverage(profile)

    assert (found.kind, found.domain, found.mapped) == ("", None, 1)
    assert "id" not in found.unmapped


def test_of_an_attribute_every_column_that_fills_it_is_known_and_where_there_is_none() -> None:
    found = fillings(load_catalogue(None).profiles, Domain.CUSTOMER)

    assert list(found) == [attribute.name for attribute in ATTRIBUTES[Domain.CUSTOMER]]
    assert Filling("crm", "account", "billing_country", "country") in found["country"]
    assert {each.system for each in found["name"]} >= {"billing", "crm", "erp"}
    assert [name for name, columns in found.items() if not columns] == [
        name
        for name in found
        if not any(
            rule.attribute == name
            for each in load_catalogue(None).profiles
            if each.mapping and each.mapping.domain is Domain.CUSTOMER
            for rule in each.mapping.attributes
        )
    ]
