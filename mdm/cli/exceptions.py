"""Commands about what could not be processed: list, show, fix, replay, discard, reopen, resolve.

Dead letters are named D12, exceptions E12. A number alone will do where only one of the two can be meant.
"""

import sys
import time
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from getpass import getuser
from pathlib import Path
from typing import Any

import orjson
import typer

from mdm.cli.context import JSON_OPTION, hub, many, pipeline, print_json, print_table, reconciliation_of
from mdm.cli.effects import effects_json, print_effects
from mdm.cli.feeds import print_report, report_json
from mdm.cli.naming import exception_number, letter_number, meant_by
from mdm.cli.steward_bench import ACTOR, PREVIEW, bench_of, show, show_preview
from mdm.errors import NotFound, OperatorError
from mdm.hub import steward as desk
from mdm.hub.exceptions import (
    Mended,
    Replayed,
    Selection,
    accept_exception,
    fix_dead_letter,
    reopen_dead_letters,
    replay_dead_letters,
    resolve_exception,
    to_discard,
    try_fix,
    try_replay,
)
from mdm.hub.letting_go import let_go
from mdm.hub.worklist import rank_refused
from mdm.intake.mend import mend
from mdm.model.refused import Matter, named
from mdm.store.read_exceptions import dead_letter, dead_letters, exception
from mdm.store.read_exceptions import exceptions as read_exceptions
from mdm.store.read_letter_groups import GroupOrder, dead_letter_groups

exceptions = typer.Typer(no_args_is_help=True)

_WHERE = "`mdm exceptions list --each` has the ids."
_KINDS = {Matter.DEAD_LETTER: "dead letter", Matter.EXCEPTION: "exception", None: "dead letter or exception"}

_CODE = typer.Option(None, "--code", help="Only dead letters with this code.")
_TOPIC = typer.Option(None, "--topic", help="Only dead letters of this topic.")
_PARTITION = typer.Option(None, "--partition", help="Only of this partition.")
_FIRST = typer.Option(None, "--from-offset", help="Only from this offset on.")
_LAST = typer.Option(None, "--to-offset", help="Only up to this offset, it included.")
_KEY = typer.Option(None, "--key", help="Only about the row with this primary key.")
_OWNER = typer.Option(None, "--owner", help="Only of this owner.")
_ASSIGNEE = typer.Option(None, "--assignee", help="Only what this person looks after.")
_TAKEN = typer.Option(None, "--taken/--untaken", help="Only what somebody, or nobody, looks after.")
_LETTER = typer.Argument(..., metavar="ID", help="A dead letter, such as D12.", parser=letter_number)
_LIKE = typer.Option(
    None, "--like", help="Only those of the same kind as this one (D12).", parser=letter_number, metavar="ID"
)
_IDS = typer.Argument(
    None, help="Only these dead letters (D12).", parser=letter_number, metavar="ID", show_default=False
)
_SINCE = typer.Option(None, "--since", help="Only those seen since then.")
_UNTIL = typer.Option(None, "--until", help="Only those first seen before then.")
_REASON = typer.Option(..., "--reason", help="Why; kept in the audit.")
_DRY_RUN = typer.Option(False, "--dry-run", help="Show what would happen to golden records; keep nothing.")


@exceptions.command("list")
def list_command(
    code: str | None = _CODE,
    topic: str | None = _TOPIC,
    owner: str | None = _OWNER,
    key: str | None = _KEY,
    assignee: str | None = _ASSIGNEE,
    taken: bool | None = _TAKEN,
    like: int | None = _LIKE,
    each: bool = typer.Option(False, "--each", help="One by one, the newest first, instead of in groups of a kind."),
    status: str = typer.Option("open", help="open, replayed or discarded."),
    sort: GroupOrder = typer.Option(GroupOrder.PRIORITY, "--sort", help="Which groups come first."),
    limit: int = typer.Option(50, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Dead letters in groups of a kind, and contract drift: how many, what is at stake, since when, whose, and what to
    do."""
    selection = Selection(code=code, topic=topic, owner=owner, row_key=key, like=like, assignee=assignee, taken=taken)
    with hub() as opened:
        rank_refused(
            opened.engine,
            opened.clock(),
            desk.load_policy(opened.settings.steward_policy),
            reconciling=reconciliation_of(opened),
        )
        with opened.engine.connect() as connection:
            groups = dead_letter_groups(connection, selection, status=status, limit=limit, order=sort)
            letters = dead_letters(connection, selection, status=status, limit=limit)
            drifts = read_exceptions(connection, assignee=assignee, taken=taken, limit=limit)
    if as_json:
        print_json(
            {
                "groups": groups,
                "dead_letters": [_with_name(Matter.DEAD_LETTER, one) for one in letters],
                "exceptions": [_with_name(Matter.EXCEPTION, one) for one in drifts],
            }
        )
        return
    if each:
        rows = [
            [
                named(Matter.DEAD_LETTER, one["id"]),
                *(one[name] or "" for name in ("place", "row_key", "code", "reason", "assignee")),
            ]
            for one in letters
        ]
        print_table("Dead letters", ("id", "place", "row", "code", "reason", "looked after by"), rows)
    else:
        print_table(
            "Dead letters",
            ("like this", "at stake", "topic", "code", "reason", "what to do", "owner", "looked after by",
             "first seen", "last seen", "one of them"),
            [[one["letters"], _money(one["amounts"], one["known"]),
              *(one[name] for name in ("topic", "code", "reason", "action", "owner")),
              " and ".join(one["assignees"]),
              _moment(one["first_seen"]), _moment(one["last_seen"]), named(Matter.DEAD_LETTER, one["newest_id"])]
             for one in groups],
            right=(0,),
        )  # fmt: skip
    print_table(
        "Exceptions",
        ("id", "table", "code", "detail", "what to do", "seen", "owner", "looked after by", "last seen"),
        [[named(Matter.EXCEPTION, one["id"]),
          *(one[name] or "" for name in ("table", "code", "detail", "action", "seen", "owner", "assignee")),
          _moment(one["last_seen"])] for one in drifts],
        right=(5,),
    )  # fmt: skip


@exceptions.command("show")
def show_command(
    name: str = typer.Argument(..., metavar="ID", help="A dead letter (D12) or an exception (E12)."),
    as_json: bool = JSON_OPTION,
) -> None:
    """One dead letter whole: the message as it came, why it was refused, what to do, what has been tried. Or one
    exception."""
    meant = meant_by(name)
    with hub() as opened, opened.engine.connect() as connection:
        letter = None if meant.matter is Matter.EXCEPTION else dead_letter(connection, meant.number)
        matter = None if meant.matter is Matter.DEAD_LETTER else exception(connection, meant.number)
    if letter is not None and matter is not None:
        both = named(Matter.DEAD_LETTER, meant.number), named(Matter.EXCEPTION, meant.number)
        raise OperatorError(
            f"{meant.number} is a dead letter and an exception.",
            action=f"Say {both[0]} for the dead letter, {both[1]} for the exception.",
        )
    if letter is not None:
        _show_letter(letter, as_json)
    elif matter is not None:
        _show_exception(matter, as_json)
    else:
        raise NotFound(f"There is no {_KINDS[meant.matter]} {meant.number}.", action=_WHERE)


def _show_exception(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(_with_name(Matter.EXCEPTION, found))
        return
    typer.echo(f"Exception {named(Matter.EXCEPTION, found['id'])} about {found['table'] or 'no table'}: "
               f"{found['status']}")  # fmt: skip
    typer.echo(f"  {found['code']}: {found['detail']}")
    typer.echo(f"  what to do: {found['action']}")
    typer.echo(f"  owner: {found['owner']}; seen {many(found['seen'], 'time')}, {_moment(found['first_seen'])} to "
               f"{_moment(found['last_seen'])}; first at {found['place']}")  # fmt: skip
    typer.echo(f"  looked after by {found['assignee'] or 'nobody'}")
    if found["closed_by"]:
        typer.echo(f"  closed by {found['closed_by']} {_moment(found['closed_at'])}: {found['closed_reason'] or ''}")


def _show_letter(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(_with_name(Matter.DEAD_LETTER, _plain(found)))
        return
    typer.echo(f"Dead letter {named(Matter.DEAD_LETTER, found['id'])} at {found['topic']}/{found['partition']}/"
               f"{found['offset']}: {found['status']}")  # fmt: skip
    typer.echo(f"  {found['code']}: {found['reason']}")
    typer.echo(f"  what to do: {found['action']}")
    typer.echo(f"  owner: {found['owner']}; seen {many(found['seen'], 'time')}, {_moment(found['first_seen'])} to "
               f"{_moment(found['last_seen'])}; {found['alike_open']:,} open of its kind")  # fmt: skip
    typer.echo(f"  looked after by {found['assignee'] or 'nobody'}")
    typer.echo(f"  at stake: {_money(found['stake'].amounts, found['stake'].known)}")
    if found["row_key"] is not None:
        row = f"{found['system']}:{found['type']}:{found['row_key']}"
        later = f"{found['later_events']:,} later events of it were taken in meanwhile and keep their precedence"
        typer.echo(f"  row: {row}; {later}")
    waits = "" if found["behind"] is None else f"; waits for {named(Matter.DEAD_LETTER, found['behind'])}"
    waiting = f"; {many(found['held'], 'later message')} of its row wait for it" if found["held"] else ""
    typer.echo(f"  tier {found['tier']}, due {_moment(found['due_at'])}{waits}{waiting}")
    if found["closed_by"]:
        typer.echo(f"  closed by {found['closed_by']} {_moment(found['closed_at'])}: {found['closed_reason'] or ''}")
    for name, value in found["headers"]:
        typer.echo(f"  header {name}: {_header(value)}")
    for part in ("key", "value"):
        typer.echo(f"{part}:")
        typer.echo(_readable(found[part]))
    for fix in found["fixes"]:
        typer.echo(f"mended by {fix['author']} {_moment(fix['created_at'])}: {fix['reason']}")
        typer.echo(_readable(fix["value"]))


def _header(encoded: str) -> str:
    """The value of a header as text where it is some."""
    try:
        content = b64decode(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return f"{encoded} (base64)"
    return content if content.isprintable() else f"{encoded} (base64)"


@exceptions.command("fix")
def fix_command(
    dead_letter_id: int = _LETTER,
    reason: str = _REASON,
    edits: list[str] = typer.Option([], "--set", metavar="PATH=JSON", help="Set one value, e.g. after.employees=12."),
    value: Path | None = typer.Option(None, "--value", help="A file with the whole mended value; - is standard input."),
    key: Path | None = typer.Option(None, "--key", help="A file with the mended message key."),
    replay: bool = typer.Option(True, "--replay/--no-replay", help="Feed it again at once."),
    dry_run: bool = _DRY_RUN,
    as_json: bool = JSON_OPTION,
) -> None:
    """Mend a message and feed it again. The original stays as it came; the audit keeps who mended it and why."""
    with hub() as opened:
        with opened.engine.connect() as connection:
            found = dead_letter(connection, dead_letter_id)
        if found is None:
            raise NotFound(f"There is no dead letter {dead_letter_id}.", action=_WHERE)
        mended = Mended(value=_mended_value(found, edits, value), key=None if key is None else _read_file(key))
        if mended == Mended():
            raise OperatorError("Nothing is mended.", action="Give --set PATH=JSON, --value FILE or --key FILE.")
        start = time.perf_counter()
        done = (
            try_fix(pipeline(opened), dead_letter_id, mended, getuser())
            if dry_run
            else fix_dead_letter(pipeline(opened), dead_letter_id, mended, reason, getuser(), replay=replay)
        )
    if done is None:
        typer.echo(f"Mended; `mdm exceptions replay {named(Matter.DEAD_LETTER, dead_letter_id)}` feeds it again.")
        return
    _tell(done, time.perf_counter() - start, dry_run, as_json)


@exceptions.command("replay")
def replay_command(
    code: str | None = _CODE,
    topic: str | None = _TOPIC,
    partition: int | None = _PARTITION,
    first: int | None = _FIRST,
    last: int | None = _LAST,
    key: str | None = _KEY,
    owner: str | None = _OWNER,
    like: int | None = _LIKE,
    ids: list[int] | None = _IDS,
    since: datetime | None = _SINCE,
    until: datetime | None = _UNTIL,
    dry_run: bool = _DRY_RUN,
    as_json: bool = JSON_OPTION,
) -> None:
    """Feed open dead letters again after their cause was mended. What is refused again stays."""
    selection = _selection(code, topic, partition, first, last, key, owner, like, ids, since, until)
    with hub() as opened:
        start = time.perf_counter()
        act = try_replay if dry_run else replay_dead_letters
        done = act(pipeline(opened), selection, getuser())
    _tell(done, time.perf_counter() - start, dry_run, as_json)


@exceptions.command("discard")
def discard_command(
    reason: str = _REASON,
    code: str | None = _CODE,
    topic: str | None = _TOPIC,
    partition: int | None = _PARTITION,
    first: int | None = _FIRST,
    last: int | None = _LAST,
    key: str | None = _KEY,
    owner: str | None = _OWNER,
    like: int | None = _LIKE,
    ids: list[int] | None = _IDS,
    since: datetime | None = _SINCE,
    until: datetime | None = _UNTIL,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Close dead letters for good; many at once, or one that much money hangs on, when a second person agrees
    (`mdm steward approve`). The messages stay stored; `reopen` or `mdm steward undo` takes it back."""
    selection = _selection(code, topic, partition, first, last, key, owner, like, ids, since, until)
    with bench_of(actor) as bench:
        command = to_discard(bench.pipeline.engine, selection, reason)
        if preview:
            show_preview(desk.preview(bench.pipeline, bench.actor, command, policy=bench.policy), as_json)
            return
        decided = desk.decide(bench.pipeline, bench.actor, command, policy=bench.policy)
        let_go(bench.pipeline)
    show(decided, as_json)


@exceptions.command("reopen")
def reopen_command(
    reason: str = _REASON,
    ids: list[int] = typer.Argument(..., help="Dead letters (D12).", parser=letter_number, metavar="ID"),
    as_json: bool = JSON_OPTION,
) -> None:
    """Take a discard back."""
    with hub() as opened:
        reopened = reopen_dead_letters(opened.engine, opened.clock, ids, reason, getuser())
    tell_count("reopened", reopened, as_json)


@exceptions.command("resolve")
def resolve_command(
    exception_id: int = typer.Argument(
        ..., metavar="ID", help="An exception, such as contract drift: E12.", parser=exception_number
    ),
    reason: str = _REASON,
    accept: bool = typer.Option(False, "--accept", help="It may stay as it is: do not open it again when seen again."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Close an exception: its cause is mended, or it is accepted. A mended one opens again when it is seen again."""
    close = accept_exception if accept else resolve_exception
    with hub() as opened:
        close(opened.engine, opened.clock, exception_id, reason, getuser())
    tell_count("accepted" if accept else "resolved", 1, as_json)


def _money(amounts: Mapping[str, Any], known: int) -> str:
    """Sums by currency; whether there are none or nobody here can know."""
    told = ", ".join(f"{Decimal(str(amount)):,.0f} {currency}" for currency, amount in sorted(amounts.items()))
    return told or ("none" if known else "not known")


def _with_name(matter: Matter, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "name": named(matter, found["id"])}


def _selection(
    code: str | None,
    topic: str | None,
    partition: int | None,
    first: int | None,
    last: int | None,
    key: str | None,
    owner: str | None,
    like: int | None,
    ids: list[int] | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    return Selection(
        code=code, topic=topic, partition=partition, first_offset=first, last_offset=last, row_key=key, owner=owner,
        like=like, ids=tuple(ids or ()), since=_utc(since), until=_utc(until),
    )  # fmt: skip


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=at.tzinfo or UTC)


def _tell(done: Replayed, seconds: float, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = report_json(done.report, seconds)
        print_json(told | {"dry_run": dry_run, "effects": effects_json(done.effects)})
        return
    print_report(done.report, seconds)
    print_effects(done.effects, would=dry_run)
    if dry_run:
        typer.echo("A dry run: nothing was kept.")


def tell_count(what: str, number: int, as_json: bool) -> None:
    """Print of how many something was done."""
    if as_json:
        print_json({what: number})
    else:
        typer.echo(f"{number:,} {what}.")


def _mended_value(found: dict[str, Any], edits: list[str], file: Path | None) -> bytes | None:
    value = _read_file(file) if file is not None else None
    if not edits:
        return value
    pairs = [edit.partition("=") for edit in edits]
    if any(not equals for _, equals, _ in pairs):
        raise OperatorError("--set takes PATH=JSON.", action="For instance: --set after.number_of_employees=12")
    newest = found["fixes"][-1]["value"] if found["fixes"] else found["value"]
    return mend(newest if value is None else value, [(path, text) for path, _, text in pairs])


def _read_file(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as fault:
        raise OperatorError(f"{file} cannot be read: {fault.strerror}.") from fault


def _readable(part: bytes | None) -> str:
    """JSON indented, other text as it is, anything else as bytes."""
    if part is None:
        return "  (null)"
    try:
        return orjson.dumps(orjson.loads(part), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return bytes(part).decode(errors="backslashreplace")


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """For JSON: bytes as text, where they are none with escapes."""
    shown = {
        name: bytes(value).decode(errors="backslashreplace") if isinstance(value, bytes | memoryview) else value
        for name, value in found.items()
    }
    return shown | {"fixes": [_plain(fix) for fix in found["fixes"]]} if "fixes" in found else shown


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"
