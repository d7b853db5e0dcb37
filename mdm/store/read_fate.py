"""What became of issued ids: one in full, or a consumer's whole cache at once. Set-based."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import within_reach

#: A division lists at most this many of its records; `records` counts all of them.
MOST_RECORDS = 100

# Where the records are that once were members of an entity and left it, other than by its own end in a merger.
_LEFT = """
with left_behind as (
  select h.entity_id as asked, h.rec_id, max(h.until) as at
  from crosswalk_history h
  where h.entity_id = any(cast(:ids as text[]))
  group by h.entity_id, h.rec_id
)
select l.asked, x.entity_id, r.system, r.type, r.key, l.at
from left_behind l
join entity e on e.entity_id = l.asked
join crosswalk x on x.rec_id = l.rec_id
join source_record r on r.rec_id = l.rec_id
where x.entity_id <> l.asked and x.entity_id is distinct from e.merged_into
order by l.asked, x.entity_id, r.system, r.type, r.key
"""

# Times without a gap between two versions are one interval: an id that was retired and came back has several.
_INTERVALS = """
with marked as (
  select version, known_from, known_to,
    known_from > coalesce(max(known_to) over (order by version rows between unbounded preceding and 1 preceding),
                          known_from) as starts
  from golden where entity_id = :id
),
numbered as (select *, sum(case when starts then 1 else 0 end) over (order by version) as interval from marked)
select min(known_from), case when bool_or(known_to is null) then null else max(known_to) end
from numbered group by interval order by 1
"""

_CLASSIFY = """
with asked as (select id, place from unnest(cast(:ids as text[])) with ordinality as a(id, place)),
parted as (
  select distinct h.entity_id
  from crosswalk_history h
  join asked a on a.id = h.entity_id
  join entity e on e.entity_id = h.entity_id
  join crosswalk x on x.rec_id = h.rec_id
  where x.entity_id <> h.entity_id and x.entity_id is distinct from e.merged_into
)
select a.id, e.domain, e.status, e.merged_into, e.changed_at, g.version, p.entity_id is not null as parted
from asked a
left join entity e on e.entity_id = a.id
left join golden g on g.entity_id = coalesce(e.merged_into, e.entity_id) and g.known_to is null
left join parted p on p.entity_id = a.id
order by a.place
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Records that left an id for another one: how many, the first of them, and when the last of them went."""

    entity_id: EntityId
    records: Sequence[CrosswalkKey]
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of one id, briefly. `domain` is None for an id that was never issued."""

    id: str
    domain: Domain | None
    status: str | None
    merged_into: EntityId | None
    changed_at: datetime | None
    #: The version of the golden record to use now.
    version: int | None
    #: Records left this id for others.
    parted: bool


def parts_of(connection: Connection, ids: Collection[str]) -> Mapping[str, Sequence[Part]]:
    """For each id, the entities that hold records which once were its own; ids that lost none are absent."""
    found: dict[str, dict[EntityId, list[tuple[CrosswalkKey, datetime]]]] = {}
    left = connection.execute(text(_LEFT), {"ids": list(ids)}).all()
    reached = within_reach(connection, {each for row in left for each in row[:2]})
    for asked, entity_id, system, type_, key, at in left:
        if reached is not None and not {asked, entity_id} <= reached:
            continue
        found.setdefault(asked, {}).setdefault(EntityId(entity_id), []).append((CrosswalkKey(system, type_, key), at))
    return {
        asked: [
            Part(entity_id, [key for key, _ in rows[:MOST_RECORDS]], len(rows), max(at for _, at in rows))
            for entity_id, rows in parts.items()
        ]
        for asked, parts in found.items()
    }


def intervals_of(connection: Connection, entity_id: str) -> Sequence[tuple[datetime, datetime | None]]:
    """When the id had a golden record: from, and until (None: it still has)."""
    reached = within_reach(connection, [entity_id])
    if reached is not None and entity_id not in reached:
        return []
    return [(row[0], row[1]) for row in connection.execute(text(_INTERVALS), {"id": entity_id})]


def classify(connection: Connection, ids: Sequence[str]) -> Sequence[Classified]:
    """What became of each id, in the order asked, in one query. Ids out of reach are told as never issued."""
    rows = connection.execute(text(_CLASSIFY), {"ids": list(ids)}).all()
    reached = within_reach(connection, ids)
    return [
        Classified(row[0], Domain(row[1]) if row[1] else None, *row[2:])
        if reached is None or row[0] in reached
        else Classified(row[0], None, None, None, None, None, False)
        for row in rows
    ]
