"""May whoever asks reach what a command is about? Checked before anything is written with the hub's own rights.

Tasks, decisions, proposals and rows count by the golden records behind them. What is out of reach is told as not there.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Engine

from mdm.errors import NotFound, Refused
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import (
    Clear,
    Command,
    Confirm,
    Discard,
    EndRelation,
    JudgePair,
    JudgeTask,
    LetThrough,
    Merge,
    Pin,
    Relate,
    Restore,
    Split,
    Undo,
)
from mdm.store.reading import snapshot
from mdm.store.scoped import scope_of, unrestricted, visible_ids
from mdm.store.unit_of_work import UnitOfWork

#: Stands for a golden record that exists and may not be named.
OUT_OF_REACH = EntityId("a record outside your scope")

_ROWS = """
select x.entity_id from unnest(%s::text[], %s::text[], %s::text[]) as w(system, type, key)
join source_record r using (system, type, key) join crosswalk x on x.rec_id = r.rec_id
"""
_TASK_HOMES = """
select t.task_id, x.entity_id from steward_task t join crosswalk x on x.rec_id in (t.a, t.b)
where t.task_id = any(%s::bigint[])
"""
_TASKS = f"select h.entity_id from ({_TASK_HOMES}) as h"
_OVERRIDES = """
select x.entity_id from golden_override o join crosswalk x on x.rec_id = any(o.anchors)
where o.override_id = any(%s::bigint[])
"""
# One that names no golden record, as about refused messages, is about the whole hub: '' is out of everybody's reach.
_DECISIONS = """
select coalesce(e.id, '') from decision d left join lateral unnest(d.entities) as e(id) on true
where d.decision_id = any(%s::bigint[])
"""
_RELATIONS = """
select e from customer_relation r cross join lateral unnest(array[r.child, r.parent]) as e
where r.relation_id = any(%s::bigint[]) and e is not null
"""
_PROPOSALS = """
select coalesce(e.id, '') from proposal p left join lateral unnest(p.entities) as e(id) on true
where p.proposal_id = any(%s::bigint[])
"""


def must_reach_all(engine: Engine, what: str) -> None:
    """Refuse to a limited principal what is about the whole hub: rules, replays, erasures, accounts.

    Raises:
        Refused: their scope does not reach everything.
    """
    if scope_of(engine).limits_rows:
        raise Refused(
            f"{what} concern the whole hub, and your scope reaches part of it.",
            action="Ask somebody whose scope is not limited.",
        )


def must_reach(engine: Engine, command: Command) -> None:
    """Refuse a command of a limited principal about anything that their scope does not reach.

    Raises:
        NotFound: some of it is out of reach.
    """
    match command:
        case JudgeTask():
            must_reach_parts(engine, tasks=[command.task_id], rows=[each.record for each in command.picks])
        case JudgePair():
            must_reach_parts(engine, rows=[command.a, command.b])
        case Merge():
            must_reach_parts(engine, entities=command.entities, rows=command.records)
        case Split():
            must_reach_parts(engine, entities=[command.entity_id], rows=command.records)
        case Pin():
            rows = [command.from_record] if command.from_record is not None else []
            must_reach_parts(engine, entities=[command.entity_id], rows=rows)
        case Restore() | LetThrough():
            must_reach_parts(engine, entities=[command.entity_id])
        case Clear() | Confirm():
            must_reach_parts(engine, overrides=[command.override_id])
        case Relate():
            parents = [command.parent] if command.parent is not None else []
            must_reach_parts(engine, entities=[command.entity_id, *parents])
        case EndRelation():
            must_reach_parts(engine, relations=[command.relation_id])
        case Discard():
            must_reach_all(engine, "Refused messages")
        case Undo():
            must_reach_parts(engine, decisions=[command.decision_id])


def must_reach_parts(
    engine: Engine,
    *,
    entities: Sequence[str] = (),
    rows: Collection[CrosswalkKey] = (),
    tasks: Collection[int] = (),
    overrides: Collection[int] = (),
    decisions: Collection[int] = (),
    proposals: Collection[int] = (),
    relations: Collection[int] = (),
) -> None:
    """Refuse a limited principal what belongs to golden records out of reach.

    Raises:
        NotFound: some of them are.
    """
    if not scope_of(engine).limits_rows:
        return
    with snapshot(unrestricted(engine)) as work:
        touched = set(entities) | _homes(work, _ROWS, *([row[part] for row in rows] for part in range(3)))
        for query, ids in (
            (_TASKS, tasks),
            (_OVERRIDES, overrides),
            (_DECISIONS, decisions),
            (_PROPOSALS, proposals),
            (_RELATIONS, relations),
        ):
            touched |= _homes(work, query, list(ids))
    if touched - reachable(engine, touched):
        raise NotFound("The command is about records that are not there, or outside your scope.")


def reachable(engine: Engine, entities: Collection[str]) -> set[str]:
    """Those of the ids that whoever uses this engine may reach."""
    if not scope_of(engine).limits_rows:
        return set(entities)
    with engine.connect() as connection:
        return visible_ids(connection, entities)


def reachable_tasks(engine: Engine, tasks: Collection[int]) -> set[int]:
    """Those of the tasks all of whose golden records whoever uses this engine may reach."""
    if not scope_of(engine).limits_rows:
        return set(tasks)
    with snapshot(unrestricted(engine)) as work:
        homes = work.query(_TASK_HOMES, list(tasks))
    within = reachable(engine, {entity for _, entity in homes})
    return set(tasks).difference(task for task, entity in homes if entity not in within)


def _homes(work: UnitOfWork, query: str, *ids: list[Any]) -> set[str]:  # Any: names or numbers
    return {row[0] for row in work.query(query, *ids)} if ids[0] else set()
