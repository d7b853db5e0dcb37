"""What commands of stewards share: who acts, and how decisions and previews are printed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from getpass import getuser
from typing import Any

import orjson
import typer

from mdm.access import Role
from mdm.cli.context import hub, many, pipeline, print_json, print_table
from mdm.core.four_eyes import Policy
from mdm.errors import Invalid
from mdm.hub.process import Pipeline
from mdm.hub.steward import Actor, Decided, Preview, load_policy
from mdm.hub.steward.effects import summary
from mdm.model.ids import CrosswalkKey

ACTOR = typer.Option("", "--actor", help="Who decides, for history and approvals; the signed-in user if not given.")
REASON = typer.Option("", "--reason", help="Why; kept in history and audit.")
PREVIEW = typer.Option(False, "--preview", help="Show what it would do; change nothing.")
UNTIL = typer.Option("", "--until", help="Until when it holds: YYYY-MM-DD, or a time with offset.")


@dataclass(frozen=True, slots=True)
class Bench:
    pipeline: Pipeline
    policy: Policy
    actor: Actor


@contextmanager
def bench_of(actor: str) -> Iterator[Bench]:
    # Whoever may use the command line holds the database; the role says no more than that.
    with hub() as opened:
        policy = load_policy(opened.settings.steward_policy)
        yield Bench(pipeline(opened), policy, Actor(actor or getuser(), Role.ADMIN))


def show(decided: Decided, as_json: bool) -> None:
    if as_json:
        print_json({"status": "done" if decided.done else "proposed", **plain(decided)})
        return
    if not decided.done:
        typer.echo(f"Proposal {decided.proposal_id}: waits for another person ({', '.join(decided.demands)}).")
    else:
        typer.echo(
            f"Decision {decided.decision_id}: {decided.kind.replace('_', ' ')}. `mdm steward undo` takes it back."
        )
    _show_effect(decided.effect)


def show_preview(shown: Preview, as_json: bool) -> None:
    if as_json:
        print_json({"kind": shown.kind, "digest": shown.digest, "demands": plain(shown.demands), **plain(shown.effect)})
        return
    typer.echo(f"Preview {shown.digest}: {shown.kind.replace('_', ' ')}. Nothing was changed.")
    for demand in shown.demands:
        typer.echo(f"  will wait for another person: {demand.name}. {demand.because}")
    _show_effect(summary(shown.effect))
    for entity in shown.effect.entities:
        rows = [[name, _text(entity.before.get(name)), _text(entity.after.get(name))] for name in entity.changed]
        if rows and entity.after:
            print_table(f"{entity.name} ({entity.entity_id or 'new'})", ("attribute", "before", "after"), rows)


def _show_effect(effect: dict[str, Any]) -> None:
    rows = [
        [each["entity_id"] or "new", each["fate"] + (f" into {each['merged_into']}" if each["merged_into"] else ""),
         each["members_before"], each["members_after"], ", ".join(each["changed"])]
        for each in effect["entities"]
    ]  # fmt: skip
    columns = ("golden record", "becomes", "records before", "records after", "attributes that change")
    print_table("Effect", columns, rows, right=(2, 3))
    if letters := effect["letters"]:
        typer.echo(f"{many(len(letters), 'refused message')}: {letters[0]['fate']}.")
    exposure = effect["exposure"]
    typer.echo(
        f"Records that move: {len(effect['moves'])}; tasks that close: {len(effect['tasks_closed'])}, that open: "
        f"{len(effect['tasks_opened'])}; numbers of ERP: {len(effect['erp'])}. "
        f"On it hang {many(exposure['contracts'], 'running contract')}, {many(exposure['invoices'], 'unpaid invoice')}."
    )


def plain(value: object) -> Any:
    return orjson.loads(orjson.dumps(value, default=list))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def key_of(text: str) -> CrosswalkKey:
    parts = text.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise Invalid(f"{text!r} is no record.", action="Write platform/table/key.")
    return CrosswalkKey(*parts)


def value_of(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def day_of(text: str) -> date | None:
    """The day that an option names; None for an empty one."""
    moment = moment_of(text)
    return moment.date() if moment is not None else None


def moment_of(text: str) -> datetime | None:
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no date.", action="Write YYYY-MM-DD, or a time with offset.") from error
    if moment.tzinfo is None:
        raise Invalid(f"{text!r} has no offset.", action="Write it like 2026-03-01T08:00:00+01:00.")
    return moment
