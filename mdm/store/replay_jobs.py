"""Replays that were asked for, and how far they are: rows in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, text

from mdm.errors import NotFound
from mdm.store.at_work import REPLAYS

_JOB = f"""job_id, actor, conditions, dead_letters, rate, status, done, total, report, error, started_at, finished_at,
    status in ('running', 'stopping') and exists (
        select 1 from pg_locks k where k.locktype = 'advisory' and k.granted and k.classid = {REPLAYS}
          and k.objid = j.job_id
          and k.database = (select oid from pg_database where datname = current_database())) as alive"""


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """One replay. `alive` says whether a process is at work on it now; `report` holds ids and counts."""

    job_id: int
    actor: str
    conditions: Mapping[str, Any]
    dead_letters: Sequence[int]
    rate: int
    status: str
    done: int
    total: int
    report: Mapping[str, Any]
    error: str
    started_at: datetime
    finished_at: datetime | None
    alive: bool


def insert(
    connection: Connection,
    actor: str,
    conditions: Mapping[str, Any],
    dead_letters: Sequence[int],
    rate: int,
    total: int,
    at: datetime,
) -> int:
    """Note a job; returns its number. The caller commits."""
    number: int = connection.execute(
        text(
            """insert into replay_job (actor, conditions, dead_letters, rate, total, started_at)
               values (:actor, cast(:conditions as jsonb), cast(:dead_letters as jsonb), :rate, :total, :at)
               returning job_id"""
        ),
        {"actor": actor, "conditions": orjson.dumps(dict(conditions)).decode(),
         "dead_letters": orjson.dumps(list(dead_letters)).decode(), "rate": rate, "total": total, "at": at},
    ).scalar_one()  # fmt: skip
    return number


def find(connection: Connection, job_id: int) -> ReplayJob:
    """A job.

    Raises:
        NotFound: there is none with this number.
    """
    row = connection.execute(text(f"select {_JOB} from replay_job j where job_id = :id"), {"id": job_id}).first()
    if row is None:
        raise NotFound(f"There is no replay {job_id}.")
    return ReplayJob(*row)


def page(connection: Connection, before: int | None, limit: int) -> list[ReplayJob]:
    """Up to `limit` jobs older than `before`, the newest first."""
    rows = connection.execute(
        text(
            f"""select {_JOB} from replay_job j where cast(:before as bigint) is null or job_id < :before
                order by job_id desc limit :limit"""
        ),
        {"before": before, "limit": limit},
    )
    return [ReplayJob(*row) for row in rows]


def of_actor(connection: Connection, actor: str, limit: int) -> list[ReplayJob]:
    """The newest replays that somebody began."""
    rows = connection.execute(
        text(f"select {_JOB} from replay_job j where actor = :actor order by job_id desc limit :limit"),
        {"actor": actor, "limit": limit},
    )
    return [ReplayJob(*row) for row in rows]


def tell(engine: Engine, job_id: int, done: int) -> str:
    """Note how far a job is; returns its state, for somebody may have asked it to stop."""
    with engine.begin() as connection:
        status: str = connection.execute(
            text("update replay_job set done = :done where job_id = :id returning status"),
            {"done": done, "id": job_id},
        ).scalar_one()
        return status


def change(
    engine: Engine,
    job_id: int,
    status: str,
    *,
    report: Mapping[str, Any] | None = None,
    error: str = "",
    at: datetime | None = None,
) -> None:
    """Write how a job stands."""
    with engine.begin() as connection:
        connection.execute(
            text(
                """update replay_job set status = :status, error = :error, finished_at = :at,
                       report = coalesce(cast(:report as jsonb), report),
                       done = case when :status = 'done' then total else done end
                   where job_id = :id"""
            ),
            {"status": status, "error": error, "at": at, "id": job_id,
             "report": None if report is None else orjson.dumps(dict(report)).decode()},
        )  # fmt: skip
