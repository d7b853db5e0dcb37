"""The change feed: announcements in the order in which they were committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from mdm.model.ids import Domain, EntityId
from mdm.store.scoped import visible
from mdm.store.tables import outbox


@dataclass(frozen=True, slots=True)
class Change:
    """One announcement. `seq` grows with every commit and is never used twice."""

    seq: int
    domain: Domain
    entity_id: EntityId
    type: str
    payload: Mapping[str, Any]
    at: datetime


def changes_after(connection: Connection, seq: int, domain: Domain | None, limit: int) -> Sequence[Change]:
    """Up to `limit` announcements with a greater `seq`, in order.

    A unit of work takes its number when it publishes, as its last step, and nobody else can publish before it has
    committed. So a smaller `seq` can never become visible after a greater one, and a reader that remembers the last
    `seq` it saw misses nothing.
    """
    query = select(
        outbox.c.seq, outbox.c.aggregatetype, outbox.c.aggregateid, outbox.c.type, outbox.c.payload, outbox.c.created_at
    ).where(outbox.c.seq > seq, *visible(connection, outbox.c.aggregateid))
    if domain is not None:
        query = query.where(outbox.c.aggregatetype == domain.value)
    rows = connection.execute(query.order_by(outbox.c.seq).limit(limit))
    return [
        Change(row.seq, Domain(row.aggregatetype), EntityId(row.aggregateid), row.type, row.payload, row.created_at)
        for row in rows
    ]


def newest_change(connection: Connection) -> int:
    """The greatest `seq` so far; 0 when nothing was announced yet."""
    return connection.scalar(select(func.max(outbox.c.seq))) or 0
