"""Linked facts of a golden record: invoices, payments, orders and the like, found through who refers to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey
from mdm.store.read_identity import names_of

#: `facts`, by the rec_id: those that refer to one of `names` (system, type, key), and those that refer to one of these
#: (an invoice line names its invoice only).
FACTS_OF_NAMES = """direct as (
  select distinct f.rec_id
  from names n join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record r on r.rec_id = f.rec_id
  where not r.deleted and r.domain is null
),
direct_names as (
  select r.system, r.type, r.key from direct d join source_record r on r.rec_id = d.rec_id
  union
  select a.system, a.type, a.key from direct d join record_alias a on a.rec_id = d.rec_id
),
facts as (
  select rec_id from direct
  union
  select f.rec_id
  from direct_names n join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record r on r.rec_id = f.rec_id
  where not r.deleted and r.domain is null
)"""

_FACTS = f"""
with names as (
  select w.system, w.type, w.key
  from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
),
{FACTS_OF_NAMES}
select r.rec_id, r.system, r.type, r.key, r.kind, r.attributes, r.refs, r.event_time, r.topic, r.partition, r."offset"
from facts join source_record r on r.rec_id = facts.rec_id
where r.rec_id > :after and (cast(:kind as text) is null or r.kind = :kind)
order by r.rec_id
limit :limit
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A linked fact as its platform states it. `place` orders facts of one answer and never leaves the hub as is."""

    place: int
    key: CrosswalkKey
    kind: str
    attributes: Mapping[str, Any]
    references: Sequence[tuple[str, CrosswalkKey]]
    event_time: datetime
    topic: str
    partition: int
    offset: int


def facts_of(connection: Connection, entity_id: str, kind: str | None, after: int, limit: int) -> Sequence[Fact]:
    """Up to `limit` live facts of it beyond `after` (0 to begin) in the order in which the hub met them."""
    names = names_of(connection, entity_id)
    rows = connection.execute(
        text(_FACTS),
        {
            "systems": [name.system for name in names],
            "types": [name.type for name in names],
            "keys": [name.key for name in names],
            "kind": kind,
            "after": after,
            "limit": limit,
        },
    )
    return [
        Fact(
            place=row.rec_id,
            key=CrosswalkKey(row.system, row.type, row.key),
            kind=row.kind,
            attributes=row.attributes or {},
            references=[(role, CrosswalkKey(*target)) for role, *target in row.refs or ()],
            event_time=row.event_time,
            topic=row.topic,
            partition=row.partition,
            offset=row.offset,
        )
        for row in rows
    ]
