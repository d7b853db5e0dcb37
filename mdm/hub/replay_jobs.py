"""Replays that are asked for and left: noted, carried out with a throttle and progress, stopped, and gone on with.

The work is that of `mdm.hub.replay`, which is harmless to repeat: going on with an interrupted job does it again, and
what is in line already changes nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mdm.access import Permission
from mdm.errors import Conflict, Invalid, MdmError, NotFound
from mdm.hub.exceptions import Selection, replay_dead_letters
from mdm.hub.process import Pipeline
from mdm.hub.reach import must_reach_all
from mdm.hub.replay import Replay, replay, rows_meant
from mdm.hub.steward.actor import Actor
from mdm.model.effects import GoldenEffect
from mdm.store import replay_jobs as store
from mdm.store.at_work import REPLAYS, only_one_at
from mdm.store.ledger import write_audit
from mdm.store.refold import EventRange
from mdm.store.replay_jobs import ReplayJob
from mdm.store.unit_of_work import unit_of_work

_LARGEST, _SAMPLE = 1000, 50
#: Rows a second that a throttle may ask for.
MOST_PER_SECOND = 100_000


class _Stopped(Exception):
    """Somebody asked the job to stop."""


def start_replay(
    hub: Pipeline, actor: Actor, meant: EventRange, dead_letters: Sequence[int] = (), rate: int = 0
) -> int:
    """Note a replay of a range of stored events, or of some dead letters; `run_replay` carries it out.

    Args:
        rate: most rows per second, so that others keep their share of the database; 0 for no limit.

    Raises:
        Invalid: neither a range nor dead letters are named, or both are.
        NotFound: there is nothing in the range.
        Refused: dead letters take the permission to mend, a range that to operate.
    """
    actor.must(Permission.MEND if dead_letters else Permission.OPERATE)
    must_reach_all(hub.engine, "Replays")
    if (meant == EventRange()) is not bool(dead_letters):
        raise Invalid(
            "Name a range of events, or dead letters.", action="Everything at once is a rebuild: `mdm rebuild`."
        )
    if not 0 <= rate <= MOST_PER_SECOND:
        raise Invalid(f"A throttle is 1 to {MOST_PER_SECOND:,} rows a second, or none.")
    total = len(dead_letters) or rows_meant(hub, meant)
    if not total and (meant.since or meant.until):
        raise NotFound("There are no stored events in this range.", action="Widen it.")
    conditions = {name: _written(value) for name, value in meant.parameters().items() if value is not None}
    with unit_of_work(hub.engine, hub.clock, "replay") as work:
        now = work.now
        detail: dict[str, object] = {"range": conditions, "dead_letters": list(dead_letters), "rows": total}
        write_audit(work, actor.name, "replay.start", "stored events", detail)
    with hub.engine.begin() as connection:
        return store.insert(connection, actor.name, conditions, dead_letters, rate, total, now)


def run_replay(hub: Pipeline, job_id: int, pause: Callable[[float], None] = time.sleep) -> ReplayJob:
    """Carry out a replay that was noted, or go on with one that was stopped or interrupted.

    Raises:
        Conflict: another process is at work on it.
        TransientError: the surroundings failed; what was done is done, call again.
    """
    job = replay_job(hub, job_id)
    if job.status == "done":
        return job
    with only_one_at(hub.engine, REPLAYS, job_id, "replay"):
        store.change(hub.engine, job_id, "running")
        try:
            done = _carried_out(hub, job, pause)
        except _Stopped:
            store.change(hub.engine, job_id, "stopped", at=hub.clock())
        except MdmError as error:
            store.change(hub.engine, job_id, "failed", error=error.message, at=hub.clock())
            raise
        else:
            store.change(hub.engine, job_id, "done", report=report_of(done), at=hub.clock())
    return replay_job(hub, job_id)


def stop_replay(hub: Pipeline, actor: Actor, job_id: int) -> None:
    """Stop a replay after the rows that it is at; what was done stays done.

    Raises:
        Conflict: it has ended.
    """
    job = job_of(hub, actor, job_id)
    if job.status not in ("running", "stopping"):
        raise Conflict(f"Replay {job_id} is {job.status}.")
    store.change(hub.engine, job_id, "stopping" if job.alive else "stopped", at=None if job.alive else hub.clock())


def replay_job(hub: Pipeline, job_id: int) -> ReplayJob:
    """How far a replay is.

    Raises:
        NotFound: there is none with this number.
    """
    with hub.engine.connect() as connection:
        return store.find(connection, job_id)


def job_of(hub: Pipeline, actor: Actor, job_id: int) -> ReplayJob:
    """A replay as somebody may look at it and steer it: their own, or any for those who operate.

    Raises:
        NotFound: there is none with this number.
        Refused: it is somebody else's.
    """
    job = replay_job(hub, job_id)
    if job.actor != actor.name:
        actor.must(Permission.OPERATE)
    return job


def report_of(done: Replay) -> dict[str, Any]:
    """What a replay did, in ids and counts."""
    effects: Sequence[GoldenEffect] = done.effects
    fields = Counter(change.field for each in effects for change in each.fields)
    letters = done.dead_letters.report.outcomes if done.dead_letters is not None else {}
    outcomes: Counter[str] = Counter()
    for (_, outcome), number in letters.items():
        outcomes[outcome.value] += number
    return {
        "rows": done.rows,
        "golden": len(effects),
        "what": dict(Counter(each.what for each in effects)),
        "fields": dict(fields.most_common()),
        "dead_letters": dict(outcomes),
        "samples": [[each.entity_id, each.what, [one.field for one in each.fields]] for each in effects[:_SAMPLE]],
        "seconds": round(done.seconds, 1),
    }


def _carried_out(hub: Pipeline, job: ReplayJob, pause: Callable[[float], None]) -> Replay:
    if job.dead_letters:
        began = time.monotonic()
        letters = replay_dead_letters(hub, Selection(ids=tuple(job.dead_letters)), job.actor)
        return Replay(0, letters, letters.effects, time.monotonic() - began)
    size = min(job.rate, _LARGEST) or _LARGEST
    began = time.monotonic()

    def told(share: float) -> None:
        rows = round(share * job.total)
        if store.tell(hub.engine, job.job_id, rows) != "running":
            raise _Stopped
        if job.rate and share < 1.0:
            pause(max(0.0, rows / job.rate - (time.monotonic() - began)))

    return replay(hub, _range(job.conditions), job.actor, told, size)


def _range(conditions: Mapping[str, Any]) -> EventRange:
    times = {name: datetime.fromisoformat(conditions[name]) for name in ("since", "until") if name in conditions}
    return EventRange(**{**conditions, **times})


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
