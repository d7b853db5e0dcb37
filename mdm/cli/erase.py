"""Commands of erasure: ask, look, approve, refuse, prove."""

from dataclasses import asdict

import typer

from mdm.cli.context import JSON_OPTION, hub, notes, pipeline, print_json, print_table
from mdm.errors import OperatorError
from mdm.hub import erase as erasing
from mdm.model.ids import CrosswalkKey
from mdm.store import erasure

erase = typer.Typer(no_args_is_help=True)


@erase.callback()
def _root() -> None:
    """Erase a person: request, approval by a second person, proof."""


@erase.command("request")
def request(
    entity_id: str | None = typer.Option(None, "--entity", help="A golden customer: all its rows and its contacts."),
    rows: list[str] = typer.Option([], "--row", help="A source row as SYSTEM/TYPE/KEY; may be repeated."),
    keep: list[str] = typer.Option(
        [], "--keep", help='A legal hold: SYSTEM.TYPE.COLUMN="basis"; the column stays. May be repeated.'
    ),
    reason: str = typer.Option(..., "--reason", help="Who asked and on what grounds, without naming values."),
    actor: str = typer.Option(..., "--by", help="Who asks."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Ask for an erasure and show its plan. Nothing is erased before somebody else approves it."""
    names = [_row(each) for each in rows]
    kept = dict(_hold(each) for each in keep)
    with hub() as opened:
        found = erasing.request(opened.engine, opened.clock, entity_id, names, kept, actor, reason)
    _print(found, as_json)


@erase.command("show")
def show(erasure_id: int = typer.Argument(..., help="Number of the request."), as_json: bool = JSON_OPTION) -> None:
    """The plan of a request, or its proof when it was carried out."""
    with hub() as opened:
        found = erasing.find(opened.engine, opened.clock, erasure_id)
    _print(found, as_json)


@erase.command("list")
def list_requests(as_json: bool = JSON_OPTION) -> None:
    """All requests, newest first."""
    with hub() as opened:
        found = erasure.list_requests(opened.engine)
    if as_json:
        print_json(
            [dict(zip(("id", "status", "requested_by", "decided_by", "rows"), each, strict=True)) for each in found]
        )
    else:
        print_table(
            "Erasures", ("no.", "status", "asked by", "decided by", "rows"), [list(map(_text, e)) for e in found]
        )


@erase.command("approve")
def approve(
    erasure_id: int = typer.Argument(..., help="Number of the request."),
    actor: str = typer.Option(..., "--by", help="Who approves; not who asked."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Approve a request and carry it out. This cannot be undone."""
    with hub() as opened:
        found = erasing.carry_out(pipeline(opened), erasure_id, actor, progress=lambda step: notes.print(f"{step} ..."))
    _print(found, as_json)


@erase.command("reject")
def reject(
    erasure_id: int = typer.Argument(..., help="Number of the request."),
    actor: str = typer.Option(..., "--by", help="Who refuses; not who asked."),
    comment: str = typer.Option(..., "--comment", help="Why."),
) -> None:
    """Refuse a request."""
    with hub() as opened:
        erasing.reject(opened.engine, opened.clock, erasure_id, actor, comment)
    typer.echo(f"Erasure {erasure_id} rejected.")


def _row(text: str) -> CrosswalkKey:
    parts = text.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise OperatorError(f"{text!r} names no source row.", action="Write SYSTEM/TYPE/KEY, e.g. crm/contact/003x1.")
    return CrosswalkKey(*parts)


def _hold(text: str) -> tuple[str, str]:
    column, _, basis = text.partition("=")
    if column.count(".") != 2 or not basis.strip():
        raise OperatorError(
            f"{text!r} is no hold.",
            action='Write SYSTEM.TYPE.COLUMN="basis", e.g. erp.business_partner.tax_number="tax law".',
        )
    return column, basis.strip().strip('"')


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _print(found: erasing.Erasure, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    typer.echo(f"Erasure {found.erasure_id}: {found.status.replace('_', ' ')}, asked by {found.requested_by}")
    rows = [
        [f"{each.key.system}.{each.key.type}", each.key.key, len(each.erased), ", ".join(sorted(each.kept))]
        for each in found.rows
    ]
    print_table("Rows", ("table", "key", "columns erased", "columns kept"), rows, right=(2,))
    if found.mentions:
        shown = [[f"{system}.{type_}", count, basis] for system, type_, count, basis in found.mentions]
        print_table("Also mentioned in", ("table", "rows", "why it stays"), shown, right=(1,))
    if found.proof is not None:
        proof = found.proof
        typer.echo(f"{proof['versions_forgotten']} versions forgotten; {proof['suppressed']} rows will not come back.")
        left = proof["tables_with_traces"]
        typer.echo(
            "No trace is left in any table." if not left else f"Traces stay, by the basis above, in {', '.join(left)}."
        )
    elif found.status == "open":
        typer.echo(f"Approve with: mdm erase approve {found.erasure_id} --by SOMEBODY-ELSE")
