"""Commands with which stewards decide: the same use cases as the API and the console."""

import orjson
import typer

from mdm.cli.context import JSON_OPTION, print_json, print_table
from mdm.cli.steward_bench import (
    ACTOR,
    PREVIEW,
    REASON,
    UNTIL,
    bench_of,
    day_of,
    key_of,
    moment_of,
    show,
    show_preview,
    value_of,
)
from mdm.clock import system_clock
from mdm.errors import Invalid
from mdm.hub import steward as desk
from mdm.model.hierarchy import RelationKind
from mdm.model.ids import EntityId
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    EndRelation,
    JudgePair,
    JudgeTask,
    Merge,
    Pick,
    Pin,
    Relate,
    Restore,
    Split,
    Undo,
    Verdict,
)
from mdm.store.read_stewardship import DecisionFilter, decisions, overrides_of
from mdm.store.reading import snapshot

steward = typer.Typer(no_args_is_help=True)


def _run(command: Command, actor: str, preview: bool, as_json: bool) -> None:
    with bench_of(actor) as bench:
        if preview:
            show_preview(desk.preview(bench.pipeline, bench.actor, command, policy=bench.policy), as_json)
        else:
            show(desk.decide(bench.pipeline, bench.actor, command, policy=bench.policy), as_json)


@steward.command("judge")
def judge(
    verdict: Verdict = typer.Argument(..., help="same, not_same or unsure."),
    task: int = typer.Option(0, "--task", help="The task to answer; or name two records."),
    records: list[str] = typer.Option([], "--record", help="platform/table/key; twice."),
    takes: list[str] = typer.Option(
        [], "--take", help="attribute=platform/table/key: with same, take the value from there; several times."
    ),
    until: str = UNTIL,
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say of two records whether they are the same."""
    end = moment_of(until)
    if task and not records:
        picks = tuple(Pick(name, key_of(record)) for name, _, record in (each.partition("=") for each in takes))
        _run(JudgeTask(task, verdict, reason, end, picks), actor, preview, as_json)
    elif len(records) == 2 and not task and not takes:
        first, second = map(key_of, records)
        _run(JudgePair(first, second, verdict, reason, end), actor, preview, as_json)
    else:
        raise Invalid("Name a task, or two records.", action="Use --task N, or --record twice.")


@steward.command("merge")
def merge(
    entities: list[str] = typer.Argument(..., help="Ids of the golden records."),
    supersede: bool = typer.Option(False, help="End earlier verdicts 'not the same' that stand against it."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Make golden records one."""
    _run(Merge(tuple(map(EntityId, entities)), (), reason, supersede), actor, preview, as_json)


@steward.command("split")
def split(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    records: list[str] = typer.Option(..., "--record", help="Who leaves: platform/table/key; may be repeated."),
    tree: bool = typer.Option(False, help="Take along what hangs together with the rest only through these."),
    until: str = UNTIL,
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Take records out of a golden record; they do not rejoin."""
    command = Split(EntityId(entity), tuple(map(key_of, records)), tree, reason, moment_of(until))
    _run(command, actor, preview, as_json)


@steward.command("pin")
def pin(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    attribute: str = typer.Argument(..., help="Canonical attribute."),
    value: str = typer.Option("", help="As JSON, or plain text. 'null' pins that there is no value."),
    from_record: str = typer.Option("", help="Take what this record says: platform/table/key."),
    expires: str = typer.Option("", help="Until when: YYYY-MM-DD, or a time with offset."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Override a golden value. When a source value that it overrules changes, a task asks whether it still holds."""
    if bool(value) == bool(from_record):
        raise Invalid("Give either a value or the record to take it from.", action="Use --value or --from-record.")
    source = key_of(from_record) if from_record else None
    command = Pin(EntityId(entity), attribute, value_of(value), source, reason, moment_of(expires))
    _run(command, actor, preview, as_json)


@steward.command("clear")
def clear(
    override: int = typer.Argument(..., help="Number of the override."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """End an override; what survives by rule comes back."""
    _run(Clear(override, reason), actor, preview, as_json)


@steward.command("confirm")
def confirm(
    override: int = typer.Argument(..., help="Number of the override."),
    expires: str = typer.Option("", help="A new end: YYYY-MM-DD, or a time with offset."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Keep an override although a source says something new."""
    _run(Confirm(override, reason, moment_of(expires)), actor, preview, as_json)


@steward.command("restore")
def restore(
    entity: str = typer.Argument(..., help="Id of the golden record."),
    version: int = typer.Argument(..., help="The version whose values come back."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Give a golden record the values of an old version, as a new one."""
    _run(Restore(EntityId(entity), version, reason), actor, preview, as_json)


@steward.command("relate")
def relate(
    entity: str = typer.Argument(..., help="Id of the customer."),
    parent: str = typer.Argument("", help="Id of its parent; none: it has no legal parent, whatever platforms state."),
    kind: RelationKind = typer.Option(RelationKind.LEGAL_PARENT, help="What the relation means."),
    start: str = typer.Option("", "--from", help="The first day on which it holds, YYYY-MM-DD; today if not given."),
    end: str = typer.Option("", "--until", help="The first day on which it no longer holds."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say who the parent of a customer is. Circles are refused."""
    first = day_of(start) or system_clock().date()
    command = Relate(EntityId(entity), kind, EntityId(parent) if parent else None, first, day_of(end), reason)
    _run(command, actor, preview, as_json)


@steward.command("end-relation")
def end_relation(
    relation: int = typer.Argument(..., help="Number of the relation."),
    on: str = typer.Option("", help="The first day on which it no longer holds; none: it was never so."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Let a relation of a hierarchy end on a day, or take it back."""
    _run(EndRelation(relation, day_of(on), reason), actor, preview, as_json)


@steward.command("undo")
def undo(
    decision: int = typer.Argument(0, help="Number of the decision; your newest one if not given."),
    reason: str = REASON,
    actor: str = ACTOR,
    preview: bool = PREVIEW,
    as_json: bool = JSON_OPTION,
) -> None:
    """Take back a decision: records, values and ids become what they were."""
    if decision:
        _run(Undo(decision, reason), actor, preview, as_json)
        return
    if preview:
        raise Invalid("A preview needs the number of the decision.", action="`mdm steward decisions` lists them.")
    with bench_of(actor) as bench:
        show(desk.undo_last(bench.pipeline, bench.actor, reason, policy=bench.policy), as_json)


@steward.command("decisions")
def decisions_command(
    entity: str = typer.Option("", help="Only those that touched this golden record."),
    by: str = typer.Option("", help="Only those of this person."),
    limit: int = typer.Option(50, help="Most rows to show."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Decisions, the newest first."""
    with bench_of("") as bench, snapshot(bench.pipeline.engine) as work:
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
    with bench_of("") as bench, snapshot(bench.pipeline.engine) as work:
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
