"""Taking, handing over and putting off many tasks at once: bounded, so that it ends while somebody waits for the page.

Each part is one unit of work of a fraction of a second, and each task has its own row in the audit. What cannot be done
with one task keeps nobody from the others. None of it touches master data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mdm.access import Permission
from mdm.errors import Invalid
from mdm.hub.reach import reachable_tasks
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.tasks import may_be_assignee
from mdm.hub.steward.workplace import Workplace
from mdm.store.ledger import write_audits
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.worklist import tell_put_off, tell_taken

#: Tasks of one unit of work: some tenths of a second, for as long as which nobody else writes.
_PART = 500


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of many tasks: those that it was done with, and why not with the others."""

    done: Sequence[int]
    refusals: Sequence[tuple[int, str]]


def assign_all(hub: Workplace, actor: Actor, tasks: Sequence[int], assignee: str) -> Handled:
    """Give tasks to somebody, also away from somebody else.

    Raises:
        Invalid: nobody is named.
    """
    may_be_assignee(assignee)

    def assign(work: UnitOfWork, open_tasks: Mapping[int, _Held], together: int) -> None:
        moved = [task_id for task_id, held in open_tasks.items() if held.assignee != assignee]
        work.execute(
            """insert into task_work as w (task_id, version, assignee, assigned_by, assigned_at)
               select id, 1, %s, %s, %s from unnest(%s::bigint[]) as t(id)
               on conflict (task_id) do update set version = w.version + 1, assignee = excluded.assignee,
                   assigned_by = excluded.assigned_by, assigned_at = excluded.assigned_at""",
            assignee, actor.name, work.now, moved,
        )  # fmt: skip
        tell_taken(work, moved, taken=True)
        entries = [
            (f"task {task_id}", {"from": open_tasks[task_id].assignee, "to": assignee, "together": together})
            for task_id in moved
        ]
        write_audits(work, actor.name, "steward.assign", entries)

    return _by_parts(hub, actor, tasks, assign)


def snooze_all(hub: Workplace, actor: Actor, tasks: Sequence[int], until: datetime) -> Handled:
    """Put tasks off until a time.

    Raises:
        Invalid: the time has come already.
    """
    if until <= hub.clock():
        raise Invalid("A task can only be put off to a time that is still to come.")

    def snooze(work: UnitOfWork, open_tasks: Mapping[int, _Held], together: int) -> None:
        work.execute(
            """insert into task_work as w (task_id, version, snoozed_until, snoozed_by)
               select id, 1, %s, %s from unnest(%s::bigint[]) as t(id)
               on conflict (task_id) do update set version = w.version + 1, snoozed_until = excluded.snoozed_until,
                   snoozed_by = excluded.snoozed_by""",
            until, actor.name, list(open_tasks),
        )  # fmt: skip
        tell_put_off(work, dict.fromkeys(open_tasks, until))
        entries = [
            (
                f"task {task_id}",
                {
                    "until": until.isoformat(),
                    "was": held.snoozed_until and held.snoozed_until.isoformat(),
                    "together": together,
                },
            )
            for task_id, held in open_tasks.items()
        ]
        write_audits(work, actor.name, "steward.snooze", entries)

    return _by_parts(hub, actor, tasks, snooze)


class _Held(NamedTuple):
    """What a task was before: whose, and put off until when."""

    assignee: str | None
    snoozed_until: datetime | None

    @property
    def asleep(self) -> str | None:
        return self.snoozed_until.isoformat() if self.snoozed_until is not None else None


def _by_parts(
    hub: Workplace, actor: Actor, tasks: Sequence[int], act: Callable[[UnitOfWork, Mapping[int, _Held], int], None]
) -> Handled:
    actor.must(Permission.DECIDE)
    # What is done at once is taken back at once: the audit rows of all parts name the first of their units of work.
    together = 0
    done: list[int] = []
    refusals: list[tuple[int, str]] = []
    for part in _parts(list(dict.fromkeys(tasks))):
        reached = reachable_tasks(hub.engine, part)
        with unit_of_work(hub.engine, hub.clock, "steward") as work:
            together = together or work.batch_id
            found = {
                row[0]: (row[1], _Held(row[2], row[3]))
                for row in work.query(
                    """select t.task_id, t.status, w.assignee, w.snoozed_until
                       from steward_task t left join task_work w using (task_id)
                       where t.task_id = any(%s::bigint[]) order by t.task_id for update of t""",
                    [each for each in part if each in reached],
                )
            }
            open_tasks = {each: found[each][1] for each in part if each in found and found[each][0] == "open"}
            act(work, open_tasks, together)
        done += open_tasks
        closed = [each for each in part if each in found and each not in open_tasks]
        refusals += [(each, f"Task {each} is closed already.") for each in closed]
        refusals += [(each, f"There is no task {each}.") for each in part if each not in found]
    return Handled(done, refusals)


def _parts(tasks: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(tasks), _PART):
        yield tasks[start : start + _PART]
