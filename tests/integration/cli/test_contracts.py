"""Contracts as a vendor and a pull request check them."""

from pathlib import Path

import pytest

from mdm.errors import Conflict, Refused
from mdm.intake.catalogue import SHIPPED_SOURCES
from tests.integration.cli.conftest import Command, printed

CRM = SHIPPED_SOURCES / "crm" / "contract.odcs.yaml"
EVENTS = f"file:{Path(__file__).parents[3] / 'mdm' / 'demo' / 'world' / 'events'}"


def changed(folder: Path, old: str, new: str) -> Path:
    text = CRM.read_text("utf-8")
    assert old in text
    file = folder / "contract.odcs.yaml"
    file.write_text(text.replace(old, new), "utf-8")
    return file


def test_the_shipped_contracts_are_listed_and_sound(mdm: Command) -> None:
    assert {row["state"] for row in printed(mdm("contracts", "list", "--json"))} == {"active"}
    assert mdm("contracts", "lint", "--strict").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        pytest.param(("1.0.0", "active"), ("1.1.0", "active"), {"MAJOR_TWICE"}, id="two of one major"),
        pytest.param(("1.0.0", "active"), ("1.1.0", "draft"), {"MAJOR_TWICE"}, id="a draft of the same major"),
        pytest.param(("1.0.0", "active"), ("2.0.0", "active"), {"MIGRATION_UNMARKED"}, id="nobody is told to move"),
        pytest.param(("1.0.0", "deprecated"), ("2.0.0", "active"), {"NO_END_OF_SUPPORT"}, id="no end is named"),
        pytest.param(("1.0.0", "active"), ("3.0.0", "draft"), {"VERSION_GAP"}, id="a gap"),
        pytest.param(("1.0.0", "active"), ("2.0.0", "draft"), set(), id="a draft of the next major"),
        pytest.param(("1.0.0", "retired"), ("2.0.0", "active"), {"RETIRED"}, id="after the migration"),
    ],
)
def test_the_documents_of_a_folder_are_held_against_each_other(
    mdm: Command, tmp_path: Path, old: tuple[str, str], new: tuple[str, str], codes: set[str]
) -> None:
    text = CRM.read_text("utf-8")
    for name, (version, state) in {"contract.odcs.yaml": old, "contract.v2.odcs.yaml": new}.items():
        other = text.replace("version: 1.0.0", f"version: {version}").replace("status: active", f"status: {state}")
        (tmp_path / name).write_text(other, "utf-8")

    found = printed(mdm("contracts", "lint", tmp_path, "--json"))["findings"]

    assert {each["code"] for each in found} == codes
    assert {each["severity"] for each in found if each["code"] == "MAJOR_TWICE"} <= {"error"}


def test_a_topic_of_two_platforms_fails(mdm: Command, tmp_path: Path) -> None:
    text = CRM.read_text("utf-8")
    (tmp_path / "contract.odcs.yaml").write_text(text, "utf-8")
    (tmp_path / "contract.other.odcs.yaml").write_text(text.replace("value: crm", "value: other", 1), "utf-8")

    result = mdm("contracts", "lint", tmp_path, "--json")

    assert result.exit_code == 1
    assert {each["code"] for each in printed(result)["findings"]} >= {"TOPIC_TWICE"}


def test_a_breaking_change_without_a_major_step_fails(mdm: Command, tmp_path: Path) -> None:
    other = changed(tmp_path, "{name: industry, logicalType: string, physicalType: varchar(80)}", "{name: branch, "
                    "logicalType: string, physicalType: varchar(80)}")  # fmt: skip

    result = mdm("contracts", "diff", CRM, other, "--json")

    assert result.exit_code == 1
    assert (printed(result)["needed"], printed(result)["honest"]) == ("major", False)
    told = mdm("contracts", "diff", CRM, other).stdout
    assert "COLUMN_RENAMED" in told
    assert "1.0.0 to 1.0.0 is no step; the changes need a major step." in told


def test_events_are_held_against_a_draft(mdm: Command, tmp_path: Path) -> None:
    draft = changed(tmp_path, "status: active", 'status: "draft" # to be agreed')
    assert mdm("contracts", "test", draft, "--feed", EVENTS).exit_code == 0

    wrong = changed(tmp_path, "name: is_won, logicalType: boolean, physicalType: bool", "name: is_won, logicalType: "
                    "integer, physicalType: int")  # fmt: skip
    result = mdm("contracts", "test", wrong, "--feed", EVENTS, "--json")

    assert result.exit_code == 1
    refused = {table["topic"]: table["refused"] for table in printed(result)["tables"] if table["refused"]}
    assert refused["crm.public.opportunity"][0][0] == "VALUE_TYPE"


def test_a_document_that_is_none_is_told_with_every_fault(mdm: Command, tmp_path: Path) -> None:
    result = mdm("contracts", "lint", changed(tmp_path, "kind: DataContract", "kind: Poem"), "--json")

    assert result.exit_code == 1
    assert {finding["code"] for finding in printed(result)["findings"]} == {"NOT_ODCS", "NOT_READABLE"}


def test_a_contract_is_proposed_approved_by_somebody_else_and_taken_over(mdm: Command, tmp_path: Path) -> None:
    file = changed(tmp_path, "version: 1.0.0", "version: 1.1.0")
    made = printed(mdm("contracts", "propose", file, "--title", "in other words", "--actor", "anna", "--json"))
    number = made["proposal_id"]
    assert (made["system"], made["status"], made["author"]) == ("crm", "proposed", "anna")
    with pytest.raises(Refused, match="they proposed"):
        mdm("contracts", "approve", number, "--reason", "mine", "--actor", "anna")
    folder = tmp_path / "sources"
    with pytest.raises(Conflict, match="is proposed"):
        mdm("contracts", "take-over", number, "--sources", folder)
    assert "approved by ben" in mdm("contracts", "approve", number, "--reason", "fine", "--actor", "ben").stdout
    assert "in other words" in mdm("contracts", "proposals", "--status", "approved").stdout
    assert "apiVersion: v3" in mdm("contracts", "proposal", number).stdout

    assert "is version 1.1.0 of crm" in mdm("contracts", "take-over", number, "--sources", folder).stdout
    assert (folder / "crm" / "contract.odcs.yaml").read_text("utf-8") == file.read_text("utf-8")
    assert mdm("contracts", "lint", folder).exit_code == 0
