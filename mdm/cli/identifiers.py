"""Commands about identifiers: what their columns hold, and which ones a source gave to another company."""

from dataclasses import asdict
from getpass import getuser

import typer

from mdm.cli.context import JSON_OPTION, many, print_json, print_table, sources_folder
from mdm.cli.naming import exception_number
from mdm.cli.steward_bench import bench_of
from mdm.hub.identifiers import as_json as object_of
from mdm.hub.identifiers import demote, keep, told
from mdm.intake.catalogue import load_catalogue
from mdm.intake.namespaces import lint

identifiers = typer.Typer(no_args_is_help=True)

_NAME = typer.Argument(..., metavar="ID", help="The exception about it: E12.", parser=exception_number)
_REASON = typer.Option(..., "--reason", help="Why; the audit keeps it.")


@identifiers.callback()
def _root() -> None:
    """Identifiers: what columns hold, and which were given to another company."""


@identifiers.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """What every identifier column holds: type, issuer, country, and whether one thing alone has a value."""
    rows = [
        {"system": profile.system, "table": profile.table, **asdict(each)}
        for profile in load_catalogue(sources_folder()).profiles
        if profile.mapping is not None
        for each in profile.mapping.namespaces
    ]
    if as_json:
        print_json(rows)
        return
    names = ("system", "table", "column", "type", "issuer", "country", "exclusive")
    shown = [[str(row[name]).lower() if name == "exclusive" else row[name] for name in names] for row in rows]
    print_table("Identifier columns", names, shown)


@identifiers.command("lint")
def lint_command(as_json: bool = JSON_OPTION) -> None:
    """Identifier columns of which no mapping says what they hold. Exits with 1 when there are any."""
    found = lint(load_catalogue(sources_folder()).profiles)
    if as_json:
        print_json({"findings": [{**asdict(each), "detail": each.detail} for each in found]})
    else:
        for each in found:
            typer.echo(f"{each.system}.{each.table} {each.column} ({each.owner}): {each.detail}")
        typer.echo(f"{many(len(found), 'column')} without a namespace.")
    if found:
        raise typer.Exit(1)


@identifiers.command("recycled")
def recycled_command(as_json: bool = JSON_OPTION) -> None:
    """Identifiers that a source gave to another company: who held them when, and what may have to be taken back."""
    with bench_of("") as bench:
        found = told(bench.pipeline)
    if as_json:
        print_json([object_of(each, numbers=True) for each in found])
        return
    for each in found:
        about = each.noted
        state = f"counts again: {about.kept_because} ({about.kept_by})" if about.counts else "counts for nothing"
        typer.echo(f"E{about.exception_id}  {about.name.identifier} of {about.name.system} {about.name.type}; {state}")
        for holder in each.holders:
            until = f"to {holder.until:%Y-%m-%d}" if holder.until else "on"
            typer.echo(f"  {holder.since:%Y-%m-%d} {until}: {holder.name} ({', '.join(map(str, holder.rows))})")
        for one in each.take_back:
            undo = f" - mdm steward undo {one.decision_id}" if one.decision_id is not None else ""
            by = f", {one.by} {one.at:%Y-%m-%d}" if one.by and one.at else ""
            typer.echo(f"  look at: {one.what}{by}{undo}")
    typer.echo(f"{many(len(found), 'recycled identifier')}.")


@identifiers.command("keep")
def keep_command(exception_id: int = _NAME, reason: str = _REASON, as_json: bool = JSON_OPTION) -> None:
    """Say that the holders of an identifier are one company after all: it counts again."""
    with bench_of("") as bench:
        keep(bench.pipeline, exception_id, reason, getuser())
    _done(exception_id, "counts", as_json)


@identifiers.command("demote")
def demote_command(exception_id: int = _NAME, reason: str = _REASON, as_json: bool = JSON_OPTION) -> None:
    """Take that word back: the identifier counts for nothing again."""
    with bench_of("") as bench:
        demote(bench.pipeline, exception_id, reason, getuser())
    _done(exception_id, "demoted", as_json)


def _done(exception_id: int, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"exception_id": exception_id, "state": state})
    else:
        typer.echo(f"E{exception_id}: {'counts again' if state == 'counts' else 'counts for nothing'}.")
