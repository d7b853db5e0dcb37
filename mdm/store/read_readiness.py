"""What onboarding asks about a golden customer beyond its own values: shared numbers, parents, open questions."""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_golden import current_golden
from mdm.store.read_identity import resolve_names

#: Type, country and normal form of an identifier.
Number: TypeAlias = tuple[str, str | None, str]

#: A chain longer than this is a circle that does not pass through its beginning, or no hierarchy of companies.
_MOST_ANCESTORS = 20

# Numbers are found through the search terms, which hold every identifier folded, and compared exactly afterwards.
_SHARING = """
select g.entity_id, i->>'type', i->>'country', i->>'normal'
from (
  select distinct entity_id from search_term
  where domain = 'customer' and term = any(:terms) and entity_id <> :entity_id
) s
join golden g on g.entity_id = s.entity_id and g.known_to is null
cross join lateral jsonb_array_elements(g.values->'identifiers') i
where i->>'normal' = any(:normals)
order by g.entity_id
"""

_QUESTIONS = """
select count(*)
from steward_task t
join crosswalk a on a.rec_id = t.a
join crosswalk b on b.rec_id = t.b
where t.status = 'open' and t.domain = 'customer' and a.entity_id <> b.entity_id
  and (a.entity_id = :entity_id or b.entity_id = :entity_id)
"""

_PENDING = """
select count(*) from proposal where status = 'open' and entities @> array[cast(:entity_id as text)]
"""


def sharing(connection: Connection, entity_id: EntityId, numbers: Collection[Number]) -> dict[Number, list[EntityId]]:
    """Which other golden customers have these numbers; numbers that nobody shares are absent."""
    wanted = set(numbers)
    normals = sorted({normal for _, _, normal in wanted})
    found: dict[Number, list[EntityId]] = {}
    if not normals:
        return found
    terms = ["".join(each for each in normal.lower() if each.isalnum()) for normal in normals]
    for other, *number in connection.execute(
        text(_SHARING), {"terms": terms, "normals": normals, "entity_id": entity_id}
    ):
        if tuple(number) in wanted:
            found.setdefault((number[0], number[1], number[2]), []).append(EntityId(other))
    return found


def parent_of(connection: Connection, values: Mapping[str, Any]) -> EntityId | None:
    """The customer that golden values name as parent; None when they name none, or one that leads nowhere."""
    reference = values.get("parent")
    if not reference:
        return None
    name = CrosswalkKey(reference["system"], reference["type"], reference["key"])
    return resolve_names(connection, [name]).get(name)


def ancestors(connection: Connection, entity_id: EntityId, values: Mapping[str, Any]) -> tuple[EntityId, ...]:
    """Parents from the nearest up, until none is named or one comes up again; that one is listed a second time."""
    chain: list[EntityId] = []
    parent = parent_of(connection, values)
    while parent is not None and len(chain) < _MOST_ANCESTORS:
        again = parent == entity_id or parent in chain
        chain.append(parent)
        golden = None if again else current_golden(connection, Domain.CUSTOMER, parent)
        parent = parent_of(connection, golden.values) if golden is not None else None
    return tuple(chain)


def open_questions(connection: Connection, entity_id: EntityId) -> int:
    """How many steward tasks ask whether this customer and another one are the same."""
    return int(connection.execute(text(_QUESTIONS), {"entity_id": entity_id}).scalar_one())


def pending_approvals(connection: Connection, entity_id: EntityId) -> int:
    """How many proposals about this customer wait for a second person."""
    return int(connection.execute(text(_PENDING), {"entity_id": entity_id}).scalar_one())
