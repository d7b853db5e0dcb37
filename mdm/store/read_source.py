"""A source row as its platform sent it, with what the hub made of it: for those who speak in keys of their platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import scope_of, within_reach

#: So many versions of a row are told, the newest.
MOST_VERSIONS = 200

_ROWS = """
with named as (
  select r.rec_id from source_record r where r.system = :system and r.type = :type and r.key = :key
  union
  select a.rec_id from record_alias a where a.system = :system and a.type = :type and a.key = :key
)
select r.rec_id, r.system, r.type, r.key, r.kind, r.domain, r.deleted, r.operation, r."row", r.attributes, r.rejected,
       r.refs, r.topic, r.partition, r."offset", r.lsn, r.transaction, r.event_time, r.previous_key, r.unresolved,
       x.entity_id, x.since,
       (select h.entity_id from crosswalk_history h where h.rec_id = r.rec_id order by h.until desc limit 1) as last
from named n join source_record r on r.rec_id = n.rec_id
left join crosswalk x on x.rec_id = r.rec_id
where {reach}
order by r.system, r.type, r.key
"""
_VERSIONS = """
select h.operation, h."row", h.unavailable, h.topic, h.partition, h."offset", h.lsn, h.transaction, h.event_time,
       h.previous_key, h.next_key, b.committed_at
from record_history h left join batch b on b.batch_id = h.batch_id
where h.rec_id = :rec_id
order by h.pos_major desc, h.pos_minor desc, h.pos_order desc, h.pos_rank desc, h.topic, h.partition, h."offset" desc
limit :limit
"""


@dataclass(frozen=True, slots=True)
class Event:
    """The change event that gave a row a form, and its place in the feed. `row` is None for a deletion."""

    operation: str
    row: Mapping[str, Any] | None
    topic: str
    partition: int
    offset: int
    lsn: int | None
    transaction: str | None
    event_time: datetime
    previous_key: str | None
    #: Columns that had not changed and that the event left out.
    unavailable: Sequence[str]
    #: The key that the row had afterwards, where that is another one.
    next_key: str | None = None
    #: When the hub came to know it.
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A row in its present form, raw and canonical. `entity_id` is None for linked facts and for what is gone."""

    rec_id: int
    key: CrosswalkKey
    kind: str
    domain: Domain | None
    deleted: bool
    event: Event
    attributes: Mapping[str, Any]
    rejected: Mapping[str, str]
    references: Sequence[tuple[str, CrosswalkKey]]
    entity_id: EntityId | None
    member_since: datetime | None
    #: What it belonged to last, where it belongs to nothing now.
    last_entity: EntityId | None


def raw_rows(connection: Connection, name: CrosswalkKey) -> Sequence[Raw]:
    """The rows that have this key, or this alias (type `table#name`), also those that are gone."""
    # Linked facts belong to nobody by themselves: the database knows whose they are.
    limited = scope_of(connection).limits_rows
    reach = "r.domain is not null or mdm_fact_in_scope(r.rec_id)" if limited else "true"
    rows = connection.execute(text(_ROWS.format(reach=reach)), name._asdict()).all()
    reached = within_reach(connection, {row.entity_id or row.last or "" for row in rows if row.domain is not None})
    return [
        Raw(
            rec_id=row.rec_id,
            key=CrosswalkKey(row.system, row.type, row.key),
            kind=row.kind,
            domain=Domain(row.domain) if row.domain else None,
            deleted=row.deleted,
            event=Event(
                row.operation, row.row, row.topic, row.partition, row.offset, row.lsn, row.transaction, row.event_time,
                row.previous_key, row.unresolved or (),
            ),
            attributes=row.attributes or {},
            rejected=row.rejected or {},
            references=[(role, CrosswalkKey(*target)) for role, *target in row.refs or ()],
            entity_id=EntityId(row.entity_id) if row.entity_id else None,
            member_since=row.since,
            last_entity=EntityId(row.last) if row.last and not row.entity_id else None,
        )
        for row in rows
        if reached is None or row.domain is None or (row.entity_id or row.last) in reached
    ]  # fmt: skip


def raw_versions(connection: Connection, rec_id: int) -> tuple[Sequence[Event], bool]:
    """The change events of a row that was reached, the newest first, and whether these are all."""
    rows = connection.execute(text(_VERSIONS), {"rec_id": rec_id, "limit": MOST_VERSIONS + 1}).all()
    events = [
        Event(
            row.operation, row.row, row.topic, row.partition, row.offset, row.lsn, row.transaction, row.event_time,
            row.previous_key, row.unavailable or (), row.next_key, row.committed_at,
        )
        for row in rows[:MOST_VERSIONS]
    ]  # fmt: skip
    return events, len(rows) <= MOST_VERSIONS
