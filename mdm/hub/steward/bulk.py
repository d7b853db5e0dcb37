"""One answer to many tasks: seen as a whole before, carried out one by one with progress, and undone as a whole.

Each item is a decision of its own, so a job can be left, stopped and continued after a crash; what was done stays done.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from mdm.access import Role
from mdm.core.four_eyes import Policy
from mdm.errors import Conflict, Invalid, MdmError, NotFound, Refused, TransientError
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.carrying import carry_out
from mdm.hub.steward.commands import command_json, history_json, read_command
from mdm.hub.steward.desk import decide, discarded, plan_of
from mdm.hub.steward.effects import exposure_json
from mdm.hub.steward.tokens import Expected
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import EntityId
from mdm.model.stewardship import Effect, JudgeTask, Undo, Verdict
from mdm.store.exposure import exposure_of
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

#: Items of one job; more is a rule, not a decision.
MOST_ITEMS = 5000

Progress = Callable[["Job"], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What every task of a job is answered."""

    verdict: Verdict
    reason: str = ""
    until: datetime | None = None

    def to(self, task_id: int) -> JudgeTask:
        return JudgeTask(task_id, self.verdict, self.reason, self.until)


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job is. `outcomes` counts done, proposed and refused; `refusals` says why, for the first hundred."""

    job_id: int
    actor: str
    answer: Answer
    items: int
    status: str
    outcomes: Mapping[str, int]
    refusals: Sequence[tuple[int, str]]
    started_at: datetime
    finished_at: datetime | None

    @property
    def settled(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a job would do as a whole. `sample` are the effects of its first items."""

    items: int
    possible: int
    refusals: Sequence[tuple[int, str]]
    merged: int
    moves: int
    tasks_closed: int
    erp: int
    exposure: Mapping[str, Any]
    sample: Sequence[tuple[int, Effect]]


def preview_bulk(
    hub: Workplace, actor: Actor, tasks: Mapping[int, str | None], answer: Answer, sample: int = 10
) -> BulkPreview:
    """Carry out every item in one unit of work, add up, and roll it back.

    Args:
        tasks: task id to the token of what was looked at (None: whatever it is now).
    """
    actor.must_be_steward()
    _check(tasks)
    effects: list[tuple[int, Effect]] = []
    refusals: list[tuple[int, str]] = []
    with discarded(hub) as work:
        for task_id, token in sorted(tasks.items()):
            command = answer.to(task_id)
            try:
                with work.cursor.connection.transaction():
                    plan = plan_of(work, hub, actor, command, Expected(task=token))
                    _, effect = carry_out(work, hub.rules, plan, actor.name, history_json(command))
            except MdmError as error:
                refusals.append((task_id, error.message))
            else:
                effects.append((task_id, effect))
        touched: set[EntityId] = {
            each.entity_id for _, effect in effects for each in effect.entities if each.entity_id is not None
        }
        exposure = exposure_json(Effect(exposure=exposure_of(work, sorted(touched))))
    return BulkPreview(
        items=len(tasks),
        possible=len(effects),
        refusals=refusals,
        merged=sum(each.fate == "merged" for _, effect in effects for each in effect.entities),
        moves=sum(len(effect.moves) for _, effect in effects),
        tasks_closed=len({each.task_id for _, effect in effects for each in effect.tasks_closed}),
        erp=len({key for _, effect in effects for key in effect.erp}),
        exposure=exposure,
        sample=effects[:sample],
    )


def start_bulk(hub: Workplace, actor: Actor, tasks: Mapping[int, str | None], answer: Answer) -> int:
    """Note a job down; returns its number. `run_bulk` carries it out."""
    actor.must_be_steward()
    _check(tasks)
    command = command_json(answer.to(0))
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        job_id: int = work.query(
            """insert into bulk_job (actor, role, command, items, started_at) values (%s, %s, %s, %s, %s)
               returning job_id""",
            actor.name, actor.role.value, orjson.dumps(command).decode(), len(tasks), work.now,
        )[0][0]  # fmt: skip
        work.copy("bulk_item", ("job_id", "task_id", "token"), ((job_id, *item) for item in sorted(tasks.items())))
        detail: dict[str, object] = {"items": len(tasks), "verdict": answer.verdict.value, "reason": answer.reason}
        write_audit(work, actor.name, "steward.bulk", f"job {job_id}", detail)
    return job_id


def run_bulk(hub: Workplace, job_id: int, policy: Policy | None = None, progress: Progress = lambda _: None) -> Job:
    """Carry out what is left of a job; safe to call again after a crash, or when it had been stopped.

    Raises:
        NotFound: there is no such job.
        TransientError: the surroundings failed; what was done is done, call again.
    """
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        job, role = _job(work, job_id)
        if job.status == "stopped":
            work.execute("update bulk_job set status = 'open', finished_at = null where job_id = %s", job_id)
    actor = Actor(job.actor, role)
    while (item := _next(hub, job_id)) is not None:
        task_id, token = item
        outcome, detail, decision_id = _carry_out_item(hub, actor, job.answer.to(task_id), token, policy)
        with hub.engine.begin() as connection:
            connection.exec_driver_sql(
                """update bulk_item set outcome = %s, detail = %s, decision_id = %s
                   where job_id = %s and task_id = %s""",
                (outcome, detail, decision_id, job_id, task_id),
            )
        progress(bulk_job(hub, job_id))
    with hub.engine.begin() as connection:
        connection.exec_driver_sql(
            """update bulk_job set status = 'done', finished_at = %s where job_id = %s and status = 'open'
               and not exists (select 1 from bulk_item where job_id = %s and outcome is null)""",
            (hub.clock(), job_id, job_id),
        )
    return bulk_job(hub, job_id)


def stop_bulk(hub: Workplace, actor: Actor, job_id: int) -> Job:
    """Stop a job after the item it is at; what was done stays done."""
    actor.must_be_steward()
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        _job(work, job_id)
        work.execute(
            "update bulk_job set status = 'stopped', finished_at = %s where job_id = %s and status = 'open'",
            work.now,
            job_id,
        )
        write_audit(work, actor.name, "steward.stop_bulk", f"job {job_id}", {})
    return bulk_job(hub, job_id)


def undo_bulk(hub: Workplace, actor: Actor, job_id: int, policy: Policy | None = None) -> tuple[int, list[str]]:
    """Take back every decision of a job, the newest first; returns how many, and why others could not be.

    Raises:
        Refused: it is somebody else's job.
    """
    actor.must_be_steward()
    job = bulk_job(hub, job_id)
    if job.actor != actor.name:
        raise Refused("Only who started a job takes it back.", action="Undo single decisions instead.")
    with hub.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            """select decision_id from bulk_item join decision using (decision_id)
               where job_id = %s and undone_by is null order by decision_id desc""",
            (job_id,),
        ).all()
    undone, problems = 0, []
    for (decision_id,) in rows:
        try:
            undone += decide(hub, actor, Undo(decision_id, f"bulk job {job_id} taken back"), policy=policy).done
        except (Conflict, NotFound, Invalid) as error:
            problems.append(error.message)
    return undone, problems


def bulk_job(hub: Workplace, job_id: int) -> Job:
    """How far a job is.

    Raises:
        NotFound: there is no such job.
    """
    with snapshot(hub.engine) as work:
        return _job(work, job_id)[0]


def _carry_out_item(
    hub: Workplace, actor: Actor, command: JudgeTask, token: str | None, policy: Policy | None
) -> tuple[str, str, int | None]:
    try:
        decided = decide(hub, actor, command, Expected(task=token), policy=policy)
    except TransientError:
        raise
    except MdmError as error:
        return "refused", error.message, None
    if decided.done:
        return "done", "", decided.decision_id
    return "proposed", f"proposal {decided.proposal_id}", None


def _next(hub: Workplace, job_id: int) -> tuple[int, str | None] | None:
    with hub.engine.connect() as connection:
        row = connection.exec_driver_sql(
            """select task_id, token from bulk_item join bulk_job using (job_id)
               where job_id = %s and outcome is null and status = 'open' order by task_id limit 1""",
            (job_id,),
        ).first()
    return None if row is None else (row[0], row[1])


def _job(work: UnitOfWork, job_id: int) -> tuple[Job, Role]:
    rows = work.query(
        "select actor, role, command::text, items, status, started_at, finished_at from bulk_job where job_id = %s",
        job_id,
    )
    if not rows:
        raise NotFound(f"There is no bulk job {job_id}.")
    actor, role, asked, items, status, started_at, finished_at = rows[0]
    command = read_command(orjson.loads(asked))
    assert isinstance(command, JudgeTask)
    outcomes = Counter(
        dict(work.query("select outcome, count(*) from bulk_item where job_id = %s and outcome is not null group by 1",
                        job_id))
    )  # fmt: skip
    refusals = work.query(
        """select task_id, detail from bulk_item where job_id = %s and outcome = 'refused'
           order by task_id limit 100""",
        job_id,
    )
    answer = Answer(command.verdict, command.reason, command.until)
    job = Job(job_id, actor, answer, items, status, outcomes, [(row[0], row[1]) for row in refusals], started_at,
              finished_at)  # fmt: skip
    return job, Role(role)


def _check(tasks: Mapping[int, str | None]) -> None:
    if not 1 <= len(tasks) <= MOST_ITEMS:
        raise Invalid(f"A bulk job has 1 to {MOST_ITEMS:,} tasks.", action="Choose fewer.")
