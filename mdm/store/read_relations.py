"""What stewards say about hierarchies, for reading: parents and children on a day, all that is said of somebody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from mdm.model.hierarchy import RelationKind
from mdm.model.ids import EntityId

_TODAY = "(now() at time zone 'utc')::date"
_IDS = """(select entity_id from entity where entity_id = any(cast(:ids as text[]))
           union all select entity_id from entity where merged_into = any(cast(:ids as text[])))"""
_HOLDS = f"""r.ended_at is null and r.kind = :kind and r.valid_from <= coalesce(cast(:day as date), {_TODAY})
  and (r.valid_to is null or r.valid_to > coalesce(cast(:day as date), {_TODAY}))"""
_PARENTS = f"""
select coalesce(c.merged_into, r.child) as child, coalesce(p.merged_into, r.parent) as parent
from customer_relation r join entity c on c.entity_id = r.child left join entity p on p.entity_id = r.parent
where {_HOLDS} and r.child in {_IDS} order by r.relation_id
"""
_CHILDREN = f"""
select coalesce(p.merged_into, r.parent) as parent, coalesce(c.merged_into, r.child) as child
from customer_relation r join entity c on c.entity_id = r.child join entity p on p.entity_id = r.parent
where {_HOLDS} and r.parent in {_IDS} order by r.relation_id
"""
_ABOUT = f"""
select r.relation_id, r.kind, coalesce(c.merged_into, r.child) as child, coalesce(p.merged_into, r.parent) as parent,
  (select g.name from golden g where g.entity_id = coalesce(c.merged_into, r.child) and g.known_to is null)
    as child_name,
  (select g.name from golden g where g.entity_id = coalesce(p.merged_into, r.parent) and g.known_to is null)
    as parent_name,
  r.valid_from, r.valid_to, r.author, r.reason, r.created_at, r.decision_id
from customer_relation r join entity c on c.entity_id = r.child left join entity p on p.entity_id = r.parent
where r.ended_at is null and (r.child in {_IDS} or r.parent in {_IDS})
order by r.child <> all(cast(:ids as text[])), r.kind, r.valid_from desc limit :limit
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One relation with the names of both, as a page shows it."""

    relation_id: int
    kind: RelationKind
    child: EntityId
    parent: EntityId | None
    child_name: str | None
    parent_name: str | None
    valid_from: date
    valid_to: date | None
    author: str
    reason: str
    created_at: datetime
    decision_id: int

    def holds(self, day: date) -> bool:
        """Whether it is so on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def said_parents(
    connection: Connection, kind: RelationKind, children: Collection[EntityId], day: date | None = None
) -> Mapping[EntityId, EntityId | None]:
    """Who stewards say is the parent on a day (today if not given); None for a customer said to have none.

    Two customers that became one may bring a word each; the later word counts.
    """
    parameters = {"ids": list(children), "kind": kind.value, "day": day}
    rows = connection.execute(text(_PARENTS), parameters)
    return {EntityId(row.child): row.parent for row in rows if row.child != row.parent}


def said_children(
    connection: Connection, kind: RelationKind, parents: Collection[EntityId], day: date | None = None
) -> Sequence[tuple[EntityId, EntityId]]:
    """Parent and child where stewards say so on a day, and no later word about the child says otherwise."""
    parameters = {"ids": list(parents), "kind": kind.value, "day": day}
    rows = [(EntityId(row.parent), EntityId(row.child)) for row in connection.execute(text(_CHILDREN), parameters)]
    last = said_parents(connection, kind, {child for _, child in rows}, day) if rows else {}
    return [(parent, child) for parent, child in dict.fromkeys(rows) if last.get(child) == parent]


def said_about(connection: Connection, entity_id: EntityId, limit: int = 100) -> Sequence[Said]:
    """Everything stewards say about a customer at present, as child and as parent, on any day; as child first."""
    rows = connection.execute(text(_ABOUT), {"ids": [entity_id], "limit": limit})
    return [
        Said(
            row.relation_id, RelationKind(row.kind), EntityId(row.child), row.parent, row.child_name, row.parent_name,
            row.valid_from, row.valid_to, row.author, row.reason, row.created_at, row.decision_id,
        )
        for row in rows
    ]  # fmt: skip
