"""Commands about data contracts, for the hub's side and the vendor's: list, lint, diff, test."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, many, print_json, print_table, sources_folder
from mdm.cli.open_feed import open_to_look
from mdm.errors import OperatorError
from mdm.hub.contract_trial import TableTest, trial_catalogue, try_contract
from mdm.intake.catalogue import CONTRACT_FILES, SHIPPED_SOURCES, load_catalogue
from mdm.intake.contract_diff import diff_contracts
from mdm.intake.contract_folder import lint_together
from mdm.intake.contract_lint import UNREADABLE, Severity, lint
from mdm.intake.contracts import Contract, read_contracts
from mdm.model.events import Message

contracts = typer.Typer(no_args_is_help=True)

_SOURCES = typer.Option(None, "--sources", help="Folder of platforms; default: MDM_SOURCES, or the shipped ones.")


@contracts.command("list")
def list_command(sources: Path | None = _SOURCES, as_json: bool = JSON_OPTION) -> None:
    """Every contract with version, state, owner and modes; both majors of a table that migrates."""
    sources = sources_folder(sources) or SHIPPED_SOURCES
    load_catalogue(sources)
    rows = [_row(each) for file in _files(sources) for each in read_contracts(file)]
    if as_json:
        print_json(rows)
        return
    names = ("system", "role", "table", "version", "state", "owner", "mode", "truncate", "topic", "columns")
    print_table("Data contracts", names, [[row[name] for name in names] for row in rows], right=(9,))


def _row(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "system": contract.system,
        "role": contract.role,
        "table": contract.table,
        "version": contract.version,
        "state": contract.status,
        "owner": contract.owner,
        "mode": contract.mode.value,
        "column_modes": {name: each.mode.value for name, each in contract.columns.items() if each.mode is not None},
        "truncate": "apply" if contract.truncate_applies else "hold",
        "topic": contract.topic,
        "primary_key": list(contract.primary_key),
        "columns": len(contract.columns),
        "file": str(contract.file),
    }


@contracts.command("lint")
def lint_command(
    paths: list[Path] = typer.Argument(None, help="Documents or folders; default: MDM_SOURCES, or the shipped ones."),
    strict: bool = typer.Option(False, "--strict", help="Fail on warnings, too."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Check documents against ODCS 3, as the hub reads them, and for an owner; and those of a table with each other.

    Exits with 1 when there are errors.
    """
    files = list(
        dict.fromkeys(file for path in paths or [sources_folder() or SHIPPED_SOURCES] for file in _files(path))
    )
    alone = {file: lint(file) for file in files}
    readable = [file for file, found in alone.items() if not any(each.code in UNREADABLE for each in found)]
    findings = [finding for found in alone.values() for finding in found]
    findings += lint_together([contract for file in readable for contract in read_contracts(file)])
    if as_json:
        print_json({"files": [str(file) for file in files], "findings": [asdict(each) for each in findings]})
    else:
        rows = [[each.severity, each.code, each.file, each.where, each.detail] for each in findings]
        if rows:
            print_table("Findings", ("severity", "code", "file", "where", "what"), rows)
        typer.echo(f"{many(len(files), 'document')}, {many(len(findings), 'finding')}.")
    if any(strict or each.severity is Severity.ERROR for each in findings):
        raise typer.Exit(1)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(path.glob(f"**/{CONTRACT_FILES}"))
    if not files:
        raise OperatorError(f"{path} holds no contract.", action=f"Contracts are files called {CONTRACT_FILES}.")
    return files


def _step(name: str) -> str:
    return "no step" if name == "none" else f"a {name} step"


@contracts.command("diff")
def diff_command(
    before: Path = typer.Argument(..., help="The document as it was."),
    after: Path = typer.Argument(..., help="The document as it is to be."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What changed, how large a step it is, and whether the version number says so. Exits with 1 when it does not."""
    found = diff_contracts(read_contracts(before), read_contracts(after))
    if as_json:
        changes = [asdict(each) | {"step": each.step.name.lower()} for each in found.changes]
        print_json(
            {
                "before": found.before,
                "after": found.after,
                "needed": found.needed.name.lower(),
                "taken": found.taken.name.lower(),
                "honest": found.honest,
                "changes": changes,
            }
        )
    else:
        rows = [[each.step.name.lower(), each.code, each.table, each.column, each.detail] for each in found.changes]
        if rows:
            print_table("Changes", ("step", "code", "table", "column", "what"), rows)
        needed, taken = (_step(each.name.lower()) for each in (found.needed, found.taken))
        typer.echo(f"{found.before} to {found.after} is {taken}; the changes need {needed}.")
    if not found.honest:
        raise typer.Exit(1)


@contracts.command("test")
def trial_command(
    document: Path = typer.Argument(..., help="The contract; a draft is read as if it were active."),
    feed: str = typer.Option(..., help="Events to hold against it: file:PATH or kafka://HOST:PORT."),
    limit: int = typer.Option(100_000, min=1, help="Most messages to look at."),
    allow_drift: bool = typer.Option(
        False, "--allow-drift", help="Differences that are only told do not fail the test."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Read events by a contract, and tell what would be refused and what would be told. Exits with 1 when any would."""
    catalogue = trial_catalogue(document)
    source = open_to_look(feed, None, catalogue)
    messages: list[Message] = []
    while len(messages) < limit:
        batch = source.poll(min(10_000, limit - len(messages)), 1.0)
        messages.extend(batch)
        if not batch and source.at_end():
            break
    source.close()
    results = try_contract(catalogue, messages)
    if as_json:
        print_json({"passed": all(each.passed for each in results), "tables": [asdict(each) for each in results]})
    else:
        _print_results(results)
    if any(each.refused or (each.drifts and not allow_drift) for each in results):
        raise typer.Exit(1)


def _print_results(results: tuple[TableTest, ...]) -> None:
    rows: list[list[object]] = []
    for each in results:
        rows.append([each.topic, each.messages, each.events, "passed" if each.passed else "", ""])
        rows += [["", "", "", "refused", f"{number:,} x {code}: {reason}"] for code, reason, number in each.refused]
        rows += [["", "", "", "told", f"{code}: {detail}"] for code, _, detail in each.drifts]
    print_table("Contract test", ("topic", "messages", "events", "result", "what"), rows, right=(1, 2))
