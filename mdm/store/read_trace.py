"""What followed from a traced change, and the audit about a name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import EntityId

#: The audit is searched this far back; older entries are found by their actor or subject in the audit itself.
_AUDIT_WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry of the audit."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


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


def audit_of(connection: Connection, q: str, limit: int) -> Sequence[AuditLine]:
    """Recent audit entries that name this text: an actor, an id. Shorter texts than four match too much."""
    if len(q) < 4:
        return []
    rows = connection.execute(text(_AUDIT), {"q": q, "window": _AUDIT_WINDOW, "limit": limit})
    return [AuditLine(*row) for row in rows]
