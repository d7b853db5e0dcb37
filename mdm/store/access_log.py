"""Who read which golden record: counts by the hour, written many at once, and read for one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, text
from sqlalchemy.dialects.postgresql import insert

from mdm.store.tables_access import record_access

#: How long reads are kept: a little more than a year, so that two year-ends are in it.
KEPT = timedelta(days=400)

_READERS = """
select a.key_id, a.role, a.way, sum(a.reads) as reads, min(a.first_at) as first_at, max(a.last_at) as last_at,
  coalesce(max(k.label), max(c.name)) as label
from record_access a
left join api_key k on k.key_id = a.key_id
left join console_account c on 'user:' || c.username = a.key_id
where a.entity_id = any(:ids) and a.hour >= :since
group by a.key_id, a.role, a.way order by max(a.last_at) desc, a.key_id limit :limit
"""


class Access(NamedTuple):
    """Who reads what, in which hour."""

    entity_id: str
    key_id: str
    way: str
    hour: datetime


@dataclass(slots=True)
class Reads:
    """How often, and when first and last."""

    role: str
    reads: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who read a record, with what their key or account is called."""

    key_id: str
    role: str
    way: str
    reads: int
    first_at: datetime
    last_at: datetime
    label: str | None


def write_accesses(connection: Connection, accesses: Mapping[Access, Reads]) -> None:
    """Add counts of reads to those that are kept. The caller commits."""
    if not accesses:
        return
    new = insert(record_access)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["entity_id", "key_id", "way", "hour"],
            set_={"reads": record_access.c.reads + new.excluded.reads, "last_at": new.excluded.last_at},
        ),
        # In one order everywhere, so that two processes that write the same rows never wait for each other in a circle.
        [
            {
                **access._asdict(),
                "role": read.role,
                "reads": read.reads,
                "first_at": read.first_at,
                "last_at": read.last_at,
            }
            for access, read in sorted(accesses.items())
        ],
    )


def forget_old_accesses(connection: Connection, now: datetime) -> None:
    """Forget reads that are older than they are kept. The caller commits."""
    connection.execute(delete(record_access).where(record_access.c.hour < now - KEPT))


def readers_of(connection: Connection, ids: Sequence[str], since: datetime, limit: int) -> Sequence[Reader]:
    """Who read a record under any of its ids since an instant, the latest first."""
    rows = connection.execute(text(_READERS), {"ids": list(ids), "since": since, "limit": limit})
    return [Reader(row.key_id, row.role, row.way, row.reads, row.first_at, row.last_at, row.label) for row in rows]
