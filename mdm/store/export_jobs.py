"""Exports that somebody began, and how far their download has come. What is exported is not kept: it streams from the
hub as it is, and the rest of an interrupted download begins where that one ended."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from mdm.clock import Clock
from mdm.errors import NotFound

_JOB = "job_id, actor, what, query, status, lines, done, total, place, started_at, told_at from export_job"
#: A download that has told nothing for so long is interrupted: a part of it takes seconds at most.
_SILENT = timedelta(minutes=2)
#: Exports of one's own are shown for so long.
_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """An export of `what`, narrowed by `query`. `done` of `total` is how far it has looked, `lines` what that gave, and
    `place` where it ended, as the exported list understands it; empty at the beginning."""

    job_id: int
    actor: str
    what: str
    query: str
    status: str  # waiting, running, stopped, done
    lines: int
    done: int
    total: int
    place: str
    started_at: datetime
    told_at: datetime

    def alive(self, now: datetime) -> bool:
        """Whether it is being downloaded."""
        return self.status == "running" and now - self.told_at < _SILENT

    def interrupted(self, now: datetime) -> bool:
        """Whether its download ended before its end."""
        return self.status == "stopped" or (self.status == "running" and not self.alive(now))


class Piece(NamedTuple):
    """Some lines of an export: their text, how many they are, how far it has looked with them, and where they end."""

    text: str
    lines: int
    done: int
    place: str


def begin(connection: Connection, actor: str, what: str, query: str, total: int, at: datetime) -> int:
    """Note an export down; returns its number. The caller commits."""
    number: int = connection.execute(
        text(
            """insert into export_job (actor, what, query, total, started_at, told_at)
               values (:actor, :what, :query, :total, :at, :at) returning job_id"""
        ),
        {"actor": actor, "what": what, "query": query, "total": total, "at": at},
    ).scalar_one()
    return number


def find(connection: Connection, job_id: int, actor: str, what: str | None = None) -> ExportJob:
    """An export of somebody; of `what`, where that is given.

    Raises:
        NotFound: they have begun none with this number.
    """
    row = connection.execute(
        text(f"select {_JOB} where job_id = :id and actor = :actor"), {"id": job_id, "actor": actor}
    )
    found = row.first()
    if found is None or what not in (None, found.what):
        raise NotFound(f"There is no export {job_id} of yours.", action="Begin it anew.")
    return ExportJob(*found)


def unfinished(connection: Connection, actor: str, what: str, now: datetime, limit: int = 3) -> list[ExportJob]:
    """What somebody has begun to export lately and not downloaded to the end, the newest first."""
    rows = connection.execute(
        text(
            f"""select {_JOB} where actor = :actor and what = :what and status <> 'done' and started_at > :since
                order by job_id desc limit :limit"""
        ),
        {"actor": actor, "what": what, "since": now - _LATELY, "limit": limit},
    )
    return [ExportJob(*row) for row in rows]


def followed(engine: Engine, clock: Clock, job: ExportJob, pieces: Iterator[Piece]) -> Generator[str]:
    """The text of the pieces; how far they have come is noted as they are taken away, and in the end how it ended."""
    lines = job.lines if job.place else 0
    _tell(engine, job.job_id, "running", clock())
    status = "stopped"
    try:
        for piece in pieces:
            yield piece.text
            lines += piece.lines
            with engine.begin() as connection:
                connection.execute(
                    text(
                        """update export_job set lines = :lines, done = :done, place = :place, told_at = :at
                           where job_id = :id"""
                    ),
                    {"lines": lines, "done": piece.done, "place": piece.place, "at": clock(), "id": job.job_id},
                )
        status = "done"
    finally:  # also when nobody takes any more of it
        _tell(engine, job.job_id, status, clock())


def _tell(engine: Engine, job_id: int, status: str, at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """update export_job set status = :status, told_at = :at,
                       done = case when :status = 'done' then total else done end where job_id = :id"""
            ),
            {"status": status, "at": at, "id": job_id},
        )
