"""How far the hub has read its sources: written in the unit of work, so that it never says more than is committed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from mdm.model.events import ChangeEvent, Place
from mdm.store.ledger import system_of
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class SourceState:
    """How fresh a platform is in the hub: its newest change, by its own clock, and when that was committed here."""

    system: str
    event_time: datetime | None
    committed_at: datetime
    lsn: int | None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """How far one partition was read."""

    offset: int
    lsn: int | None


def write_progress(work: UnitOfWork, positions: Mapping[tuple[str, int], int], events: Iterable[ChangeEvent]) -> None:
    """Move each partition's place forward; it never moves back. `positions` are the next offsets."""
    newest: dict[tuple[str, int], tuple[int | None, datetime]] = {}
    for event in events:
        where = (event.place.topic, event.place.partition)
        lsn, at = newest.get(where, (None, event.event_time))
        newest[where] = max(filter(None, (lsn, event.lsn)), default=None), max(at, event.event_time)
    work.execute_with(
        "stage_progress",
        "system text, topic text, part int, off bigint, lsn bigint, event_time timestamptz",
        (
            (system_of(topic), topic, partition, offset - 1, *newest.get((topic, partition), (None, None)))
            for (topic, partition), offset in sorted(positions.items())
        ),
        """insert into source_progress as p (system, topic, partition, "offset", lsn, event_time, committed_at)
           select system, topic, part, off, lsn, event_time, %s from stage_progress
           on conflict (system, topic, partition) do update
           set "offset" = greatest(p."offset", excluded."offset"), lsn = greatest(p.lsn, excluded.lsn),
               event_time = greatest(p.event_time, excluded.event_time), committed_at = excluded.committed_at""",
        work.now,
    )


def source_states(connection: Connection) -> Sequence[SourceState]:
    """How fresh each platform is, by name."""
    rows = connection.execute(
        text(
            """select system, max(event_time), max(committed_at), max(lsn) from source_progress
               group by system order by system"""
        )
    )
    return [SourceState(*row) for row in rows]


def topics_read(connection: Connection) -> dict[str, frozenset[str]]:
    """The topics that were ever read, by platform."""
    rows = connection.execute(text("select system, array_agg(distinct topic) from source_progress group by system"))
    return {row[0]: frozenset(row[1]) for row in rows}


def place_reached(connection: Connection, place: Place) -> PartitionState | None:
    """How far the partition of a place was read; None when the hub never heard of it."""
    row = connection.execute(
        text('select "offset", lsn from source_progress where topic = :topic and partition = :partition'),
        {"topic": place.topic, "partition": place.partition},
    ).first()
    return None if row is None else PartitionState(row[0], row[1])


def lsn_reached(connection: Connection, system: str) -> int | None:
    """The greatest LSN of a platform that the hub has read."""
    found: int | None = connection.scalar(
        text("select max(lsn) from source_progress where system = :system"), {"system": system}
    )
    return found


def messages_per_second(connection: Connection, now: datetime, window: timedelta) -> float:
    """How fast messages were taken in lately; 0 when none were."""
    taken = connection.execute(
        text(
            """select coalesce(sum(messages), 0), min(committed_at) from batch
               where cause = 'ingest' and committed_at > :since"""
        ),
        {"since": now - window},
    ).one()
    if not taken[0]:
        return 0.0
    seconds: float = max((now - taken[1]).total_seconds(), 1.0)
    return float(taken[0]) / seconds
