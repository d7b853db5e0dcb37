"""Commands of the close: what must be in order, and the signatures of two persons."""

from dataclasses import asdict
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table
from mdm.cli.steward_bench import ACTOR, Bench, bench_of
from mdm.hub import closing
from mdm.hub.reconcile import found_by
from mdm.hub.worklist import rank_new_tasks
from mdm.lifecycle.sign_off import SignOff, changed_since

close = typer.Typer(no_args_is_help=True)

_MONTH = typer.Argument(None, help="A month, like 2026-10; the one that is being closed if not given.")
_COMMENT = typer.Option("", "--comment", help="Kept with the signature; open points need one, and so does taking back.")


@close.callback()
def _root() -> None:
    """The close of a month: its checklist from order to posting, prepared by one person, reviewed by another."""


@close.command("show")
def show(month: str | None = _MONTH, as_json: bool = JSON_OPTION) -> None:
    """What must be in order before a month is closed, and who signed."""
    with bench_of("") as bench:
        _tell(bench, _books(bench, month), as_json)


@close.command("prepare")
def prepare(
    month: str | None = _MONTH, comment: str = _COMMENT, actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Sign as the first person, after the month has ended."""
    with bench_of(actor) as bench:
        books = _books(bench, month)
        closing.prepare(bench.pipeline, bench.actor, books.close, books.points, comment)
        _tell(bench, books, as_json)


@close.command("review")
def review(
    month: str | None = _MONTH, comment: str = _COMMENT, actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Sign as the second person: the month is closed."""
    with bench_of(actor) as bench:
        books = _books(bench, month)
        closing.review(bench.pipeline, bench.actor, books.close, books.points, comment)
        _tell(bench, books, as_json)


@close.command("withdraw")
def withdraw(
    month: str | None = _MONTH, comment: str = _COMMENT, actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Take the signatures back: the month is open again."""
    with bench_of(actor) as bench:
        books = _books(bench, month)
        closing.withdraw(bench.pipeline, bench.actor, books.close, comment)
        _tell(bench, books, as_json)


def _books(bench: Bench, month: str | None) -> closing.Books:
    now = bench.pipeline.clock()
    asked = closing.close_named(month, now.date(), bench.pipeline.rules.reconciliation)
    rank_new_tasks(bench.pipeline.engine, bench.pipeline.rules, now, bench.policy)
    return closing.books_of(bench.pipeline, asked, found_by(bench.pipeline))


def _tell(bench: Bench, books: closing.Books, as_json: bool) -> None:
    signed = closing.signatures(bench.pipeline, books.close.month)
    standing = next((each for each in signed if each.stands), None)
    changed = changed_since(standing.points, books.points) if standing is not None else []
    if as_json:
        print_json(_document(books, signed, standing, changed))
        return
    rows = [
        ["in order" if each.done else "open", each.title, each.open,
         ", ".join(f"{amount} {currency}" for currency, amount in sorted(each.amounts.items())), each.advice]
        for each in books.items
    ]  # fmt: skip
    columns = ("state", "point", "open", "amount", "what to do")
    print_table(f"Close of {books.close.month}, due {books.close.due}", columns, rows, right=(2,))
    if standing is None:
        typer.echo("Nobody has signed.")
    elif standing.reviewed_by is None:
        typer.echo(f"Prepared by {standing.prepared_by}; a second person reviews it.")
    else:
        typer.echo(f"Prepared by {standing.prepared_by}, reviewed by {standing.reviewed_by}.")
    for title, then, now in changed:
        typer.echo(f"  changed since: {title} ({then} then, {now} now)")


def _document(
    books: closing.Books, signed: list[SignOff], standing: SignOff | None, changed: list[tuple[str, int, int]]
) -> dict[str, Any]:
    month = books.close
    return {
        "month": month.month,
        "first": month.first.isoformat(),
        "last": month.last.isoformat(),
        "due": month.due.isoformat(),
        "points": [
            {**asdict(point), "advice": item.advice} for point, item in zip(books.points, books.items, strict=True)
        ],
        "standing": asdict(standing) if standing is not None else None,
        "changed": [{"title": title, "then": then, "now": now} for title, then, now in changed],
        "before": [asdict(each) for each in signed if not each.stands],
    }
