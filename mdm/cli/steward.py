"""Commands of stewards: the same use cases as the API and the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from getpass import getuser
from typing import Any

import orjson
import typer
from rich.progress import BarColumn, Progress, TextColumn

from mdm.access import Role
from mdm.cli.context import JSON_OPTION, hub, notes, pipeline, print_json, print_table
from mdm.core.four_eyes import Policy
from mdm.errors import Invalid
from mdm.hub import steward as desk
from mdm.hub.process import Pipeline
from mdm.hub.steward import Actor, Answer, Decided, Preview, load_policy
from mdm.hub.steward.effects import summary
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    JudgePair,
    JudgeTask,
    Merge,
    Pin,
    Restore,
    Split,
    Undo,
    Verdict,
)
from mdm.store.read_stewardship import DecisionFilter, decisions, overrides_of, queue_numbers, steward_numbers
from mdm.store.reading import snapshot

steward = typer.Typer(no_args_is_help=True)

_ACTOR = typer.Option("", "--actor", help="Who decides, for history and approvals; the signed-in user if not given.")
_REASON = typer.Option("", "--reason", help="Why; kept in history and audit.")
_PREVIEW = typer.Option(False, "--preview", help="Show what it would do; change nothing.")
_UNTIL = typer.Option("", "--until", help="Until when it holds: YYYY-MM-DD, or a time with offset.")


@dataclass(frozen=True, slots=True)
class _Bench:
    pipeline: Pipeline
    policy: Policy
    actor: Actor


@contextmanager
def _bench(actor: str) -> Iterator[_Bench]:
    # Whoever may use the command line holds the database; the role says no more than that.
    with hub() as opened:
        policy = load_policy(opened.settings.steward_policy)
        yield _Bench(pipeline(opened), policy, Actor(actor or getuser(), Role.ADMIN))


def _run(command: Command, actor: str, preview: bool, as_json: bool) -> None:
    with _bench(actor) as bench:
        if preview:
            _show_preview(desk.preview(bench.pipeline, bench.actor, command, policy=bench.policy), as_json)
        else:
            _show(desk.decide(bench.pipeline, bench.actor, command, policy=bench.policy), as_json)


@steward.command("judge")
def judge(
    verdict: Verdict = typer.Argument(..., help="same, not_same or unsure."),
    task: int = typer.Option(0, "--task", help="The task to answer; or name two records."),
    records: list[str] = typer.Option([], "--record", help="platform/table/key; twice."),
    until: str = _UNTIL,
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say of two records whether they are the same."""
    end = _moment(until)
    if task and not records:
        _run(JudgeTask(task, verdict, reason, end), actor, preview, as_json)
    elif len(records) == 2 and not task:
        first, second = map(_key, records)
        _run(JudgePair(first, second, verdict, reason, end), actor, preview, as_json)
    else:
        raise Invalid("Name a task, or two records.", action="Use --task N, or --record twice.")


@steward.command("merge")
def merge(
    entities: list[str] = typer.Argument(..., help="Ids of the golden records."),
    supersede: bool = typer.Option(False, help="End earlier verdicts 'not the same' that stand against it."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Make golden records one."""
    _run(Merge(tuple(map(EntityId, entities)), (), reason, supersede), actor, preview, as_json)


@steward.command("split")
def split(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    records: list[str] = typer.Option(..., "--record", help="Who leaves: platform/table/key; may be repeated."),
    tree: bool = typer.Option(False, help="Take along what hangs together with the rest only through these."),
    until: str = _UNTIL,
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Take records out of a golden record; they do not rejoin."""
    command = Split(EntityId(entity), tuple(map(_key, records)), tree, reason, _moment(until))
    _run(command, actor, preview, as_json)


@steward.command("pin")
def pin(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    attribute: str = typer.Argument(..., help="Canonical attribute."),
    value: str = typer.Option("", help="As JSON, or plain text. 'null' pins that there is no value."),
    from_record: str = typer.Option("", help="Take what this record says: platform/table/key."),
    expires: str = typer.Option("", help="Until when: YYYY-MM-DD, or a time with offset."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Override a golden value. When a source value that it overrules changes, a task asks whether it still holds."""
    if bool(value) == bool(from_record):
        raise Invalid("Give either a value or the record to take it from.", action="Use --value or --from-record.")
    source = _key(from_record) if from_record else None
    command = Pin(EntityId(entity), attribute, _value(value), source, reason, _moment(expires))
    _run(command, actor, preview, as_json)


@steward.command("clear")
def clear(
    override: int = typer.Argument(..., help="Number of the override."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """End an override; what survives by rule comes back."""
    _run(Clear(override, reason), actor, preview, as_json)


@steward.command("confirm")
def confirm(
    override: int = typer.Argument(..., help="Number of the override."),
    expires: str = typer.Option("", help="A new end: YYYY-MM-DD, or a time with offset."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Keep an override although a source says something new."""
    _run(Confirm(override, reason, _moment(expires)), actor, preview, as_json)


@steward.command("restore")
def restore(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    version: int = typer.Argument(..., help="The version whose values come back."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Give a golden record the values of an old version, as a new one."""
    _run(Restore(EntityId(entity), version, reason), actor, preview, as_json)


@steward.command("undo")
def undo(
    decision: int = typer.Argument(0, help="Number of the decision; your newest one if not given."),
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Take back a decision: records, values and ids become what they were."""
    if decision:
        _run(Undo(decision, reason), actor, preview, as_json)
        return
    if preview:
        raise Invalid("A preview needs the number of the decision.", action="`mdm steward decisions` lists them.")
    with _bench(actor) as bench:
        _show(desk.undo_last(bench.pipeline, bench.actor, reason, policy=bench.policy), as_json)


@steward.command("decisions")
def decisions_command(
    entity: str = typer.Option("", help="Only those that touched this golden record."),
    by: str = typer.Option("", help="Only those of this person."),
    limit: int = typer.Option(50, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Decisions, the newest first."""
    with _bench("") as bench, snapshot(bench.pipeline.engine) as work:
        found = decisions(work, DecisionFilter(by or None, entity or None), None, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        [each.decision_id, each.at, each.actor, each.kind, each.reason, ", ".join(each.entities), each.undone_by]
        for each in found
    ]
    print_table("Decisions", ("id", "at", "by", "kind", "reason", "golden records", "undone by"), rows)


@steward.command("overrides")
def overrides_command(
    entity: str = typer.Argument(..., help="Id of the golden record."), as_json: bool = JSON_OPTION
) -> None:
    """Pinned values of a golden record."""
    with _bench("") as bench, snapshot(bench.pipeline.engine) as work:
        found = overrides_of(work, EntityId(entity))
    if as_json:
        print_json(found)
        return
    rows = [
        [each.override.override_id, each.override.attribute, orjson.dumps(each.override.value).decode(),
         each.override.author, each.override.reason, each.override.expires_at, "yes" if each.task_id else "no"]
        for each in found
    ]  # fmt: skip
    print_table("Overrides", ("id", "attribute", "value", "by", "reason", "expires", "challenged"), rows)


@steward.command("proposals")
def proposals_command(
    status: str = typer.Option("open", help="open, approved, rejected, withdrawn, expired; empty for all."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What waits for a second person."""
    with _bench("") as bench, snapshot(bench.pipeline.engine) as work:
        found = desk.list_proposals(work, status or None, None, None, 200)
    if as_json:
        print_json(found)
        return
    rows = [
        [each.proposal_id, each.proposed_at, each.author, each.kind, each.reason,
         ", ".join(demand["name"] for demand in each.demands), each.status]
        for each in found
    ]  # fmt: skip
    print_table("Proposals", ("id", "at", "by", "kind", "reason", "demanded by", "status"), rows)


@steward.command("approve")
def approve(
    proposal: int = typer.Argument(..., help="Number of the proposal."),
    comment: str = typer.Option("", help="Kept with it."),
    digest: str = typer.Option("", help="Of the preview you looked at."),
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Let somebody else's proposal take effect."""
    with _bench(actor) as bench:
        if preview:
            _show_preview(desk.preview_proposal(bench.pipeline, bench.actor, proposal, bench.policy), as_json)
            return
        decided = desk.approve(bench.pipeline, bench.actor, proposal, comment, digest or None, bench.policy)
    _show(decided, as_json)


@steward.command("reject")
def reject(
    proposal: int = typer.Argument(..., help="Number of the proposal."),
    comment: str = typer.Option(..., help="Why; its author reads it."),
    actor: str = _ACTOR,
) -> None:
    """Turn somebody else's proposal down."""
    with _bench(actor) as bench:
        desk.reject(bench.pipeline, bench.actor, proposal, comment, bench.policy)
    typer.echo(f"Proposal {proposal} is rejected.")


@steward.command("withdraw")
def withdraw(proposal: int = typer.Argument(..., help="Number of the proposal."), actor: str = _ACTOR) -> None:
    """Take back your own proposal."""
    with _bench(actor) as bench:
        desk.withdraw(bench.pipeline, bench.actor, proposal)
    typer.echo(f"Proposal {proposal} is withdrawn.")


@steward.command("task")
def task_command(
    task: int = typer.Argument(..., help="Number of the task."),
    claim: bool = typer.Option(False, help="Take it."),
    release: bool = typer.Option(False, help="Give it back to everybody."),
    assign: str = typer.Option("", help="Hand it to this person."),
    snooze: str = typer.Option("", help="Put it off until: YYYY-MM-DD, or a time with offset."),
    comment: str = typer.Option("", help="Leave a remark."),
    actor: str = _ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Work on a task, and show where it stands."""
    with _bench(actor) as bench:
        if claim:
            desk.claim(bench.pipeline, bench.actor, task)
        if release:
            desk.release(bench.pipeline, bench.actor, task)
        if assign:
            desk.assign(bench.pipeline, bench.actor, task, assign)
        if snooze:
            desk.snooze(bench.pipeline, bench.actor, task, _moment(snooze))
        if comment:
            desk.comment(bench.pipeline, bench.actor, f"task:{task}", comment)
        with snapshot(bench.pipeline.engine) as work:
            state, remarks = desk.task_state(work, task), desk.comments(work, f"task:{task}")
    if as_json:
        print_json({"task": state, "comments": list(remarks)})
        return
    typer.echo(f"Task {task}: {state.assignee or 'nobody has it'}, put off until {state.snoozed_until or 'never'}.")
    print_table("Comments", ("at", "by", "text"), [[each.at, each.author, each.text] for each in remarks])


@steward.command("similar")
def similar(
    task: int = typer.Argument(..., help="Number of the task."),
    limit: int = typer.Option(5, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """How questions on evidence that looked alike were answered."""
    with _bench("") as bench:
        found = desk.similar_decisions(bench.pipeline, task, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        [f"{each.likeness:.0%}", each.decision.kind, each.decision.actor, each.decision.reason,
         " ~ ".join(map(str, each.records)), ", ".join(each.differing)]
        for each in found
    ]  # fmt: skip
    print_table("Similar decisions", ("alike", "answer", "by", "reason", "records", "differs in"), rows)


@steward.command("statistics")
def statistics(
    days: int = typer.Option(30, help="Of the last days."),
    as_json: bool = JSON_OPTION,
) -> None:
    """What people decided and how fast, and what waits."""
    with _bench("") as bench, snapshot(bench.pipeline.engine) as work:
        now = bench.pipeline.clock()
        people = steward_numbers(work, now - timedelta(days=days), now)
        queue = queue_numbers(work, now)
    if as_json:
        print_json({"stewards": people, "queue": queue})
        return
    rows: list[list[object]] = [
        [each.actor, each.decisions, each.undone, each.proposed, each.approved, each.rejected, each.median_seconds]
        for each in people
    ]
    columns = ("person", "decisions", "taken back", "proposed", "approved", "rejected", "median seconds")
    print_table("People", columns, rows, right=range(1, 7))
    waiting: list[list[object]] = [
        [each.domain, each.kind, each.open, each.unassigned, each.snoozed, each.unsure, each.oldest_days]
        for each in queue
    ]
    names = ("domain", "kind", "open", "unassigned", "put off", "unsure", "oldest (days)")
    print_table("Open tasks", names, waiting, right=range(2, 7))


@steward.command("bulk")
def bulk(
    verdict: Verdict = typer.Argument(..., help="same, not_same or unsure."),
    tasks: list[int] = typer.Option(..., "--task", help="The tasks; may be repeated."),
    until: str = _UNTIL,
    reason: str = _REASON,
    actor: str = _ACTOR,
    preview: bool = _PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Give many tasks one answer; with progress, and safe to interrupt (`mdm steward bulk-continue`)."""
    answer = Answer(verdict, reason, _moment(until))
    with _bench(actor) as bench:
        if preview:
            shown = desk.preview_bulk(bench.pipeline, bench.actor, dict.fromkeys(tasks), answer)
            if as_json:
                print_json(_plain(replace(shown, sample=[])))
                return
            typer.echo(
                f"{shown.possible} of {shown.items} possible: {shown.merged} golden records absorbed, {shown.moves} "
                f"records move, {shown.tasks_closed} tasks close, {shown.erp} numbers of ERP are touched."
            )
            return
        job_id = desk.start_bulk(bench.pipeline, bench.actor, dict.fromkeys(tasks), answer)
        _run_bulk(bench, job_id, as_json)


@steward.command("bulk-continue")
def bulk_continue(
    job: int = typer.Argument(..., help="Number of the job."), actor: str = _ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Go on with a job that was interrupted or stopped."""
    with _bench(actor) as bench:
        _run_bulk(bench, job, as_json)


@steward.command("bulk-undo")
def bulk_undo(job: int = typer.Argument(..., help="Number of the job."), actor: str = _ACTOR) -> None:
    """Take back every decision of a job."""
    with _bench(actor) as bench:
        undone, problems = desk.undo_bulk(bench.pipeline, bench.actor, job, bench.policy)
    typer.echo(f"{undone} decisions taken back.")
    for problem in problems:
        typer.echo(f"  not taken back: {problem}")


def _run_bulk(bench: _Bench, job_id: int, as_json: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, console=notes, disable=as_json) as progress:
        bar = progress.add_task(f"job {job_id}", total=desk.bulk_job(bench.pipeline, job_id).items)
        job = desk.run_bulk(
            bench.pipeline, job_id, bench.policy, lambda each: progress.update(bar, completed=each.settled)
        )
    if as_json:
        print_json(_plain(job))
        return
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(job.outcomes.items()))
    typer.echo(f"Job {job_id}: {told or 'nothing to do'}. `mdm steward bulk-undo {job_id}` takes it back.")
    for task_id, detail in job.refusals:
        typer.echo(f"  task {task_id}: {detail}")


@steward.command("expire")
def expire(as_json: bool = JSON_OPTION) -> None:
    """End verdicts, overrides and proposals whose end date has come. Run it every few minutes; safe to repeat."""
    with _bench("") as bench:
        taken = desk.expire_due(bench.pipeline)
    if as_json:
        print_json({"decisions": taken})
    else:
        typer.echo(f"{len(taken)} decisions." if taken else "Nothing is due.")


def _show(decided: Decided, as_json: bool) -> None:
    if as_json:
        print_json({"status": "done" if decided.done else "proposed", **_plain(decided)})
        return
    if not decided.done:
        typer.echo(f"Proposal {decided.proposal_id}: waits for another person ({', '.join(decided.demands)}).")
    else:
        typer.echo(
            f"Decision {decided.decision_id}: {decided.kind.replace('_', ' ')}. `mdm steward undo` takes it back."
        )
    _show_effect(decided.effect)


def _show_preview(shown: Preview, as_json: bool) -> None:
    if as_json:
        print_json(
            {"kind": shown.kind, "digest": shown.digest, "demands": _plain(shown.demands), **_plain(shown.effect)}
        )
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
    exposure = effect["exposure"]
    typer.echo(
        f"{len(effect['moves'])} records move, {len(effect['tasks_closed'])} tasks close, "
        f"{len(effect['tasks_opened'])} open, {len(effect['erp'])} numbers of ERP are touched; "
        f"{exposure['contracts']} running contracts, {exposure['invoices']} unpaid invoices hang on it."
    )


def _plain(value: object) -> Any:
    return orjson.loads(orjson.dumps(value, default=list))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _key(text: str) -> CrosswalkKey:
    parts = text.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise Invalid(f"{text!r} is no record.", action="Write platform/table/key.")
    return CrosswalkKey(*parts)


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _moment(text: str) -> datetime | None:
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
