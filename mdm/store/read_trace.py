"""The chain a source row stands in, from contract to posting; what followed from a traced change; the audit about a
name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, EntityId

#: Chains are followed this far, and lists of one chain are cut here.
_STEPS, _ROWS = 4, 120
#: The audit is searched this far back; older entries are found by their actor or subject in the audit itself.
_AUDIT_WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the chain. `level` is negative for what the row rests on, positive for what followed from it.

    `attributes` is None for a row that is named by another one but that the hub has never seen: a gap.
    """

    key: CrosswalkKey
    kind: str
    level: int
    role: str
    attributes: Mapping[str, Any] | None
    event_time: datetime | None
    entity_id: EntityId | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry of the audit."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


# Customers and products are masters of many chains; following them would lead everywhere.
_CHAIN = """
with recursive start as (
  select r.rec_id from source_record r where r.system = :system and r.type = :type and r.key = :key
),
up as (
  select rec_id, 0 as level, ''::text as role from start
  union
  select t.rec_id, u.level - 1, f.role
  from up u
  join record_reference f on f.rec_id = u.rec_id
    and f.role not in ('customer', 'product', 'offer', 'offer_of', 'parent')
  cross join lateral (
    select r.rec_id from source_record r
    where r.system = f.system and r.type = f.type and r.key = f.key and not r.deleted
    union
    select a.rec_id from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key
  ) t
  where u.level > -:steps
),
down as (
  select rec_id, 0 as level, ''::text as role from start
  union
  select f.rec_id, d.level + 1, f.role
  from down d
  cross join lateral (
    select r.system, r.type, r.key from source_record r where r.rec_id = d.rec_id
    union
    select a.system, a.type, a.key from record_alias a where a.rec_id = d.rec_id
  ) n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
    and f.role not in ('customer', 'product', 'offer', 'offer_of', 'parent')
  where d.level < :steps
),
chain as (select * from up union select * from down)
select distinct on (r.rec_id) r.system, r.type, r.key, r.kind, c.level, c.role, r.attributes, r.event_time, x.entity_id
from chain c join source_record r on r.rec_id = c.rec_id and not r.deleted
left join crosswalk x on x.rec_id = r.rec_id
order by r.rec_id, abs(c.level)
limit :rows
"""
_GAPS = """
select f.role, f.system, f.type, f.key
from source_record s join record_reference f on f.rec_id = s.rec_id
where s.system = :system and s.type = :type and s.key = :key
  and not exists (select from source_record r where r.system = f.system and r.type = f.type and r.key = f.key)
  and not exists (select from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key)
"""
#: A trace id of W3C trace context, alone or within a traceparent.
_TRACE = re.compile(r"(?:[0-9a-f]{2}-)?(?P<id>[0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")
_ANNOUNCED = """
select o.seq, o.created_at, o.type, o.aggregateid, coalesce(g.name, '') as name from outbox o
left join golden g on g.entity_id = o.aggregateid and g.known_to is null
where o.traceparent is not null and split_part(o.traceparent, '-', 2) = :trace
order by o.seq desc limit :limit
"""
_REFUSED = """
select dead_letter_id, last_seen, status, reason, system, type, row_key from dead_letter
where trace_id = :trace order by dead_letter_id desc limit :limit
"""
#: The detail of an audit row as it was written, with the remarks that are kept apart.
WITH_REMARKS = """detail::jsonb || coalesce(
    (select jsonb_object_agg(m.name, m.text) from audit_remark m where m.seq = audit.seq), '{}') as detail"""
_AUDIT = f"""
select seq, at, actor, action, subject, {WITH_REMARKS} from audit
where seq > (select coalesce(max(seq), 0) from audit) - :window
  and (subject = :q or actor = :q or strpos(subject, :q) > 0 or strpos(detail::text, :q) > 0
    or exists (select from audit_remark m where m.seq = audit.seq and strpos(m.text, :q) > 0))
order by seq desc limit :limit
"""


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement that followed from a traced change."""

    seq: int
    at: datetime
    type: str
    entity_id: EntityId
    name: str


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A traced message that the hub refused; `row` is what it is about, as far as that could be read."""

    dead_letter_id: int
    at: datetime
    status: str
    reason: str
    row: str


def refused_of(connection: Connection, q: str, limit: int) -> Sequence[RefusedMessage]:
    """What was refused of a change with this trace id, or with this whole trace context; the newest first."""
    traced = _TRACE.fullmatch(q.strip().lower())
    if traced is None:
        return []
    rows = connection.execute(text(_REFUSED), {"trace": traced["id"], "limit": limit})
    return [
        RefusedMessage(
            row.dead_letter_id,
            row.last_seen,
            row.status,
            row.reason,
            " ".join(filter(None, (row.system, row.type, row.row_key))),
        )
        for row in rows
    ]


def announced_by(connection: Connection, q: str, limit: int) -> Sequence[Announced]:
    """What was announced because of a change with this trace id, or with this whole trace context; the newest first."""
    traced = _TRACE.fullmatch(q.strip().lower())
    if traced is None:
        return []
    rows = connection.execute(text(_ANNOUNCED), {"trace": traced["id"], "limit": limit})
    return [Announced(*row) for row in rows]


def trace_row(connection: Connection, key: CrosswalkKey) -> Sequence[Step]:
    """The chain of a row, what it rests on first; empty when the hub has never seen it."""
    rows = connection.execute(text(_CHAIN), {**key._asdict(), "steps": _STEPS, "rows": _ROWS})
    steps = [
        Step(
            CrosswalkKey(row.system, row.type, row.key),
            row.kind,
            row.level,
            row.role,
            row.attributes or {},
            row.event_time,
            EntityId(row.entity_id) if row.entity_id else None,
        )
        for row in rows
    ]
    gaps = connection.execute(text(_GAPS), key._asdict())
    steps += [Step(CrosswalkKey(*row[1:]), row.role, -1, row.role, None, None, None) for row in gaps]
    return sorted(steps, key=lambda step: (step.level, step.kind, step.key))


def audit_of(connection: Connection, q: str, limit: int) -> Sequence[AuditLine]:
    """Recent audit entries that name this text: an actor, an id. Shorter texts than four match too much."""
    if len(q) < 4:
        return []
    rows = connection.execute(text(_AUDIT), {"q": q, "window": _AUDIT_WINDOW, "limit": limit})
    return [AuditLine(*row) for row in rows]
