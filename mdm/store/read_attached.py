"""What is open about one golden record: questions, refused messages of its rows, values that were rejected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey

_QUESTIONS = """
with member as (select rec_id from crosswalk where entity_id = :id)
select t.task_id, t.kind, t.weight, t.opened_at, p.due_at, coalesce(nullif(g.name, ''), r.key) as other, g.entity_id
from (
  select task_id, b as other from steward_task where status = 'open' and a in (select rec_id from member)
  union
  select task_id, a as other from steward_task where status = 'open' and b in (select rec_id from member)
) q
join steward_task t using (task_id)
left join task_priority p using (task_id)
join source_record r on r.rec_id = q.other
left join crosswalk x on x.rec_id = q.other
left join golden g on g.entity_id = x.entity_id and g.known_to is null
where t.task_id > :after
order by t.task_id limit :limit
"""
_LETTERS = """
select d.dead_letter_id, d.code, d.reason, d.action, d.owner, d.status, d.first_seen, d.last_seen, d.system, d.type,
  d.row_key
from crosswalk x join source_record r using (rec_id)
join dead_letter d on d.system = r.system and d.type = r.type and d.row_key = r.key
where x.entity_id = :id
  and (cast(:after as bigint) is null
       or (d.status <> 'open', -d.dead_letter_id) > (cast(:closed as boolean), -cast(:after as bigint)))
order by d.status <> 'open', d.dead_letter_id desc limit :limit
"""
_REJECTED = """
select r.system, r.type, r.key, r.rejected
from crosswalk x join source_record r using (rec_id)
where x.entity_id = :id and not r.deleted and r.rejected is not null and r.rejected::text not in ('{}', '[]', 'null')
  and (cast(:system as text) is null or (r.system, r.type, r.key) > (:system, :type, :key))
order by r.system, r.type, r.key limit :limit
"""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question in which the record is one side; `other` is what the other side is called."""

    task_id: int
    kind: str
    weight: float
    opened_at: datetime
    due_at: datetime | None
    other: str
    entity_id: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused message about a row of the record."""

    letter_id: int
    code: str
    reason: str
    action: str
    owner: str
    status: str
    first_seen: datetime
    last_seen: datetime
    key: CrosswalkKey


def questions_about(connection: Connection, entity_id: str, limit: int, after: int = 0) -> Sequence[OpenQuestion]:
    """Open questions about a golden record; `after` is the last one of the page before, here and below."""
    rows = connection.execute(text(_QUESTIONS), {"id": entity_id, "limit": limit, "after": after})
    return [OpenQuestion(*row) for row in rows]


def letters_about(
    connection: Connection, entity_id: str, limit: int, after: tuple[bool, int] | None = None
) -> Sequence[Letter]:
    """Refused messages about rows of a golden record, open ones first; `after`: whether it is closed, and its id."""
    closed, letter_id = after or (None, None)
    rows = connection.execute(text(_LETTERS), {"id": entity_id, "limit": limit, "closed": closed, "after": letter_id})
    return [
        Letter(
            row.dead_letter_id, row.code, row.reason, row.action, row.owner, row.status, row.first_seen, row.last_seen,
            CrosswalkKey(row.system, row.type, row.row_key),
        )
        for row in rows
    ]  # fmt: skip


def rejected_of(
    connection: Connection, entity_id: str, limit: int, after: CrosswalkKey | None = None
) -> Sequence[tuple[CrosswalkKey, Mapping[str, Any]]]:
    """Values of its rows that could not be kept, with the reason, by row."""
    behind = after._asdict() if after is not None else dict.fromkeys(CrosswalkKey._fields)
    rows = connection.execute(text(_REJECTED), {"id": entity_id, "limit": limit} | behind)
    return [(CrosswalkKey(*row[:3]), row[3]) for row in rows]
