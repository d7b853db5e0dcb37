"""Readers of the change feed whose place the hub keeps. The functions that write leave the commit to their caller."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert

from mdm.errors import Conflict, NotFound
from mdm.model.ids import Domain
from mdm.store.read_changes import newest_change
from mdm.store.tables import outbox
from mdm.store.tables_serving import feed_consumer


@dataclass(frozen=True, slots=True)
class FeedConsumer:
    """A reader and how far it said it is."""

    name: str
    owner: str
    domain: Domain | None
    acknowledged: int
    acknowledged_at: datetime
    created_at: datetime
    #: The version of events that it is pinned to.
    events: int | None = None


_COLUMNS = (
    feed_consumer.c.name,
    feed_consumer.c.owner,
    feed_consumer.c.domain,
    feed_consumer.c.acknowledged,
    feed_consumer.c.acknowledged_at,
    feed_consumer.c.created_at,
    feed_consumer.c.events,
)


def find_consumer(connection: Connection, name: str) -> FeedConsumer | None:
    """The reader of this name."""
    row = connection.execute(select(*_COLUMNS).where(feed_consumer.c.name == name)).first()
    return None if row is None else FeedConsumer(row[0], row[1], Domain(row[2]) if row[2] else None, *row[3:])


def all_consumers(connection: Connection) -> Sequence[FeedConsumer]:
    """All readers by name."""
    rows = connection.execute(select(*_COLUMNS).order_by(feed_consumer.c.name))
    return [FeedConsumer(row[0], row[1], Domain(row[2]) if row[2] else None, *row[3:]) for row in rows]


def register(
    connection: Connection,
    name: str,
    owner: str,
    domain: Domain | None,
    from_now: bool,
    events: int | None = None,
) -> FeedConsumer:
    """The reader of this name, made if it is new; harmless the second time. It may pin itself to another version.

    Raises:
        Conflict: it exists with another domain or owner.
    """
    begin = newest_change(connection) if from_now else 0
    connection.execute(
        insert(feed_consumer)
        .values(
            name=name,
            owner=owner,
            domain=domain.value if domain else None,
            acknowledged=begin,
            acknowledged_at=func.now(),
            created_at=func.now(),
        )
        .on_conflict_do_nothing()
    )
    found = find_consumer(connection, name)
    if found is None or (found.owner, found.domain) != (owner, domain):
        raise Conflict(f"A consumer {name} exists already, for another key or another domain.")
    if found.events != events:
        connection.execute(update(feed_consumer).where(feed_consumer.c.name == name).values(events=events))
        found = replace(found, events=events)
    return found


def acknowledge(connection: Connection, name: str, seq: int, rewind: bool) -> FeedConsumer:
    """Remember that a reader has everything up to `seq`.

    Raises:
        NotFound: there is no such reader.
        Conflict: `seq` lies before what it acknowledged, and it did not ask to rewind; or beyond what was announced.
    """
    if seq > newest_change(connection):
        raise Conflict("This place lies beyond everything that was announced.")
    moved = connection.execute(
        update(feed_consumer)
        .where(feed_consumer.c.name == name, true() if rewind else feed_consumer.c.acknowledged <= seq)
        .values(acknowledged=seq, acknowledged_at=func.now())
    )
    found = find_consumer(connection, name)
    if found is None:
        raise NotFound(f"There is no consumer {name}.")
    if moved.rowcount == 0:
        raise Conflict(f"{name} has acknowledged more than that; say `rewind` to read it again.")
    return found


def forget(connection: Connection, name: str) -> bool:
    """Forget a reader; True when there was one."""
    return connection.execute(delete(feed_consumer).where(feed_consumer.c.name == name)).rowcount == 1


def backlog(connection: Connection, consumer: FeedConsumer) -> int:
    """Announcements that a reader has not acknowledged."""
    query = select(func.count()).select_from(outbox).where(outbox.c.seq > consumer.acknowledged)
    if consumer.domain is not None:
        query = query.where(outbox.c.aggregatetype == consumer.domain.value)
    return int(connection.scalar(query) or 0)


def not_yet_told(connection: Connection, entity_id: str, domain: Domain) -> Sequence[str]:
    """Readers that have not acknowledged the last announcement about an entity, by name."""
    last = select(func.max(outbox.c.seq)).where(
        outbox.c.aggregateid == entity_id, outbox.c.aggregatetype == domain.value
    )
    seq = connection.scalar(last)
    if seq is None:
        return []
    rows = connection.scalars(
        select(feed_consumer.c.name)
        .where(
            feed_consumer.c.acknowledged < seq,
            (feed_consumer.c.domain.is_(None)) | (feed_consumer.c.domain == domain.value),
        )
        .order_by(feed_consumer.c.name)
    )
    return list(rows)
