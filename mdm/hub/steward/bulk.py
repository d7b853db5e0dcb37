"""One answer to many tasks: carried out one by one with progress, and undone as a whole.

Each item is a decision of its own, so a job can be left, stopped and continued after a crash; what was done stays done.
What a job would do is looked at before, by a job of the same kind that keeps nothing (`mdm.hub.steward.looking`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from mdm.access import Permission, Role, read_role
from mdm.core.four_eyes import Policy
from mdm.errors import AnswerWaits, Conflict, Invalid, MdmError, NotFound, Refused, TransientError
from mdm.hub.reach import must_reach_parts
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.approvals import withdraw_of_job
from mdm.hub.steward.commands import command_json, read_command
from mdm.hub.steward.desk import decide
from mdm.hub.steward.tokens import Expected
from mdm.hub.steward.workplace import Workplace
from mdm.model.stewardship import JudgeTask, Undo, Verdict
from mdm.store.at_work import BULK, only_one_at
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.waiting import waits

#: Items of one job; more is a rule, not a decision.
MOST_ITEMS = 5000
#: The outcome of an item whose task has an answer already, which waits for a second person: it is given no other.
WAITING = "waiting"
#: How long a job that was not ended is offered to be gone on with.
_LATELY = timedelta(days=7)

Progress = Callable[["Job"], None]


class Purpose(StrEnum):
    """What a job does with its items."""

    ANSWER = "answer"
    #: Find out what the answers would change, and keep nothing.
    LOOK = "look"
    #: Undo the decisions of another job; what it proposed was withdrawn when the job was noted down.
    TAKE_BACK = "take_back"


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
    """How far a job is. `outcomes` counts by outcome; `refusals` says why, for the first hundred."""

    job_id: int
    purpose: Purpose
    #: The job that is taken back, or the look that is carried out.
    of_job: int | None
    actor: str
    answer: Answer
    items: int
    status: str
    outcomes: Mapping[str, int]
    refusals: Sequence[tuple[int, str]]
    #: Tasks left out because an answer to them waits for a second person, with its proposal; the first hundred.
    waiting: Sequence[tuple[int, int]]
    started_at: datetime
    finished_at: datetime | None

    @property
    def settled(self) -> int:
        return sum(self.outcomes.values())


def start_bulk(
    hub: Workplace, actor: Actor, tasks: Mapping[int, str | None], answer: Answer, look: int | None = None
) -> int:
    """Note a job down; returns its number. `run_bulk` carries it out.

    Args:
        look: the job that looked at it before. It is carried out once: whoever confirms it again is given the number of
            the job there is.
    """
    must_answer(hub, actor, tasks)
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        if look is not None and (there := _job_for(work, Purpose.ANSWER, look)) is not None:
            return there
        items = [(task_id, token, None) for task_id, token in sorted(tasks.items())]
        job_id = note_job(work, actor, answer, items, Purpose.ANSWER, look)
        detail: dict[str, object] = {"items": len(tasks), "verdict": answer.verdict.value, "reason": answer.reason}
        write_audit(work, actor.name, "steward.bulk", f"job {job_id}", detail)
    return job_id


def carried_out_by(hub: Workplace, look: int) -> int | None:
    """The job that carries out, or carried out, what was looked at."""
    with snapshot(hub.engine) as work:
        return _job_for(work, Purpose.ANSWER, look)


def start_take_back(hub: Workplace, actor: Actor, of_job: int) -> int:
    """Note down that every decision of a job is to be undone, and withdraw at once what it proposed and nobody has
    decided on; returns the number of the new job, for `run_bulk`, or of the one that is at it already.

    What a second person agreed to meanwhile stays: that is taken back by two, one by one.

    Raises:
        Refused: it is somebody else's job.
        Conflict: nothing of it is left to take back.
    """
    actor.must(Permission.DECIDE)
    job = own_job(hub, actor, of_job, "takes it back")
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        there = _job_for(work, Purpose.TAKE_BACK, of_job, " and status <> 'done'")
        if there is not None:
            return there
        items = work.query(
            """select i.task_id, null, decision_id from bulk_item i join decision using (decision_id)
               where job_id = %s and undone_by is null""",
            of_job,
        )
        withdrawn = withdraw_of_job(work, actor.name, of_job)
        if not items and not withdrawn:
            raise Conflict(f"Nothing of job {of_job} is left to take back.")
        job_id = note_job(work, actor, job.answer, items, Purpose.TAKE_BACK, of_job, withdrawn)
        detail: dict[str, object] = {"items": len(items), "withdrawn": len(withdrawn), "by": job_id}
        write_audit(work, actor.name, "steward.take_back_bulk", f"job {of_job}", detail)
    return job_id


def note_job(
    work: UnitOfWork,
    actor: Actor,
    answer: Answer,
    items: Sequence[Sequence[Any]],
    purpose: Purpose,
    of_job: int | None = None,
    withdrawn: Sequence[tuple[int, int]] = (),
) -> int:
    """Write a job and its items (task, token of what was looked at, decision to undo), and those of which a proposal is
    withdrawn already (task, proposal); returns its number."""
    job_id: int = work.query(
        """insert into bulk_job (actor, role, command, purpose, of_job, items, started_at)
           values (%s, %s, %s, %s, %s, %s, %s) returning job_id""",
        actor.name, str(actor.role), orjson.dumps(command_json(answer.to(0))).decode(), purpose.value, of_job,
        len(items) + len(withdrawn), work.now,
    )[0][0]  # fmt: skip
    work.copy("bulk_item", ("job_id", "task_id", "token", "decision_id"), ((job_id, *item) for item in items))
    work.copy(
        "bulk_item",
        ("job_id", "task_id", "outcome", "detail"),
        ((job_id, task, "withdrawn", f"proposal {proposal}") for task, proposal in withdrawn),
    )
    return job_id


def run_bulk(hub: Workplace, job_id: int, policy: Policy | None = None, progress: Progress = lambda _: None) -> Job:
    """Carry out what is left of a job; safe to call again after a crash, or when it had been stopped.

    Raises:
        NotFound: there is no such job.
        Conflict: another process is at work on it.
        TransientError: the surroundings failed; what was done is done, call again.
    """
    with only_one_at(unrestricted(hub.engine), BULK, job_id, "bulk job"):
        job, actor = resume(hub, job_id)
        if job.purpose is Purpose.LOOK:
            raise Invalid(f"Job {job_id} only looks.", action="Carry it out as a job of its own.")
        while (item := _next(hub, job_id)) is not None:
            task_id, token, undone = item
            command = job.answer.to(task_id) if undone is None else Undo(undone, f"bulk job {job.of_job} taken back")
            outcome, detail, decision_id = _carry_out_item(hub, actor, command, token, policy)
            with unrestricted(hub.engine).begin() as connection:
                connection.exec_driver_sql(
                    """update bulk_item set outcome = %s, detail = %s, decision_id = %s
                       where job_id = %s and task_id = %s""",
                    (outcome, detail, decision_id, job_id, task_id),
                )
            progress(bulk_job(hub, job_id))
        return finish(hub, job_id)


def resume(hub: Workplace, job_id: int) -> tuple[Job, Actor]:
    """A job that is gone on with, and in whose name.

    Raises:
        NotFound: there is no such job.
    """
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        job, role = _job(work, job_id)
        if job.status == "stopped":
            work.execute("update bulk_job set status = 'open', finished_at = null where job_id = %s", job_id)
    return job, Actor(job.actor, role)


def finish(hub: Workplace, job_id: int) -> Job:
    """Note that a job is done, if nothing of it is left."""
    with unrestricted(hub.engine).begin() as connection:
        connection.exec_driver_sql(
            """update bulk_job set status = 'done', finished_at = %s where job_id = %s and status = 'open'
               and not exists (select 1 from bulk_item where job_id = %s and outcome is null)""",
            (hub.clock(), job_id, job_id),
        )
    return bulk_job(hub, job_id)


def stop_bulk(hub: Workplace, actor: Actor, job_id: int) -> Job:
    """Stop a job after the item it is at; what was done stays done."""
    actor.must(Permission.DECIDE)
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        _job(work, job_id)
        work.execute(
            "update bulk_job set status = 'stopped', finished_at = %s where job_id = %s and status = 'open'",
            work.now,
            job_id,
        )
        write_audit(work, actor.name, "steward.stop_bulk", f"job {job_id}", {})
    return bulk_job(hub, job_id)


def bulk_job(hub: Workplace, job_id: int) -> Job:
    """How far a job is.

    Raises:
        NotFound: there is no such job.
    """
    with snapshot(hub.engine) as work:
        return _job(work, job_id)[0]


def jobs_of(hub: Workplace, actor: Actor, limit: int = 5) -> list[Job]:
    """What somebody has begun lately and not ended, the newest first."""
    with snapshot(hub.engine) as work:
        rows = work.query(
            """select job_id from bulk_job where actor = %s and status <> 'done' and started_at > %s
               order by job_id desc limit %s""",
            actor.name, hub.clock() - _LATELY, limit,
        )  # fmt: skip
        return [_job(work, row[0])[0] for row in rows]


def must_answer(hub: Workplace, actor: Actor, tasks: Mapping[int, str | None]) -> None:
    """Raises when the actor may not answer these tasks, or they are too many for one job."""
    actor.must(Permission.DECIDE)
    if not 1 <= len(tasks) <= MOST_ITEMS:
        raise Invalid(f"A bulk job has 1 to {MOST_ITEMS:,} tasks.", action="Choose fewer.")
    must_reach_parts(hub.engine, tasks=list(tasks))


def own_job(hub: Workplace, actor: Actor, job_id: int, what: str) -> Job:
    """A job that the actor began; its decisions carry that name.

    Raises:
        NotFound: there is no such job.
        Refused: it is somebody else's.
    """
    job = bulk_job(hub, job_id)
    if job.actor != actor.name:
        raise Refused(f"Only who started a job {what}.", action="Ask them, or decide the questions one by one.")
    return job


def waiting_answers(work: UnitOfWork, tasks: Collection[int], now: datetime) -> dict[int, int]:
    """Of some tasks those that were answered by a proposal which waits for a second person, with its number; one that
    has expired by `now` waits for nobody."""
    rows = work.query(
        f"""select task_id, proposal_id from proposal
            where {waits("%s")} and task_id = any(%s::bigint[])""",
        now, list(tasks),
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


def _carry_out_item(
    hub: Workplace, actor: Actor, command: JudgeTask | Undo, token: str | None, policy: Policy | None
) -> tuple[str, str, int | None]:
    try:
        decided = decide(hub, actor, command, Expected.task(token), policy=policy)
    except TransientError:
        raise
    except AnswerWaits as waits:
        return WAITING, f"proposal {waits.proposal_id}", None
    except MdmError as error:
        return "refused", error.message, None
    if decided.done:
        return "done", "", decided.decision_id
    return "proposed", f"proposal {decided.proposal_id}", None


def _next(hub: Workplace, job_id: int) -> tuple[int, str | None, int | None] | None:
    """The item whose turn it is. Decisions are undone from the newest on, tasks answered in the order of their ids."""
    with unrestricted(hub.engine).connect() as connection:
        row = connection.exec_driver_sql(
            """select task_id, token, decision_id from bulk_item join bulk_job using (job_id)
               where job_id = %s and outcome is null and status = 'open'
               order by decision_id desc nulls last, task_id limit 1""",
            (job_id,),
        ).first()
    return None if row is None else (row[0], row[1], row[2])


def _job_for(work: UnitOfWork, purpose: Purpose, of_job: int, and_: str = "") -> int | None:
    rows = work.query(f"select job_id from bulk_job where purpose = '{purpose}' and of_job = %s{and_}", of_job)
    return rows[0][0] if rows else None


def _job(work: UnitOfWork, job_id: int) -> tuple[Job, Role]:
    rows = work.query(
        """select actor, role, command::text, purpose, of_job, items, status, started_at, finished_at
           from bulk_job where job_id = %s""",
        job_id,
    )
    if not rows:
        raise NotFound(f"There is no bulk job {job_id}.")
    actor, role, asked, purpose, of_job, items, status, started_at, finished_at = rows[0]
    command = read_command(orjson.loads(asked))
    assert isinstance(command, JudgeTask)
    outcomes = Counter(
        dict(work.query("select outcome, count(*) from bulk_item where job_id = %s and outcome is not null group by 1",
                        job_id))
    )  # fmt: skip
    told = """select task_id, detail from bulk_item where job_id = %s and outcome = %s order by task_id limit 100"""
    refusals = work.query(told, job_id, "refused")
    waiting = work.query(told, job_id, WAITING)
    answer = Answer(command.verdict, command.reason, command.until)
    job = Job(job_id, Purpose(purpose), of_job, actor, answer, items, status, outcomes,
              [(row[0], row[1]) for row in refusals],
              [(row[0], int(row[1].removeprefix("proposal "))) for row in waiting],
              started_at, finished_at)  # fmt: skip
    return job, read_role(role)
