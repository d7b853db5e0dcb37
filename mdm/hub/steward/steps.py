"""What somebody did last, whatever it was, read off the audit; and how work on questions is taken back.

Decisions are taken back by `Undo`, proposals by `withdraw`, jobs by a job of their own. What is left is here: whose a
question is and until when it is put off become again what they were before. Nothing of it touches master data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mdm.access import Permission
from mdm.errors import Conflict, NotFound, Refused
from mdm.hub.reach import reachable_tasks
from mdm.hub.steward.actor import Actor
from mdm.hub.steward.workplace import Workplace
from mdm.store.ledger import write_audits
from mdm.store.read_trace import WITH_REMARKS
from mdm.store.unit_of_work import UnitOfWork, unit_of_work
from mdm.store.worklist import tell_put_off, tell_taken

#: Steps by which a question becomes somebody's, or nobody's; and by which it is put off, or woken up.
_WHOSE = frozenset({"steward.claim", "steward.assign", "steward.release"})
_UNTIL = frozenset({"steward.snooze", "steward.wake"})
#: Steps that `take_back` takes back, and how it is called in the audit.
TAKEN_BACK_HERE = _WHOSE | _UNTIL
TOOK_BACK = "steward.take_back"
#: How far back in the audit the entries of one step are looked for: one on many questions has one for each, and units
#: of work of others may come between its parts.
_LATELY = 5000
_BEYOND = 1 << 62
_ENTRIES = f"select seq, at, action, subject, {WITH_REMARKS} from audit"
_TOGETHER = f"""{_ENTRIES}
where actor = %s and seq > %s and seq <= %s and action = %s and detail ->> 'together' = %s order by seq desc"""
_TAKEN_BACK = """
select (detail ->> 'step')::bigint from (
  select detail from audit where actor = %s and action = %s order by seq desc limit %s) late
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody did: all entries that one act left in the audit. `number` is the newest of them.

    `taken_back` says that it was, by a later step.
    """

    number: int
    at: datetime
    action: str
    entries: Sequence[tuple[str, Mapping[str, Any]]]
    taken_back: bool = False

    @property
    def subject(self) -> str:
        return self.entries[0][0]

    @property
    def detail(self) -> Mapping[str, Any]:
        return self.entries[0][1]

    @property
    def tasks(self) -> dict[int, Mapping[str, Any]]:
        """The questions that it was about, with what was noted of each."""
        named = ((subject.partition(" "), detail) for subject, detail in self.entries)
        return {int(number): detail for (kind, _, number), detail in named if kind == "task"}


def last_steps(work: UnitOfWork, actor: str, up_to: int | None = None) -> Iterator[Step]:
    """What somebody did, the newest first; with `up_to` from that entry on. Taking back is no step of its own."""
    # Whatever took a step back came after it, so it is looked for among all.
    back = {row[0] for row in work.query(_TAKEN_BACK, actor, TOOK_BACK, _LATELY)}
    before = _BEYOND if up_to is None else up_to + 1
    while rows := work.query(f"{_ENTRIES} where actor = %s and seq < %s order by seq desc limit 2", actor, before):
        # Mending a message also replays it, in the same unit of work.
        mended = len(rows) > 1 and (rows[0][2], rows[1][2], rows[0][1]) == ("replay", "fix", rows[1][1])
        seq, at, action, _, detail = rows[1] if mended else rows[0]
        entries = rows[1:] if mended else rows[:1]
        if detail.get("together") is not None:
            entries = work.query(_TOGETHER, actor, seq - _LATELY, seq, action, str(detail["together"]))
        before = entries[-1][0]
        if action != TOOK_BACK:
            yield Step(rows[0][0], at, action, [(row[3], row[4]) for row in entries], rows[0][0] in back)


def take_back(hub: Workplace, actor: Actor, number: int) -> Sequence[int]:
    """Make whose some questions are, or until when they are put off, what it was before a step; returns the questions
    that are as they were.

    Raises:
        NotFound: the actor took no such step lately.
        Refused: it is none that is taken back so.
        Conflict: it is taken back already, or something came after it for every one of its questions.
    """
    actor.must(Permission.DECIDE)
    with unit_of_work(hub.engine, hub.clock, "steward") as work:
        step = next(iter(last_steps(work, actor.name, number)), None)
        if step is None or step.number != number:
            raise NotFound(f"There is no step {number} of {actor.name}.", action="Look at your last steps again.")
        if step.action not in TAKEN_BACK_HERE:
            raise Refused("This is not taken back so.", action="Your last steps say how it is, where it can be.")
        if step.taken_back:
            raise Conflict("This step is taken back already.", action="Look at your last steps again.")
        back = _as_before(work, actor, step, set(reachable_tasks(hub.engine, list(step.tasks))))
        if not back:
            raise Conflict(
                "Something came after it: the question is answered, or somebody else's, or put off anew.",
                action="Look at the question.",
            )
    return back


def _as_before(work: UnitOfWork, actor: Actor, step: Step, reached: set[int]) -> Sequence[int]:
    whose = step.action in _WHOSE
    now = {
        row[0]: row[1] if whose else row[2]
        for row in work.query(
            """select t.task_id, w.assignee, w.snoozed_until from steward_task t join task_work w using (task_id)
               where t.task_id = any(%s::bigint[]) and t.status = 'open' order by t.task_id for update of t""",
            sorted(reached),
        )
    }
    # Only where it still is what the step made it: what somebody did after it is theirs.
    before = {
        task: detail.get("from" if whose else "was")
        for task, detail in step.tasks.items()
        if task in now and now[task] == (detail["to"] if whose else _instant(detail["until"]))
    }
    tasks, values = list(before), list(before.values())
    if whose:
        work.execute(
            """update task_work w set version = w.version + 1, assignee = b.was, assigned_by = %s, assigned_at = %s
               from unnest(%s::bigint[], %s::text[]) as b(task_id, was) where w.task_id = b.task_id""",
            actor.name, work.now, tasks, values,
        )  # fmt: skip
        for taken in (True, False):
            tell_taken(work, [each for each in tasks if (before[each] is not None) is taken], taken=taken)
    else:
        work.execute(
            """update task_work w set version = w.version + 1, snoozed_until = b.was, snoozed_by = %s
               from unnest(%s::bigint[], %s::timestamptz[]) as b(task_id, was) where w.task_id = b.task_id""",
            actor.name, tasks, values,
        )  # fmt: skip
        tell_put_off(work, {task: _instant(was) for task, was in before.items()})
    name = "assignee" if whose else "until"
    entries = [(f"task {task}", {"step": step.number, "of": step.action, name: before[task]}) for task in tasks]
    write_audits(work, actor.name, TOOK_BACK, entries)
    return tasks


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
