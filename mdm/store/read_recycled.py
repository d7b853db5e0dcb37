"""Recycled identifiers as people are told of them: who held them, and what was built on them before it was known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.store.recycled import Name

#: One more than is listed tells that there are more.
_NOTED = """
select r.system, r.type, r.identifier, r.question, r.holders, r.since, r.batch_id, b.committed_at, e.exception_id,
  e.owner, e.status, e.assignee, k.author, k.reason, k.created_at
from recycled_identifier r
left join batch b using (batch_id)
left join exception e using (question)
left join identifier_kept k on (k.system, k.type, k.identifier) = (r.system, r.type, r.identifier)
where (cast(:exception as bigint) is null or e.exception_id = :exception)
order by r.since desc, r.system, r.type, r.identifier limit :most
"""
_ROWS = """
select r.rec_id from unnest(cast(:rows as text[])) as n(name)
join source_record r on r.system = split_part(n.name, ':', 1) and r.type = split_part(n.name, ':', 2)
  and r.key = substr(n.name, length(split_part(n.name, ':', 1) || split_part(n.name, ':', 2)) + 3)
"""
_JUDGED = """
select j.decision_id, j.author, j.reason, j.created_at, p.system || ':' || p.type || ':' || p.key as a,
  q.system || ':' || q.type || ':' || q.key as b
from judgement j join source_record p on p.rec_id = j.a join source_record q on q.rec_id = j.b
where j.superseded_at is null and j.verdict = 'same' and j.created_at <= :known
  and (j.a = any(:ids) or j.b = any(:ids)) order by j.created_at desc limit :most
"""
_PINNED = """
select decision_id, author, reason, created_at, attribute from golden_override
where ended_at is null and anchors && cast(:ids as bigint[]) and created_at <= :known
order by created_at desc limit :most
"""
_REFERRING = """
select r.system, r.type, count(*) as rows from record_reference f
join source_record r on r.rec_id = f.rec_id and not r.deleted
where f.system = :system and f.type = :type and f.key = :key and r.event_time < :since
group by r.system, r.type order by r.system, r.type
"""
_LEFT = """
select s.system || ':' || s.type || ':' || s.key as name, h.entity_id
from crosswalk_history h join source_record s using (rec_id)
where h.batch_id = :batch
  and (h.rec_id = any(:ids) or h.entity_id in (select entity_id from crosswalk where rec_id = any(:ids)))
order by 1 limit :most
"""
#: Decisions listed for one identifier.
_MOST = 20


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Something that was built on an identifier while it was another company's.

    `kind` is `decision` (a steward said that two are one), `override` (a value was pinned), `rows` (rows of other
    tables that refer to the key since before) or `left` (a row that left a golden record when the hub learnt of it).
    """

    kind: str
    what: str
    decision_id: int | None = None
    by: str | None = None
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """An identifier that its source gave to another company."""

    name: Name
    #: [[rows], since, until or None], the first holder first.
    holders: Sequence[Sequence[Any]]
    since: datetime
    batch_id: int
    known_at: datetime | None
    exception_id: int | None
    owner: str | None
    status: str | None
    assignee: str | None
    kept_by: str | None
    kept_because: str | None
    kept_at: datetime | None

    @property
    def counts(self) -> bool:
        """Whether somebody said that it is one company, so that it counts again."""
        return self.kept_by is not None


def noted(connection: Connection, most: int, exception_id: int | None = None) -> list[Noted]:
    """Recycled identifiers, the latest one first."""
    rows = connection.execute(text(_NOTED), {"most": most, "exception": exception_id})
    return [Noted(Name(*row[:3]), row[4], *row[5:]) for row in rows]


def to_take_back(connection: Connection, found: Noted) -> list[TakeBack]:
    """What to look at: decisions first, then what refers to the key, then what the hub has taken apart itself."""
    ids = list(connection.scalars(text(_ROWS), {"rows": [row for rows, _, _ in found.holders for row in rows]}))
    known = {"ids": ids, "known": found.known_at or found.since, "most": _MOST}
    listed = [
        TakeBack("decision", f"{row.a} and {row.b} are one", row.decision_id, row.author, row.created_at, row.reason)
        for row in connection.execute(text(_JUDGED), known)
    ]
    listed += [
        TakeBack("override", f"{row.attribute} is pinned", row.decision_id, row.author, row.created_at, row.reason)
        for row in connection.execute(text(_PINNED), known)
    ]
    if found.name.of_key:
        key = found.name.identifier.split(":", 2)[2]
        asked = {"system": found.name.system, "type": found.name.type, "key": key, "since": found.since}
        listed += [
            TakeBack("rows", f"{row.rows} of {row.system} {row.type} refer to it since before")
            for row in connection.execute(text(_REFERRING), asked)
        ]
    left = {"ids": ids, "batch": found.batch_id, "most": _MOST}
    listed += [
        TakeBack("left", f"{row.name} has left {row.entity_id}") for row in connection.execute(text(_LEFT), left)
    ]
    return listed
