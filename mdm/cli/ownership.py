"""Commands about ownership: who answers for what, and what is missing."""

import os
from dataclasses import asdict

import typer

from mdm.cli.context import JSON_OPTION, hub, many, print_json, print_table, sources_folder
from mdm.errors import NotFound
from mdm.hub.ownership import history as versions_of
from mdm.hub.ownership import remember_ownership
from mdm.intake.catalogue import load_catalogue
from mdm.intake.ownership import Ownership, Row, lint, load_ownership, matrix
from mdm.settings import read_settings

ownership = typer.Typer(no_args_is_help=True)


@ownership.callback()
def _root() -> None:
    """Who answers for what, in the business and in IT."""


@ownership.command("show")
def show(
    entity: str | None = typer.Option(None, help="Only of this entity or fact."), as_json: bool = JSON_OPTION
) -> None:
    """The matrix: attribute, authority, owners, platforms with their trust."""
    rows = [row for row in matrix(_document(), load_catalogue(sources_folder())) if entity in (None, row.entity)]
    if not rows:
        raise NotFound(f"There is nothing called {entity}.", action="`mdm ownership show` lists all.")
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    shown = [
        [row.name, row.authority, row.business, row.it, _trusts(row)]
        for row in rows
    ]  # fmt: skip
    print_table("Ownership", ("what", "right is", "business", "IT", "platforms"), shown)


@ownership.command("lint")
def lint_command(as_json: bool = JSON_OPTION) -> None:
    """Gaps: rows without authority or owner, owners whom nobody declared. Exits with 1 when there are any."""
    document = _document()
    findings = lint(document, matrix(document, load_catalogue(sources_folder())))
    if as_json:
        print_json({"version": document.version, "findings": [asdict(each) for each in findings]})
    else:
        for each in findings:
            typer.echo(f"{each.code} {each.row}: {each.detail}")
        typer.echo(f"{many(len(findings), 'gap')}.")
    if findings:
        raise typer.Exit(1)


@ownership.command("history")
def history(as_json: bool = JSON_OPTION) -> None:
    """Every version that this hub worked with, and what each changed."""
    document, catalogue = _document(), load_catalogue(sources_folder())
    with hub() as opened:
        remember_ownership(opened.engine, opened.clock, document)
        with opened.engine.connect() as connection:
            found = versions_of(connection, document, catalogue)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        typer.echo(f"{each.version}, in effect since {each.effective}{', in use' if each.current else ''}")
        for row, cell, was, now in each.changed:
            typer.echo(f"  {row} {cell}: {was or 'nobody'} -> {now or 'nobody'}")


def _trusts(row: Row) -> str:
    return ", ".join(f"{name} {trust:g}" for name, trust in row.platforms.items())


def _document() -> Ownership:
    return load_ownership(read_settings(os.environ).ownership)
