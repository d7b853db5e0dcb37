"""What onboarding asks about a golden customer beyond its own values: shared numbers, parents, open questions."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, text

from mdm.model.hierarchy import RelationKind
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_golden import current_goldens
from mdm.store.read_identity import resolve_names
from mdm.store.read_relations import said_parents
from mdm.store.waiting import waits

#: Type, country and normal form of an identifier.
Number: TypeAlias = tuple[str, str | None, str]

#: A chain longer than this is a circle that does not pass through its beginning, or no hierarchy of companies.
_MOST_ANCESTORS = 20

# Numbers are found through the search terms, which hold every identifier folded, and compared exactly afterwards.
_SHARING = """
select g.entity_id, i->>'type', i->>'country', i->>'normal'
from (select distinct entity_id from search_term where domain = 'customer' and term = any(:terms)) s
join golden g on g.entity_id = s.entity_id and g.known_to is null
cross join lateral jsonb_array_elements(g.values->'identifiers') i
where i->>'normal' = any(:normals)
order by g.entity_id
"""

_QUESTIONS = """
select side.entity_id, count(*)
from (
  select x.entity_id, t.task_id, t.a, t.b from crosswalk x join steward_task t on t.a = x.rec_id
  where x.entity_id = any(:entities) and t.status = 'open' and t.domain = 'customer'
  union
  select x.entity_id, t.task_id, t.a, t.b from crosswalk x join steward_task t on t.b = x.rec_id
  where x.entity_id = any(:entities) and t.status = 'open' and t.domain = 'customer'
) side
join crosswalk a on a.rec_id = side.a
join crosswalk b on b.rec_id = side.b
where a.entity_id <> b.entity_id
group by side.entity_id
"""

_PENDING = f"""
select e.id, count(*)
from proposal p cross join lateral unnest(p.entities) as e(id)
where {waits(of="p.")} and p.entities && cast(:entities as text[]) and e.id = any(cast(:entities as text[]))
group by e.id
"""


def sharing(
    connection: Connection, asked: Mapping[EntityId, Collection[Number]]
) -> dict[EntityId, dict[Number, list[EntityId]]]:
    """For each customer, which other golden customers have its numbers; numbers that nobody shares are absent."""
    normals = sorted({normal for numbers in asked.values() for _, _, normal in numbers})
    found: dict[EntityId, dict[Number, list[EntityId]]] = {entity_id: {} for entity_id in asked}
    if not normals:
        return found
    terms = sorted({"".join(each for each in normal.lower() if each.isalnum()) for normal in normals})
    holders: dict[Number, list[EntityId]] = {}
    for other, type_, country, normal in connection.execute(text(_SHARING), {"terms": terms, "normals": normals}):
        holders.setdefault((type_, country, normal), []).append(EntityId(other))
    for entity_id, numbers in asked.items():
        for number in set(numbers):
            others = [each for each in holders.get(number, ()) if each != entity_id]
            if others:
                found[entity_id][number] = others
    return found


def parent_of(connection: Connection, values: Mapping[str, Any]) -> EntityId | None:
    """The customer that golden values name as parent; None when they name none, or one that leads nowhere."""
    reference = values.get("parent")
    if not reference:
        return None
    name = CrosswalkKey(reference["system"], reference["type"], reference["key"])
    return resolve_names(connection, [name]).get(name)


def legal_parent(
    connection: Connection, entity_id: EntityId, values: Mapping[str, Any], day: date | None = None
) -> EntityId | None:
    """The parent on a day (today if not given): by a steward's word, else by what golden values name."""
    said = said_parents(connection, RelationKind.LEGAL_PARENT, [entity_id], day)
    return said[entity_id] if entity_id in said else parent_of(connection, values)


def ancestors(
    connection: Connection, entity_id: EntityId, values: Mapping[str, Any], day: date | None = None
) -> tuple[EntityId, ...]:
    """Parents from the nearest up, until none is named or one comes up again; that one is listed a second time."""
    return all_ancestors(connection, {entity_id: values}, day)[entity_id]


def all_ancestors(
    connection: Connection, customers: Mapping[EntityId, Mapping[str, Any]], day: date | None = None
) -> dict[EntityId, tuple[EntityId, ...]]:
    """`ancestors` of many customers, level by level: a handful of queries for each level of the tallest group."""
    parents: dict[EntityId, EntityId | None] = {}
    frontier = dict(customers)
    for _ in range(_MOST_ANCESTORS):
        parents |= _legal_parents(connection, frontier, day)
        unknown = {each for each in (parents[one] for one in frontier) if each is not None and each not in parents}
        if not unknown:
            break
        rows = current_goldens(connection, Domain.CUSTOMER, sorted(unknown))
        frontier = {row.entity_id: row.values for row in rows}
        parents |= dict.fromkeys(unknown - frontier.keys())
        if not frontier:
            break
    return {entity_id: _chain(entity_id, parents) for entity_id in customers}


def _legal_parents(
    connection: Connection, customers: Mapping[EntityId, Mapping[str, Any]], day: date | None
) -> dict[EntityId, EntityId | None]:
    """The parent of each on a day: by a steward's word, else by what golden values name."""
    found: dict[EntityId, EntityId | None] = dict(
        said_parents(connection, RelationKind.LEGAL_PARENT, list(customers), day)
    )
    named = {
        entity_id: CrosswalkKey(reference["system"], reference["type"], reference["key"])
        for entity_id, values in customers.items()
        if entity_id not in found and (reference := values.get("parent"))
    }
    meant = resolve_names(connection, set(named.values())) if named else {}
    return {entity_id: found[entity_id] if entity_id in found else meant.get(named[entity_id]) if entity_id in named
            else None for entity_id in customers}  # fmt: skip


def _chain(entity_id: EntityId, parents: Mapping[EntityId, EntityId | None]) -> tuple[EntityId, ...]:
    chain: list[EntityId] = []
    parent = parents.get(entity_id)
    while parent is not None and len(chain) < _MOST_ANCESTORS:
        again = parent == entity_id or parent in chain
        chain.append(parent)
        parent = None if again else parents.get(parent)
    return tuple(chain)


def open_questions(connection: Connection, entity_id: EntityId) -> int:
    """How many steward tasks ask whether this customer and another one are the same."""
    return all_open_questions(connection, [entity_id]).get(entity_id, 0)


def all_open_questions(connection: Connection, entities: Collection[EntityId]) -> dict[EntityId, int]:
    """`open_questions` of many customers; those without one are absent."""
    rows = connection.execute(text(_QUESTIONS), {"entities": list(entities)})
    return {EntityId(row[0]): int(row[1]) for row in rows}


def pending_approvals(connection: Connection, entities: Collection[EntityId], now: datetime) -> dict[EntityId, int]:
    """How many proposals about each customer wait for a second person; customers without one are absent."""
    rows = connection.execute(text(_PENDING), {"entities": list(entities), "now": now})
    return {EntityId(row[0]): int(row[1]) for row in rows}
