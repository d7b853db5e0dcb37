"""Which decision made a record a member of its entity, as far as the hub remembers it for an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey

# For each member the firmest tie to another member: a steward's verdict before any link, then the strongest match.
_TIES = """
with instant as (select coalesce(cast(:at as timestamptz), 'infinity'::timestamptz) as at),
member as (
  select x.rec_id, x.since from crosswalk x, instant where x.entity_id = :id and x.since <= instant.at
  union
  select h.rec_id, h.since from crosswalk_history h, instant
  where h.entity_id = :id and h.since <= instant.at and h.until > instant.at
),
tie as (
  select l.a, l.b, 'link' as by, l.weight, l.fingerprint as model, 'hub' as author, '' as reason,
    l.created_at as at, l.batch_id
  from link l, instant
  where l.decision = 'match' and l.a in (select rec_id from member) and l.created_at <= instant.at
    and (l.superseded_at is null or l.superseded_at > instant.at)
  union all
  select j.a, j.b, 'judgement', null, null, j.author, j.reason, j.created_at, null
  from judgement j, instant
  where j.verdict = 'same' and j.a in (select rec_id from member) and j.created_at <= instant.at
    and (j.superseded_at is null or j.superseded_at > instant.at)
),
sided as (select a as rec, b as other, t.* from tie t union all select b, a, t.* from tie t)
select distinct on (m.rec_id) r.system, r.type, r.key, m.since, m.rec_id = e.founder, s.by, s.weight, s.model, s.author,
  s.reason, s.at, s.batch_id, o.system, o.type, o.key
from member m
join source_record r on r.rec_id = m.rec_id
left join entity e on e.entity_id = :id
left join (sided s join member n on n.rec_id = s.other join source_record o on o.rec_id = s.other) on s.rec = m.rec_id
order by m.rec_id, s.by, s.weight desc nulls last, o.system, o.type, o.key
"""


@dataclass(frozen=True, slots=True)
class Joined:
    """How a record came to its entity. `by` is `judgement`, `link`, or `founder` for a record that nothing ties."""

    by: str
    since: datetime
    founder: bool
    with_record: CrosswalkKey | None
    weight: float | None
    model: str | None
    author: str | None
    reason: str | None
    at: datetime | None
    batch: int | None


def joins_of(connection: Connection, entity_id: str, at: datetime | None) -> Mapping[CrosswalkKey, Joined]:
    """For every member at an instant (None: now) the decision that ties it to the others most firmly."""
    found = {}
    for row in connection.execute(text(_TIES), {"id": entity_id, "at": at}):
        other = CrosswalkKey(*row[12:15]) if row[12] is not None else None
        found[CrosswalkKey(*row[0:3])] = Joined(
            by=row[5] or "founder",
            since=row[3],
            founder=bool(row[4]),
            with_record=other,
            weight=row[6],
            model=row[7],
            author=row[8],
            reason=row[9] or None,
            at=row[10],
            batch=row[11],
        )
    return found
