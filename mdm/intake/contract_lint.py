"""Is a file a data contract that the hub can work with? Everything that is wrong with it, not only the first fault.

Checked against the schema of the Open Data Contract Standard as its own package ships it, then as the hub reads it,
then for what neither demands but people need: an owner, descriptions, a way to reach somebody.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from mdm.errors import ConfigurationInvalid
from mdm.intake.contracts import Contract, State, read_contracts
from mdm.intake.refusal import FALLBACK_OWNER
from mdm.model.platforms import PlatformRole

#: Findings after which there is no contract to look at.
UNREADABLE = frozenset({"NOT_YAML", "NOT_READABLE"})


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to mend in a contract."""

    file: str
    severity: Severity
    code: str
    where: str
    detail: str


def lint(file: Path) -> tuple[LintFinding, ...]:
    """Everything to mend in one document, errors first."""
    found = sorted(_lint(file), key=lambda each: each.severity is not Severity.ERROR)
    return tuple(found)


def _lint(file: Path) -> Iterator[LintFinding]:
    def error(code: str, where: str, detail: str) -> LintFinding:
        return LintFinding(str(file), Severity.ERROR, code, where, detail)

    try:
        # Dates stay as they are written: the standard's schema wants texts.
        document = yaml.load(file.read_text("utf-8"), Loader=_TextLoader)  # noqa: S506 - a SafeLoader without dates
        violations = list(_standard().iter_errors(document))
    # A ValueError is a value that is not what its tag says (`!!int many`).
    except (OSError, ValueError, yaml.YAMLError) as fault:
        yield error("NOT_YAML", "", str(fault))
        return
    except RecursionError:
        yield error("NOT_YAML", "", "It is nested too deeply to be read, or holds itself.")
        return
    for violation in violations:
        where = ".".join(str(step) for step in violation.absolute_path)
        yield error("NOT_ODCS", where, _message(violation))
    try:
        contracts = read_contracts(file)
    except ConfigurationInvalid as fault:
        yield error("NOT_READABLE", "", fault.message)
        return
    for contract in contracts:
        yield from _people(str(file), contract)
    if contracts[0].role is None and contracts[0].state is not State.RETIRED:
        yield LintFinding(str(file), Severity.WARNING, "NO_ROLE", "customProperties", without_role(contracts[0].system))
    yield from _described(str(file), document)


def without_role(system: str) -> str:
    """What a platform loses whose contracts do not say what it is, and what to write."""
    return (
        f"Nobody says what {system} is: state its role ({', '.join(PlatformRole)}). Without it its rows are in "
        "no ERP (a merge of two of them needs no second person, verdicts call the customer new to ERP, questions about "
        "it rank lower), golden values that it repeats count as evidence, and it gives no business unit."
    )


def _message(violation: jsonschema.ValidationError) -> str:
    # Where logicalType is missing, the standard's schema asks for what each of the types would need.
    if (
        isinstance(violation.instance, dict)
        and "name" in violation.instance
        and "logicalType" not in violation.instance
    ):
        return "'logicalType' is a required property"
    return violation.message[:300]


class _TextLoader(yaml.SafeLoader):
    """YAML without dates."""


def _as_written(_: yaml.SafeLoader, node: yaml.Node) -> str:
    return str(node.value)


_TextLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


@cache
def _standard() -> jsonschema.protocols.Validator:
    schema = json.loads(OpenDataContractStandard.json_schema())  # type: ignore[no-untyped-call]  # theirs
    return jsonschema.validators.validator_for(schema)(schema)


def _people(file: str, contract: Contract) -> Iterator[LintFinding]:
    def warning(code: str, where: str, detail: str) -> LintFinding:
        return LintFinding(file, Severity.WARNING, code, where, detail)

    if contract.owner == FALLBACK_OWNER:
        detail = "Nobody owns this table: name a member of `team` with role owner, or the property owner."
        yield LintFinding(file, Severity.ERROR, "NO_OWNER", contract.table, detail)
    if not contract.primary_key:
        yield LintFinding(file, Severity.ERROR, "NO_KEY", contract.table, "Without a primary key no row can be named.")
    optional_keys = [name for name in contract.primary_key if not contract.columns[name].required]
    if optional_keys:
        yield warning(
            "KEY_OPTIONAL", f"{contract.table}.{optional_keys[0]}", "A key column is always required: say so."
        )
    if contract.encodings.binary.startswith("base64") and contract.encodings.database == "postgresql":
        detail = "binary.handling.mode=base64 sends null for unchanged large values: they cannot be told from null."
        yield warning("BINARY_LOSES_VALUES", contract.table, detail)
    if contract.encodings.decimals == "double":
        yield warning("DECIMALS_LOSE_DIGITS", contract.table, "decimal.handling.mode=double is not exact: use string.")
    if contract.state is State.RETIRED:
        yield warning("RETIRED", contract.table, "No event is read by it: it can go once every row was sent anew.")


def _described(file: str, document: Any) -> Iterator[LintFinding]:  # Any: a YAML document
    for position, table in enumerate(document.get("schema") or ()):
        if not table.get("description"):
            where = f"schema.{position} ({table.get('name')})"
            yield LintFinding(file, Severity.WARNING, "NO_DESCRIPTION", where, "Say in a sentence what a row is.")
    ends = {each.get("property") for each in document.get("slaProperties") or () if isinstance(each, dict)}
    if document.get("status") == State.DEPRECATED and not ends & {"endOfSupport", "endOfLife"}:
        detail = "Say until when the old version is sent: slaProperties with property endOfSupport and a date as value."
        yield LintFinding(file, Severity.WARNING, "NO_END_OF_SUPPORT", "slaProperties", detail)
    if not (document.get("description") or {}).get("purpose"):
        yield LintFinding(file, Severity.WARNING, "NO_PURPOSE", "description", "Say what the platform sends these for.")
