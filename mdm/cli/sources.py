"""Commands about sources: which there are, taking one out of service and back."""

from collections.abc import Mapping
from dataclasses import asdict
from getpass import getuser
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, hub, many, pipeline, print_json, print_table, progress_bar
from mdm.hub.retiring import Moved, restore, retire, try_to_restore, try_to_retire
from mdm.model.arrivals import DomainArrivals
from mdm.store.retirements import all_retirements, known_sources

sources = typer.Typer(no_args_is_help=True)
_NAME = typer.Argument(..., metavar="NAME", help="A platform, as `mdm sources list` calls it.")
_DRY_RUN = typer.Option(False, "--dry-run", help="Find out on a copy of the hub what it would do; change nothing.")
_REASON = typer.Option("", "--reason", help="Why; kept in the audit. Needed unless it is a dry run.")


@sources.callback()
def _root() -> None:
    """Sources: list, retire, restore."""


@sources.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """Every source with its rows and golden records, and which are out of service since when and why."""
    with hub() as opened, opened.engine.connect() as connection:
        known, ended = known_sources(connection), all_retirements(connection)
    now = {each.system: each for each in ended if each.state != "restored"}
    if as_json:
        print_json(
            {
                "sources": [
                    {**asdict(each), "state": now[each.system].state if each.system in now else "in_service"}
                    for each in known
                ],
                "retirements": [asdict(each) for each in ended],
            }
        )
        return
    rows = []
    for each in known:
        out = now.get(each.system)
        told = f"{out.state} {out.retired_at:%Y-%m-%d} by {out.retired_by}: {out.reason}" if out else "in service"
        rows.append([each.system, each.tables, each.rows, each.golden, told])
    print_table("Sources", ("source", "tables", "live rows", "golden records", "state"), rows, right=(1, 2, 3))


@sources.command("retire")
def retire_command(
    name: str = _NAME, reason: str = _REASON, dry_run: bool = _DRY_RUN, as_json: bool = JSON_OPTION
) -> None:
    """Take a source out of service: golden records are formed without it. History, lineage and decisions stay, and
    `restore` takes it back. Interrupted, it goes on where it was when it is called again."""
    with hub() as opened, progress_bar("retiring", quiet=as_json) as tell:
        through = pipeline(opened)
        moved = try_to_retire(through, name, tell) if dry_run else retire(through, name, getuser(), reason, tell)
    _tell(moved, "would go" if dry_run else "went", dry_run, as_json)
    if not as_json and not dry_run:
        typer.echo(
            f"`mdm sources restore {name}` takes it back. Stop its connector; what it still sends has no effect."
        )


@sources.command("restore")
def restore_command(
    name: str = _NAME, reason: str = _REASON, dry_run: bool = _DRY_RUN, as_json: bool = JSON_OPTION
) -> None:
    """Take a source back into service, with what it has said meanwhile."""
    with hub() as opened, progress_bar("restoring", quiet=as_json) as tell:
        through = pipeline(opened)
        moved = try_to_restore(through, name, tell) if dry_run else restore(through, name, getuser(), reason, tell)
    _tell(moved, "would come back" if dry_run else "came back", dry_run, as_json)


def _tell(moved: Moved, what: str, dry_run: bool, as_json: bool) -> None:
    if as_json:
        domains = {domain.value: _document(each) for domain, each in moved.domains.items()}
        print_json({"source": moved.system, "dry_run": dry_run, "rows": moved.rows, "domains": domains})
        return
    typer.echo(f"{many(moved.rows, 'row')} of {moved.system} {what}.")
    rows = [
        [domain, each.changed, each.merged, each.retired, each.founded, each.in_erp, sum(each.questions.values()),
         _most_changed(each.attributes)]
        for domain, each in moved.domains.items()
    ]  # fmt: skip
    titles = ("domain", "changed", "merged", "ended", "new", "of these in ERP", "questions", "attributes, most first")
    print_table("Golden records", titles, rows, right=range(1, 7))


def _document(each: DomainArrivals) -> dict[str, Any]:
    return {
        "changed": each.changed, "merged": each.merged, "retired": each.retired, "founded": each.founded,
        "erp_concerned": each.in_erp, "questions": dict(each.questions), "attributes": dict(each.attributes),
    }  # fmt: skip


def _most_changed(attributes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in list(attributes.items())[:3])
