"""The outbox as the relay reads it: what is not published yet, in the order of commit.

The table also fits Debezium's outbox event router (columns id, aggregatetype, aggregateid, type, payload), which reads
the database's log instead and needs no relay.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from mdm.model.announcements import event_type
from mdm.model.ids import Domain, EntityId
from mdm.store.reading import transient_failures

#: Whoever holds it publishes; others wait for it. Held by a session, so it is free when the relay's process dies.
_RELAY_LOCK = 0x6D646D72  # "mdmr"

_PENDING = """
select seq, id, aggregatetype, aggregateid, type, payload, traceparent, created_at from outbox
where published_at is null order by seq limit %s"""
_DEPTH = """
select count(*), coalesce(extract(epoch from %s - min(created_at)), 0) from outbox where published_at is null"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An announcement that is not published yet."""

    seq: int
    id: UUID
    domain: Domain
    entity_id: EntityId
    type: str
    payload: Mapping[str, Any]
    traceparent: str | None
    created_at: datetime

    @property
    def ends_erased(self) -> bool:
        """Whether it is the last of an entity whose subject was erased."""
        return self.type == event_type(self.domain, "retired") and self.payload.get("erased") is True


class Outbox:
    """One relay's session with the outbox."""

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection

    def is_mine(self) -> bool:
        """Whether this session publishes; takes the turn when nobody has it."""
        with transient_failures():
            row = self._connection.execute("select pg_try_advisory_lock(%s)", (_RELAY_LOCK,)).fetchone()
            assert row is not None
            return bool(row[0])

    def pending(self, limit: int) -> Sequence[Pending]:
        """The oldest announcements that are not published, in the order of commit."""
        with transient_failures():
            rows = self._connection.execute(_PENDING, (limit,)).fetchall()
        return [Pending(row[0], row[1], Domain(row[2]), EntityId(row[3]), *row[4:]) for row in rows]

    def mark_published(self, published: Sequence[Pending], now: datetime) -> None:
        """Note what the broker has acknowledged. Fails when this session has lost its turn."""
        with transient_failures():
            self._connection.execute(
                "update outbox set published_at = %s where seq = any(%s) and published_at is null",
                (now, [each.seq for each in published]),
            )

    def depth(self, now: datetime) -> tuple[int, float]:
        """How many announcements wait, and the age of the oldest in seconds."""
        with transient_failures():
            row = self._connection.execute(_DEPTH, (now,)).fetchone()
        assert row is not None
        return int(row[0]), max(float(row[1]), 0.0)


@contextmanager
def open_outbox(engine: Engine) -> Iterator[Outbox]:
    """A session of its own, closed for good at the end: its turn must not live on in a pool.

    Raises:
        TransientError: the database cannot be reached.
    """
    with transient_failures():
        connection = engine.raw_connection()
    driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
    try:
        driver.autocommit = True
        # A relay whose machine vanished must not keep the turn for hours: the server looks whether it still answers.
        for setting, value in (("idle", 10), ("interval", 5), ("count", 3)):
            driver.execute(f"set tcp_keepalives_{setting} = {value}")
        yield Outbox(driver)
    finally:
        # Given back before the session ends: a server notices a closed session late, and whoever is next would find
        # the turn taken by nobody. One that was cut has lost it already.
        with suppress(psycopg.Error):
            driver.execute("select pg_advisory_unlock_all()")
        connection.invalidate()
