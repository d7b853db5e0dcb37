"""Working on tasks: claim, assign, release, snooze, and remarks. None of it touches master data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.access import Permission
from mdm.errors import Conflict, Invalid, NotFound
from mdm.hub.reach import must_reach_parts
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.tokens import Expected, check_task, task_tokens
from mdm.hub.steward.workplace import Workplace
from mdm.store.ledger import write_audit
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.worklist import tell_put_off, tell_taken

_MAX_COMMENT = 4000
_PEOPLE = "select task_id, assignee, assigned_by, snoozed_until from task_work"


@dataclass(frozen=True, slots=True)
class TaskState:
    """Where a task stands in the work of people. `token` names this state for `Expected.task`."""

    task_id: int
    token: str
    assignee: str | None
    assigned_by: str | None
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody said about a task, an entity or a proposal."""

    comment_id: int
    author: str
    text: str
    at: datetime


def claim(hub: Workplace, actor: Actor, task_id: int, expected: Expected | None = None) -> TaskState:
    """Take a task. Taking one's own again changes nothing.

    Raises:
        Conflict: somebody else has it; `assign` hands it over.
    """
    return _work_on(hub, actor, task_id, expected, "claim", assignee=actor.name)


def assign(hub: Workplace, actor: Actor, task_id: int, assignee: str, expected: Expected | None = None) -> TaskState:
    """Give a task to somebody, also away from somebody else."""
    may_be_assignee(assignee)
    return _work_on(hub, actor, task_id, expected, "assign", assignee=assignee)


def may_be_assignee(name: str) -> None:
    """Raises Invalid when this names nobody."""
    if not name.strip() or len(name) > 200 or "\0" in name:
        raise Invalid("Say to whom the task goes.")


def release(hub: Workplace, actor: Actor, task_id: int, expected: Expected | None = None) -> TaskState:
    """Give a task back to everybody."""
    return _work_on(hub, actor, task_id, expected, "release", assignee=None)


def snooze(
    hub: Workplace, actor: Actor, task_id: int, until: datetime | None, expected: Expected | None = None
) -> TaskState:
    """Put a task off until a time; None wakes it up."""
    actor.must(Permission.DECIDE)
    must_reach_parts(hub.engine, tasks=[task_id])
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        if until is not None and until <= work.now:
            raise Invalid("A task can only be put off to a time that is still to come.")
        _open_task(work, task_id, expected)
        was = work.query("select snoozed_until from task_work where task_id = %s", task_id)
        work.execute(
            """insert into task_work as w (task_id, version, snoozed_until, snoozed_by) values (%s, 1, %s, %s)
               on conflict (task_id) do update set version = w.version + 1, snoozed_until = excluded.snoozed_until,
                   snoozed_by = excluded.snoozed_by""",
            task_id, until, actor.name,
        )  # fmt: skip
        tell_put_off(work, {task_id: until})
        detail: dict[str, object] = {
            "until": until.isoformat() if until else None,
            "was": was[0][0].isoformat() if was and was[0][0] else None,
        }
        write_audit(work, actor.name, "steward.snooze" if until else "steward.wake", f"task {task_id}", detail)
        return _state(work, task_id)


def task_state(work: UnitOfWork, task_id: int) -> TaskState:
    """Where a task stands; for reading.

    Raises:
        NotFound: there is no such task.
    """
    if not work.query("select 1 from steward_task where task_id = %s", task_id):
        raise NotFound(
            f"There is no task {task_id}.", action="`mdm steward tasks` and `GET /v1/tasks` list those that are open."
        )
    return _state(work, task_id)


def task_states(work: UnitOfWork, tasks: Sequence[int]) -> dict[int, TaskState]:
    """Where each of these tasks stands; for reading. What is no task is absent."""
    people = {row[0]: row[1:] for row in work.query(f"{_PEOPLE} where task_id = any(%s)", list(tasks))}
    return {
        task_id: TaskState(task_id, token, *people.get(task_id, (None, None, None)))
        for task_id, token in task_tokens(work, tasks).items()
    }


def comment(hub: Workplace, actor: Actor, subject: str, text: str) -> Remark:
    """Leave a remark on `task:<id>`, `entity:<id>` or `proposal:<id>`.

    A remark on a task belongs to its question: it is still there when the same question is asked again.
    """
    actor.must(Permission.DECIDE)
    words = text.strip()
    if not words or len(words) > _MAX_COMMENT or "\0" in words:
        raise Invalid(f"A comment has 1 to {_MAX_COMMENT} characters.")
    with snapshot(hub.engine) as look:
        _subject(look, subject)  # with the eyes of whoever speaks
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        kept = _subject(work, subject)
        rows = work.query(
            "insert into comment (subject, author, text, at) values (%s, %s, %s, %s) returning comment_id",
            kept, actor.name, words, work.now,
        )  # fmt: skip
        # The audit says that something was said; what was said may name people and is kept once.
        write_audit(work, actor.name, "steward.comment", subject, {"comment": rows[0][0]})
        return Remark(rows[0][0], actor.name, words, work.now)


def comments(work: UnitOfWork, subject: str) -> Sequence[Remark]:
    """Remarks on a subject, the oldest first."""
    rows = work.query(
        "select comment_id, author, text, at from comment where subject = %s order by comment_id",
        _subject(work, subject),
    )
    return [Remark(*row) for row in rows]


def _subject(work: UnitOfWork, subject: str) -> str:
    kind, _, name = subject.partition(":")
    if kind == "task" and name.isdecimal() and len(name) < 19:
        rows = work.query("select 'task:' || question from steward_task where task_id = %s", int(name))
    elif kind == "entity":
        rows = work.query("select 'entity:' || entity_id from entity where entity_id = %s", name)
    elif kind == "proposal" and name.isdecimal() and len(name) < 19:
        rows = work.query("select 'proposal:' || proposal_id from proposal where proposal_id = %s", int(name))
    else:
        raise Invalid("A comment is about task:<id>, entity:<id> or proposal:<id>.")
    if not rows:
        raise NotFound(f"There is no {kind} {name}.")
    return str(rows[0][0])


def _work_on(
    hub: Workplace, actor: Actor, task_id: int, expected: Expected | None, action: str, assignee: str | None
) -> TaskState:
    actor.must(Permission.DECIDE)
    must_reach_parts(hub.engine, tasks=[task_id])
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        current = _open_task(work, task_id, expected)
        if action == "claim" and current not in (None, assignee):
            raise Conflict(f"Task {task_id} is {current}'s.", action="Ask them, or assign it to yourself.")
        if current != assignee:
            work.execute(
                """insert into task_work as w (task_id, version, assignee, assigned_by, assigned_at)
                   values (%s, 1, %s, %s, %s)
                   on conflict (task_id) do update set version = w.version + 1, assignee = excluded.assignee,
                       assigned_by = excluded.assigned_by, assigned_at = excluded.assigned_at""",
                task_id, assignee, actor.name, work.now,
            )  # fmt: skip
            tell_taken(work, [task_id], taken=assignee is not None)
            write_audit(work, actor.name, f"steward.{action}", f"task {task_id}", {"from": current, "to": assignee})
        return _state(work, task_id)


def _open_task(work: UnitOfWork, task_id: int, expected: Expected | None) -> str | None:
    """Who has the task.

    Raises:
        NotFound, Conflict, Stale: it is not there, closed, or not what the caller looked at.
    """
    rows = work.query(
        """select t.status, w.assignee from steward_task t left join task_work w using (task_id)
           where t.task_id = %s for update of t""",
        task_id,
    )
    if not rows:
        raise NotFound(f"There is no task {task_id}.")
    if rows[0][0] != "open":
        raise Conflict(f"Task {task_id} is closed already.", action="Go on with the next one.")
    check_task(work, task_id, expected or Expected())
    assignee: str | None = rows[0][1]
    return assignee


def _state(work: UnitOfWork, task_id: int) -> TaskState:
    return task_states(work, [task_id])[task_id]
