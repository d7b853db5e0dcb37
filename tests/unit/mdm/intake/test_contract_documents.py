"""Contracts are documents of the standard; what changed between two of them has a size, and the version must own up."""

from pathlib import Path

import pytest

from mdm.intake.catalogue import CONTRACT_FILES, SHIPPED_SOURCES
from mdm.intake.contract_diff import Step, diff_contracts
from mdm.intake.contract_lint import Severity, lint
from mdm.intake.contracts import read_contracts
from tests.unit.mdm.intake.messages import CONTRACT

PLAIN = CONTRACT.format(mode="evolve", truncate="hold", decimals="string")
DESCRIBED = PLAIN
for plain, described in (
    ("status: active", "status: active\ndescription: {purpose: Parts that the shop sells.}"),
    ("physicalName: public.part", "physicalName: public.part\n    description: A part."),
    ("{name: id,", "{name: id, logicalType: integer,"),
    ("{name: name,", "{name: name, logicalType: string,"),
    ("{name: price,", "{name: price, logicalType: number,"),
    ("{name: made_on,", "{name: made_on, logicalType: date,"),
    ("{name: colour,", "{name: colour, logicalType: string,"),
):
    DESCRIBED = DESCRIBED.replace(plain, described)


def written(folder: Path, text: str, name: str = "contract.odcs.yaml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("file", sorted(SHIPPED_SOURCES.glob(f"*/{CONTRACT_FILES}")), ids=lambda file: file.parent.name)
def test_every_shipped_contract_is_a_document_of_the_standard_without_a_finding(file: Path) -> None:
    assert lint(file) == ()


def test_a_sound_contract_has_no_finding(tmp_path: Path) -> None:
    assert lint(written(tmp_path, DESCRIBED)) == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "severity"),
    [
        ("kind: DataContract", "kind: Poem", "NOT_ODCS", Severity.ERROR),
        ("status: active", "status: [active]", "NOT_ODCS", Severity.ERROR),
        ("value: string", "value: loud", "NOT_READABLE", Severity.ERROR),
        ("logicalType: number, ", "", "NOT_ODCS", Severity.ERROR),
        ("schema:", "schema: [", "NOT_YAML", Severity.ERROR),
        ("version: 1.0.0", "version: !!int many", "NOT_YAML", Severity.ERROR),
        ("version: 1.0.0", f"version: {'[' * 2000}{']' * 2000}", "NOT_YAML", Severity.ERROR),
        (
            "properties:",
            "properties: &own [{name: a, logicalType: object, properties: *own}]\n    x:",
            "NOT_YAML",
            Severity.ERROR,
        ),
        (
            "schema:",
            "schema:\n  - {name: part, properties: [{name: id, logicalType: string}]}",
            "NOT_READABLE",
            Severity.ERROR,
        ),
        ("role: owner", "role: bystander", "NO_OWNER", Severity.ERROR),
        (", primaryKey: true", "", "NO_KEY", Severity.ERROR),
        ("required: true, primaryKey", "primaryKey", "KEY_OPTIONAL", Severity.WARNING),
        ("    description: A part.", "", "NO_DESCRIPTION", Severity.WARNING),
        ("description: {purpose: Parts that the shop sells.}", "", "NO_PURPOSE", Severity.WARNING),
        ("value: string", "value: double", "DECIMALS_LOSE_DIGITS", Severity.WARNING),
        ("  - {property: role, value: erp}\n", "", "NO_ROLE", Severity.WARNING),
        ("{property: role, value: erp}", "{property: role, value: warehouse}", "NOT_READABLE", Severity.ERROR),
    ],
)
def test_what_is_to_be_mended_is_named(tmp_path: Path, old: str, new: str, code: str, severity: Severity) -> None:
    assert old in DESCRIBED

    findings = lint(written(tmp_path, DESCRIBED.replace(old, new)))

    assert (code, severity) in {(finding.code, finding.severity) for finding in findings}


CHANGES = [
    ("physicalType: text, required: true", "physicalType: varchar(5), required: true", "COLUMN_NARROWED", Step.MAJOR),
    ('"numeric(10,2)"', '"numeric(10,4)"', "COLUMN_WIDENED", Step.MINOR),
    ("physicalType: date", "physicalType: text", "COLUMN_RETYPED", Step.MAJOR),
    ("name: made_on,", "name: built_on,", "COLUMN_RENAMED", Step.MAJOR),
    ("      - {name: made_on, physicalType: date}\n", "", "COLUMN_REMOVED", Step.MAJOR),
    (
        "      - {name: made_on,",
        "      - {name: size, physicalType: int}\n      - {name: made_on,",
        "COLUMN_ADDED",
        Step.MINOR,
    ),
    ("physicalType: text, required: true", "physicalType: text", "COLUMN_OPTIONAL", Step.MAJOR),
    ("physicalName: public.part", "physicalName: public.parts", "TOPIC_CHANGED", Step.MAJOR),
    ("value: string", "value: precise", "ENCODING_CHANGED", Step.MAJOR),
    ("value: evolve", "value: freeze", "MODE_CHANGED", Step.MINOR),
    ("username: parts-desk", "username: somebody", "OWNER_CHANGED", Step.PATCH),
    ("role, value: erp", "role, value: crm", "ROLE_CHANGED", Step.PATCH),
    ("name: part\n", "name: piece\n", "TABLE_REMOVED", Step.MAJOR),
]


@pytest.mark.parametrize(("old", "new", "code", "step"), CHANGES, ids=[change[2] for change in CHANGES])
def test_a_change_has_a_size_and_the_version_must_own_up_to_it(
    tmp_path: Path, old: str, new: str, code: str, step: Step
) -> None:
    assert old in PLAIN
    before = read_contracts(written(tmp_path, PLAIN))
    numbers = {Step.PATCH: "1.0.1", Step.MINOR: "1.1.0", Step.MAJOR: "2.0.0"}

    silent = diff_contracts(before, read_contracts(written(tmp_path, PLAIN.replace(old, new), "b.yaml")))
    owned = PLAIN.replace(old, new).replace("version: 1.0.0", f"version: {numbers[step]}")
    honest = diff_contracts(before, read_contracts(written(tmp_path, owned, "c.yaml")))

    assert (code, step) in {(change.code, change.step) for change in silent.changes}
    assert silent.needed == step
    assert not silent.honest
    assert honest.honest


def test_an_enumeration_that_grows_is_a_minor_step(tmp_path: Path) -> None:
    small = PLAIN.replace(
        "{name: colour, physicalType: text,", "{name: colour, physicalType: text, enum: [{value: red}],"
    )
    large = small.replace("[{value: red}]", "[{value: red}, {value: blue}]")

    found = diff_contracts(read_contracts(written(tmp_path, small)), read_contracts(written(tmp_path, large, "b.yaml")))

    assert [(change.code, change.step) for change in found.changes] == [("ENUM_VALUES_ADDED", Step.MINOR)]


def test_a_version_that_goes_back_takes_no_step(tmp_path: Path) -> None:
    back = PLAIN.replace("version: 1.0.0", "version: 0.9.0")

    assert diff_contracts(
        read_contracts(written(tmp_path, PLAIN)), read_contracts(written(tmp_path, back, "b.yaml"))
    ).taken is (Step.NONE)
