"""What one answer to many tasks would do: found out by doing it in small parts, each of which is rolled back.

A part holds nobody up for longer than the preview of a single decision would. Tasks about the same golden records are
in one part, so that each sees what the answers before it would have done; otherwise parts do not touch each other, and
what they would do adds up. Between two parts the look can be stopped, and later gone on with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mdm.core.four_eyes import Policy
from mdm.core.groups import together
from mdm.errors import MdmError, TransientError
from mdm.hub.sharing import without_a_trace
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.bulk import (
    WAITING,
    Answer,
    Job,
    Purpose,
    bulk_job,
    finish,
    must_answer,
    note_job,
    own_job,
    resume,
    run_bulk,
    waiting_answers,
)
from mdm.hub.steward.carrying import carry_out
from mdm.hub.steward.commands import history_json
from mdm.hub.steward.desk import asking, plan_of
from mdm.hub.steward.effects import exposure_json
from mdm.hub.steward.policy import load_policy
from mdm.hub.steward.tokens import Expected
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import EntityId
from mdm.model.stewardship import Effect
from mdm.store.at_work import BULK, only_one_at
from mdm.store.exposure import exposure_of
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Items that are tried in one transaction: some seconds at most.
AT_A_TIME = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What one item would touch, as it is kept until the look is over: ids and counts, no values."""

    merged: int
    moves: int
    closed: Sequence[int]
    erp: Sequence[str]
    touched: Sequence[EntityId]
    #: Whether the policy asks for a second person, so that it would be a proposal.
    held: bool = False


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a job would do as a whole. `sample` are the effects of its first items."""

    items: int
    possible: int
    #: How many of the possible ones would be proposals that wait for a second person.
    held: int
    refusals: Sequence[tuple[int, str]]
    #: How many have an answer already that waits for a second person: they are left out and add nothing to the sums.
    waiting: int
    #: Some of these with their proposals.
    waits: Sequence[tuple[int, int]]
    merged: int
    moves: int
    tasks_closed: int
    erp: int
    exposure: Mapping[str, Any]
    sample: Sequence[tuple[int, Effect]]


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an item would do, and whether a second person would be asked."""

    effect: Effect
    held: bool


@dataclass(frozen=True, slots=True)
class _Waits:
    """The task has an answer already: this proposal."""

    proposal: int


_Tried = tuple[int, _Effect | _Waits | str]


def preview_bulk(
    hub: Workplace,
    actor: Actor,
    tasks: Mapping[int, str | None],
    answer: Answer,
    sample: int = 10,
    policy: Policy | None = None,
) -> BulkPreview:
    """Try every item and add up, in one go; a job with progress does the same (`start_look`).

    Args:
        tasks: task id to the token of what was looked at (None: whatever it is now).
    """
    must_answer(hub, actor, tasks)
    seen: list[Seen] = []
    refusals: list[tuple[int, str]] = []
    effects: list[tuple[int, Effect]] = []
    waits: list[tuple[int, int]] = []
    for part in _parts(hub, tasks):
        for task_id, tried in _tried(hub, actor, {each: tasks[each] for each in part}, answer, policy):
            if isinstance(tried, str):
                refusals.append((task_id, tried))
            elif isinstance(tried, _Waits):
                waits.append((task_id, tried.proposal))
            else:
                seen.append(_seen(tried))
                effects.append((task_id, tried.effect))
    some = sorted(effects, key=lambda each: each[0])[:sample]
    return _added_up(hub, len(tasks), seen, sorted(refusals), len(waits), sorted(waits), some)


def start_look(hub: Workplace, actor: Actor, tasks: Mapping[int, str | None], answer: Answer) -> int:
    """Note down what is to be looked at; returns the number of the job, which `run_look` carries out."""
    must_answer(hub, actor, tasks)
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        items = [(task_id, token, None) for task_id, token in sorted(tasks.items())]
        return note_job(work, actor, answer, items, Purpose.LOOK)


def run_look(
    hub: Workplace, job_id: int, policy: Policy | None = None, progress: Callable[[Job], None] = lambda _: None
) -> Job:
    """Look at what is left of a job; safe to call again after a crash, or when it had been stopped.

    Raises:
        NotFound: there is no such job.
        Conflict: another process is at work on it.
        TransientError: the surroundings failed; call again.
    """
    with only_one_at(unrestricted(hub.engine), BULK, job_id, "bulk job"):
        job, actor = resume(hub, job_id)
        left = items_left(hub, job_id)
        for part in _parts(hub, left):
            if bulk_job(hub, job_id).status != "open":
                break
            tried = _tried(hub, actor, {each: left[each] for each in part}, job.answer, policy)
            with unrestricted(hub.engine).begin() as connection:
                for task_id, found in tried:
                    connection.exec_driver_sql(
                        "update bulk_item set outcome = %s, detail = %s, seen = %s where job_id = %s and task_id = %s",
                        (*_noted(found), job_id, task_id),
                    )
            progress(bulk_job(hub, job_id))
        return finish(hub, job_id)


def run_job(
    hub: Workplace, job_id: int, policy: Policy | None = None, progress: Callable[[Job], None] = lambda _: None
) -> Job:
    """Carry out what is left of a job, whatever it is for. Raises as `run_look` and `run_bulk`."""
    if bulk_job(hub, job_id).purpose is Purpose.LOOK:
        return run_look(hub, job_id, policy, progress)
    return run_bulk(hub, job_id, policy, progress)


def continue_job(
    hub: Workplace,
    actor: Actor,
    job_id: int,
    policy: Policy | None = None,
    progress: Callable[[Job], None] = lambda _: None,
) -> Job:
    """Go on with a job that was interrupted or stopped.

    Raises:
        Refused: it is somebody else's, in whose name it would decide.
    """
    own_job(hub, actor, job_id, "goes on with it")
    return run_job(hub, job_id, policy, progress)


def looked_at(hub: Workplace, job: Job, sample: int = 0) -> tuple[BulkPreview, list[int]]:
    """What a look has found so far, without effects; and the first items whose effects may be shown as a sample."""
    with snapshot(hub.engine) as work:
        rows = work.query(
            "select task_id, seen::text from bulk_item where job_id = %s and outcome = 'possible' order by task_id",
            job.job_id,
        )
    seen = [Seen(**orjson.loads(row[1])) for row in rows]
    waiting = job.outcomes.get(WAITING, 0)
    found = _added_up(hub, job.items, seen, job.refusals, waiting, job.waiting, [])
    return found, [row[0] for row in rows[:sample]]


def items_left(hub: Workplace, job_id: int) -> dict[int, str | None]:
    """The tasks of a job whose turn has not come, with what was looked at."""
    return _items(hub, job_id, "outcome is null")


def items_possible(hub: Workplace, job_id: int) -> dict[int, str | None]:
    """The tasks that a look found possible, with what was looked at: those that are answered when it is carried out."""
    return _items(hub, job_id, "outcome = 'possible'")


def _items(hub: Workplace, job_id: int, which: str) -> dict[int, str | None]:
    with snapshot(hub.engine) as work:
        rows = work.query(
            f"select task_id, token from bulk_item where job_id = %s and {which} order by task_id", job_id
        )
    return {row[0]: row[1] for row in rows}


def _noted(found: _Effect | _Waits | str) -> tuple[str, str, str | None]:
    """Outcome, detail and what would be touched, as they are kept of an item."""
    if isinstance(found, str):
        return "refused", found, None
    if isinstance(found, _Waits):
        return WAITING, f"proposal {found.proposal}", None
    return "possible", "", orjson.dumps(_seen(found)).decode()


def _parts(hub: Workplace, tasks: Mapping[int, str | None]) -> list[list[int]]:
    """The tasks in parts that are tried one after the other."""
    with snapshot(hub.engine) as work:
        rows = work.query(
            """select t.task_id, x.entity_id from steward_task t join crosswalk x on x.rec_id in (t.a, t.b)
               where t.task_id = any(%s)""",
            list(tasks),
        )
    touched: dict[int, list[str]] = {task_id: [] for task_id in tasks}
    for task_id, entity_id in rows:
        touched[task_id].append(entity_id)
    return together(touched, AT_A_TIME)


def _tried(
    hub: Workplace, actor: Actor, tasks: Mapping[int, str | None], answer: Answer, policy: Policy | None
) -> list[_Tried]:
    """The effect of each item, the proposal that answers it already, or why it is refused."""
    ruling = policy or load_policy()

    def attempt(work: UnitOfWork) -> list[_Tried]:
        waits = waiting_answers(work, tasks, work.now)
        found: list[_Tried] = [(task_id, _Waits(proposal)) for task_id, proposal in waits.items()]
        for task_id, token in sorted(tasks.items()):
            if task_id in waits:
                continue
            command = answer.to(task_id)
            try:
                with work.part():
                    plan = plan_of(work, hub, actor, command, Expected.task(token))
                    _, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
                    held = bool(asking(work, ruling, plan, effect))
            except TransientError:
                raise
            except MdmError as error:
                found.append((task_id, error.message))
            else:
                found.append((task_id, _Effect(effect, held)))
        return found

    return without_a_trace(hub.engine, hub.clock, attempt)


def _seen(tried: _Effect) -> Seen:
    effect = tried.effect
    return Seen(
        merged=sum(each.fate == "merged" for each in effect.entities),
        moves=len(effect.moves),
        closed=[each.task_id for each in effect.tasks_closed if each.task_id is not None],
        erp=[f"{key.system}/{key.type}/{key.key}" for key in effect.erp],
        touched=[each.entity_id for each in effect.entities if each.entity_id is not None],
        held=tried.held,
    )


def _added_up(
    hub: Workplace,
    items: int,
    seen: Sequence[Seen],
    refusals: Sequence[tuple[int, str]],
    waiting: int,
    waits: Sequence[tuple[int, int]],
    sample: Sequence[tuple[int, Effect]],
) -> BulkPreview:
    touched = {each for one in seen for each in one.touched}
    with snapshot(hub.engine) as work:
        exposure = exposure_json(Effect(exposure=exposure_of(work, sorted(touched))))
    return BulkPreview(
        items=items,
        possible=len(seen),
        held=sum(each.held for each in seen),
        refusals=refusals,
        waiting=waiting,
        waits=waits,
        merged=sum(each.merged for each in seen),
        moves=sum(each.moves for each in seen),
        tasks_closed=len({task_id for each in seen for task_id in each.closed}),
        erp=len({key for each in seen for key in each.erp}),
        exposure=exposure,
        sample=sample,
    )
