"""What a proposed contract would do to the hub, found out without doing it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mdm.hub.contract_effects import ContractEffect, effect_of
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.intake.contract_diff import Step
from mdm.model.contract_proposals import ContractProposal, ProposalStatus

CRM = (SHIPPED_SOURCES / "crm" / "contract.odcs.yaml").read_text("utf-8")
#: One column of customers that a mapping reads, and one that nothing reads.
SEGMENT = next(line for line in CRM.splitlines(keepends=True) if "name: segment__c" in line)
SOURCE = next(line for line in CRM.splitlines(keepends=True) if "name: account_source" in line)


def effect(document: str, system: str = "crm") -> ContractEffect:
    made = ContractProposal(
        1, system, "2.0.0", "1.0.0", document, "f", "t", {}, ProposalStatus.PROPOSED, "user:ada",
        datetime(2026, 1, 1, tzinfo=UTC), None, None, "",
    )  # fmt: skip
    return effect_of(load_catalogue(None), made)


def test_a_column_that_a_mapping_reads_is_named_with_what_it_is_read_for() -> None:
    found = effect(CRM.replace("version: 1.0.0", "version: 2.0.0", 1).replace(SEGMENT, "", 1))

    (reached,) = found.changes
    assert (reached.change.code, reached.change.column, reached.breaks) == ("COLUMN_REMOVED", "segment__c", True)
    assert [use.of for use in reached.uses] == ["segment"]
    assert found.needed is Step.MAJOR
    assert "account.yaml" in found.unreadable, "the mapping still names the column"
    assert "segment__c" in found.unreadable
    assert not found.unreadable.startswith("/"), "no path of the trial is told"


def test_a_column_that_nothing_reads_breaks_who_reads_the_topic_and_not_the_hub() -> None:
    found = effect(CRM.replace("version: 1.0.0", "version: 2.0.0", 1).replace(SOURCE, "", 1))

    assert [(each.change.column, each.breaks, each.uses) for each in found.changes] == [("account_source", True, ())]
    assert found.unreadable == ""


def test_a_platform_that_the_hub_does_not_know_changes_nothing_in_force() -> None:
    document = CRM.replace("crm", "crm2").replace("role, value: crm2", "role, value: crm")

    found = effect(document, "crm2")

    assert (found.in_force, found.changes, found.needed, found.unreadable) == (None, (), Step.NONE, "")


def test_the_shipped_platforms_stay_as_they_are() -> None:
    before = {file: file.read_bytes() for file in SHIPPED_SOURCES.rglob("*.yaml")}

    effect(CRM.replace("version: 1.0.0", "version: 2.0.0", 1).replace(SEGMENT, "", 1))

    assert {file: file.read_bytes() for file in SHIPPED_SOURCES.rglob("*.yaml")} == before


@pytest.mark.parametrize("line", [SEGMENT, SOURCE])
def test_the_shipped_contract_has_the_columns_that_these_cases_are_about(line: str) -> None:
    assert CRM.count(line) == 1
    assert Path(SHIPPED_SOURCES / "crm" / "account.yaml").is_file()
