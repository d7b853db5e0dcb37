"""Identifiers on the command line: the linter, and what was given to another company."""

from pathlib import Path
from shutil import copytree

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import SHIPPED_SOURCES
from tests.integration.cli.conftest import Command, printed


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return Path(copytree(SHIPPED_SOURCES, tmp_path / "sources"))


def test_the_linter_names_columns_that_nobody_declares(
    mdm: Command, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = sources / "crm" / "account.yaml"
    said = account.read_text("utf-8")
    account.write_text(said.replace("  duns_number: {type: duns, issuer", "  phone: {type: duns, issuer"), "utf-8")
    monkeypatch.setenv("MDM_SOURCES", str(sources))

    found = mdm("identifiers", "lint", "--json")

    assert found.exit_code == 1
    assert [(each["table"], each["column"]) for each in printed(found)["findings"]] == [("account", "duns_number")]
    monkeypatch.delenv("MDM_SOURCES")
    assert mdm("identifiers", "lint").exit_code == 0


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("id: {type: row, issuer: crm, country: world}", "exclusive must say"),
        ("nothing: {type: row, issuer: crm, country: world, exclusive: true}", "is not a column"),
        ("id: {type: row, issuer: crm, country: nowhere, exclusive: true}", "must be a code of two letters"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_line(
    mdm: Command, sources: Path, monkeypatch: pytest.MonkeyPatch, told: str, problem: str
) -> None:
    account = sources / "crm" / "account.yaml"
    right = "id: {type: row, issuer: crm, country: world, exclusive: true}"
    account.write_text(account.read_text("utf-8").replace(right, told), "utf-8")
    monkeypatch.setenv("MDM_SOURCES", str(sources))

    with pytest.raises(ConfigurationInvalid, match=r"account\.yaml:\d+: namespaces.*" + problem):
        mdm("identifiers", "list")


def test_what_columns_hold_is_listed(mdm: Command) -> None:
    rows = {(each["system"], each["column"]): each for each in printed(mdm("identifiers", "list", "--json"))}

    assert rows["erp", "lei"]["issuer"] == "GLEIF"
