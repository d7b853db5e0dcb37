"""Commands with which stewards work through what waits: proposals, tasks, similar decisions, numbers, bulk answers."""

from dataclasses import replace
from datetime import timedelta

import typer
from rich.progress import BarColumn, Progress, TextColumn

from mdm.cli.context import JSON_OPTION, notes, print_json, print_table
from mdm.cli.priorities import explained, print_explained
from mdm.cli.steward import steward
from mdm.cli.steward_bench import ACTOR, PREVIEW, REASON, UNTIL, Bench, bench_of, moment_of, plain, show, show_preview
from mdm.core.worklist import priority, waiting
from mdm.errors import Invalid
from mdm.hub import steward as desk
from mdm.hub.steward import Answer
from mdm.hub.worklist import rank_new_tasks
from mdm.model.ids import Domain
from mdm.model.stewardship import Verdict
from mdm.store.queue_order import QueueFilters
from mdm.store.read_queue import queue_page, queue_row
from mdm.store.read_review import question
from mdm.store.read_stewardship import queue_numbers, steward_numbers
from mdm.store.reading import snapshot, within

__all__ = ["steward"]


@steward.command("proposals")
def proposals_command(
    status: str = typer.Option("open", help="open, approved, rejected, withdrawn, expired; empty for all."),
    sort: desk.ProposalOrder = typer.Option(
        desk.ProposalOrder.NEWEST, help="What comes first: newest, or most at stake."
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """What waits for a second person."""
    with bench_of("") as bench, snapshot(bench.pipeline.engine) as work:
        found = desk.list_proposals(work, status or None, None, None, 200, sort)
    if as_json:
        print_json(found)
        return
    rows = [
        [each.proposal_id, each.proposed_at, each.author, each.kind, each.reason,
         ", ".join(demand["name"] for demand in each.demands), each.risk.word, each.stake, each.status]
        for each in found
    ]  # fmt: skip
    print_table(
        "Proposals", ("id", "at", "by", "kind", "reason", "demanded by", "risk", "times the limit", "status"), rows
    )


@steward.command("approve")
def approve(
    proposal: int = typer.Argument(..., help="Number of the proposal."),
    comment: str = typer.Option("", help="Kept with it."),
    digest: str = typer.Option("", help="Of the preview you looked at."),
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Let somebody else's proposal take effect."""
    with bench_of(actor) as bench:
        if preview:
            show_preview(desk.preview_proposal(bench.pipeline, bench.actor, proposal, bench.policy), as_json)
            return
        decided = desk.approve(bench.pipeline, bench.actor, proposal, comment, digest or None, bench.policy)
    show(decided, as_json)


@steward.command("reject")
def reject(
    proposal: int = typer.Argument(..., help="Number of the proposal."),
    comment: str = typer.Option(..., help="Why; its author reads it."),
    actor: str = ACTOR,
) -> None:
    """Turn somebody else's proposal down."""
    with bench_of(actor) as bench:
        desk.reject(bench.pipeline, bench.actor, proposal, comment, bench.policy)
    typer.echo(f"Proposal {proposal} is rejected.")


@steward.command("withdraw")
def withdraw(proposal: int = typer.Argument(..., help="Number of the proposal."), actor: str = ACTOR) -> None:
    """Take back your own proposal."""
    with bench_of(actor) as bench:
        desk.withdraw(bench.pipeline, bench.actor, proposal)
    typer.echo(f"Proposal {proposal} is withdrawn.")


@steward.command("tasks")
def tasks_command(
    domain: Domain | None = typer.Option(None, help="Of both records."),
    kind: str = typer.Option("", help="possible_match, override_challenged, ..."),
    assignee: str = typer.Option("", help="Who has it."),
    region: str = typer.Option("", help="Where a record is placed: EMEA."),
    team: str = typer.Option("", help="The business unit that looks after a record: sales."),
    unassigned: bool = typer.Option(False, "--unassigned", help="Only what nobody has."),
    snoozed: bool = typer.Option(False, "--snoozed", help="What is put off, instead of what is not."),
    limit: int = typer.Option(20, min=1, max=1000, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Open tasks, the most urgent first."""
    if assignee and unassigned:
        raise Invalid("What somebody has is not unassigned.", action="Leave out --assignee or --unassigned.")
    with bench_of("") as bench:
        now = bench.pipeline.clock()
        rank_new_tasks(bench.pipeline.engine, bench.pipeline.rules, now, bench.policy)
        wanted = QueueFilters(
            domain=domain,
            kind=kind or None,
            assignee=assignee or None,
            region=region or None,
            business_unit=team or None,
            unassigned=True if unassigned else None,
            awake_at=None if snoozed else now,
            asleep_at=now if snoozed else None,
        )
        with bench.pipeline.engine.connect() as connection, within(connection) as work:
            found = queue_page(connection, wanted, None, limit)
            states = desk.task_states(work, [each.task_id for each in found])
    if as_json:
        print_json(
            [{**plain(each), **plain(states[each.task_id]), "priority": priority(each.rank, now)} for each in found]
        )
        return
    rows: list[list[object]] = [
        [each.task_id, each.kind, " ~ ".join(f"{side.name} ({side.key})" for side in each.sides),
         round(each.weight, 1), round(priority(each.rank, now)), f"{each.due_at:%Y-%m-%d}",
         states[each.task_id].assignee or ""]
        for each in found
    ]  # fmt: skip
    names = ("task", "kind", "records", "weight", "priority", "due", "with")
    print_table("Tasks", names, rows, right=(0, 3, 4))


@steward.command("task")
def task_command(
    task: int = typer.Argument(..., help="Number of the task."),
    claim: bool = typer.Option(False, help="Take it."),
    release: bool = typer.Option(False, help="Give it back to everybody."),
    assign: str = typer.Option("", help="Hand it to this person."),
    snooze: str = typer.Option("", help="Put it off until: YYYY-MM-DD, or a time with offset."),
    comment: str = typer.Option("", help="Leave a remark."),
    actor: str = ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Work on a task, and show where it stands."""
    with bench_of(actor) as bench:
        if claim:
            desk.claim(bench.pipeline, bench.actor, task)
        if release:
            desk.release(bench.pipeline, bench.actor, task)
        if assign:
            desk.assign(bench.pipeline, bench.actor, task, assign)
        if snooze:
            desk.snooze(bench.pipeline, bench.actor, task, moment_of(snooze))
        if comment:
            desk.comment(bench.pipeline, bench.actor, f"task:{task}", comment)
        now = bench.pipeline.clock()
        rank_new_tasks(bench.pipeline.engine, bench.pipeline.rules, now, bench.policy)
        with bench.pipeline.engine.connect() as connection, within(connection) as work:
            row = queue_row(connection, task)
            state, remarks = desk.task_state(work, task), desk.comments(work, f"task:{task}")
            asked, waits = question(connection, task), desk.waiting_answers(work, [task], now)
    parts: list[tuple[float, str]] = [*row.parts, waiting(row.opened_at, now)] if row else []
    told = explained(f"Task {task}", priority(row.rank, now), parts, row.impact) if row else None
    if as_json:
        print_json({"task": state, "comments": list(remarks), "priority": told})
        return
    if asked is not None:
        records = " ~ ".join(f"{key} ({of or 'gone'})" for key, of in zip(asked.records, asked.entities, strict=True))
        why = f", {asked.detail.replace('_', ' ')}" if asked.detail else ""
        typer.echo(f"Task {task}, {asked.kind.replace('_', ' ')}{why}, {asked.status}: are these one {asked.domain}?")
        typer.echo(f"  {records}, {asked.weight:+.1f} bits; `mdm explain` of both says why")
    put_off = f", put off until {state.snoozed_until:%Y-%m-%d %H:%M} UTC" if state.snoozed_until else ""
    typer.echo(f"{state.assignee or 'Nobody'} has it{put_off}.")
    if task in waits:
        typer.echo(f"An answer waits for a second person: proposal {waits[task]}.")
    if told is not None and row is not None:
        print_explained(told, f"it should be answered by {row.due_at:%Y-%m-%d}")
    print_table("Comments", ("at", "by", "text"), [[each.at, each.author, each.text] for each in remarks])


@steward.command("similar")
def similar(
    task: int = typer.Argument(..., help="Number of the task."),
    limit: int = typer.Option(5, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """How questions on evidence that looked alike were answered."""
    with bench_of("") as bench:
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
    with bench_of("") as bench, snapshot(bench.pipeline.engine) as work:
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
    until: str = UNTIL,
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Give many tasks one answer; with progress, and safe to interrupt (`mdm steward bulk-continue`)."""
    answer = Answer(verdict, reason, moment_of(until))
    with bench_of(actor) as bench:
        if preview:
            shown = desk.preview_bulk(bench.pipeline, bench.actor, dict.fromkeys(tasks), answer, policy=bench.policy)
            if as_json:
                print_json(plain(replace(shown, sample=[])))
                return
            left_out = f"; {shown.waiting} left out, for an answer to them waits already" if shown.waiting else ""
            typer.echo(
                f"{shown.possible} of {shown.items} possible ({shown.held} wait for a second person){left_out}: "
                f"{shown.merged} golden records absorbed, {shown.moves} "
                f"records move, {shown.tasks_closed} tasks close, {shown.erp} numbers of ERP are touched."
            )
            return
        job_id = desk.start_bulk(bench.pipeline, bench.actor, dict.fromkeys(tasks), answer)
        _run_bulk(bench, job_id, as_json)


@steward.command("bulk-continue")
def bulk_continue(
    job: int = typer.Argument(..., help="Number of the job."), actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Go on with a job that was interrupted or stopped."""
    with bench_of(actor) as bench:
        _run_bulk(bench, job, as_json)


@steward.command("bulk-undo")
def bulk_undo(
    job: int = typer.Argument(..., help="Number of the job."), actor: str = ACTOR, as_json: bool = JSON_OPTION
) -> None:
    """Take back every decision of a job, by a job of its own; `bulk-continue` goes on with it when interrupted. What it
    proposed and nobody has decided on is withdrawn."""
    with bench_of(actor) as bench:
        _run_bulk(bench, desk.start_take_back(bench.pipeline, bench.actor, job), as_json)


def _run_bulk(bench: Bench, job_id: int, as_json: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, console=notes, disable=as_json) as progress:
        bar = progress.add_task(f"job {job_id}", total=desk.bulk_job(bench.pipeline, job_id).items)
        job = desk.continue_job(
            bench.pipeline, bench.actor, job_id, bench.policy, lambda each: progress.update(bar, completed=each.settled)
        )
    if as_json:
        print_json(plain(job))
        return
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(job.outcomes.items()))
    back = f" `mdm steward bulk-undo {job_id}` takes it back." if job.purpose is desk.Purpose.ANSWER else ""
    typer.echo(f"Job {job_id}: {told or 'nothing to do'}.{back}")
    for task_id, detail in job.refusals:
        typer.echo(f"  task {task_id}: {detail}")


@steward.command("expire")
def expire(as_json: bool = JSON_OPTION) -> None:
    """End verdicts, overrides and proposals whose end date has come. Run it every few minutes; safe to repeat."""
    with bench_of("") as bench:
        taken = desk.expire_due(bench.pipeline)
    if as_json:
        print_json({"decisions": taken})
    else:
        typer.echo(f"{len(taken)} decisions." if taken else "Nothing is due.")
