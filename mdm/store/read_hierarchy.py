"""Who belongs to whom: parents up to the ultimate one, subsidiaries down, and what a customer has contracted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.hierarchy import RelationKind
from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import current_golden
from mdm.store.read_readiness import ancestors
from mdm.store.read_relations import said_children, said_parents
from mdm.store.scoped import within_reach

#: A level deeper than this, or a group larger than this, is told as cut off.
MOST_LEVELS, MOST_MEMBERS = 12, 1_000

# Children by the stated references (an index finds them); of what platforms state, the golden value has the last word.
_CHILDREN = """
with name as (
  select x.entity_id, r.system, r.type, r.key
  from crosswalk x join source_record r on r.rec_id = x.rec_id where x.entity_id = any(cast(:ids as text[]))
  union
  select x.entity_id, a.system, a.type, a.key
  from crosswalk x join record_alias a on a.rec_id = x.rec_id where x.entity_id = any(cast(:ids as text[]))
),
stated as (
  select distinct n.entity_id as parent, x.entity_id as child
  from name n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'parent'
  join crosswalk x on x.rec_id = f.rec_id
)
select distinct s.parent, s.child, g.name, g."values"->>'country', g."values"->>'status'
from stated s
join golden g on g.entity_id = s.child and g.known_to is null and g.domain = 'customer'
join name n on n.entity_id = s.parent and n.system = g."values"->'parent'->>'system'
  and n.type = g."values"->'parent'->>'type' and n.key = g."values"->'parent'->>'key'
order by s.parent, g.name, s.child
"""

_PRODUCTS = """
with name as (
  select r.system, r.type, r.key from crosswalk x join source_record r on r.rec_id = x.rec_id where x.entity_id = :id
  union
  select a.system, a.type, a.key from crosswalk x join record_alias a on a.rec_id = x.rec_id where x.entity_id = :id
),
contract as (
  select distinct x.entity_id
  from name n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join crosswalk x on x.rec_id = f.rec_id
)
select g.entity_id, g."values"
from contract c join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'contract'
where exists (
  select 1 from name n where n.system = g."values"->'customer'->>'system'
    and n.type = g."values"->'customer'->>'type' and n.key = g."values"->'customer'->>'key')
order by g.entity_id
"""


@dataclass(frozen=True, slots=True)
class Company:
    """One customer in a hierarchy."""

    entity_id: EntityId
    name: str
    country: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Branch:
    """A subsidiary, whose parent is `parent`; `level` 1 is directly below the customer asked about."""

    company: Company
    parent: EntityId
    level: int


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Parents from the nearest to the ultimate one, and subsidiaries level by level.

    `circular` when the stated parents come back to where they began: then nobody is ultimate. `cut_off` when there are
    more subsidiaries than are told.
    """

    above: Sequence[Company]
    below: Sequence[Branch]
    circular: bool
    cut_off: bool


def hierarchy_of(connection: Connection, entity_id: EntityId, values: Mapping[str, Any], levels: int) -> Hierarchy:
    """The hierarchy around an active customer. Nobody is told twice, whatever circles the sources state."""
    chain = ancestors(connection, entity_id, values)
    circular = len(chain) != len(set(chain)) or entity_id in chain
    parents = (_company(connection, each) for each in dict.fromkeys(chain) if each != entity_id)
    above = [company for company in parents if company is not None]
    below: list[Branch] = []
    seen = {entity_id, *(each.entity_id for each in above)}
    frontier: list[EntityId] = [entity_id]
    for level in range(1, levels + 1):
        found = [branch for branch in _children(connection, frontier, level) if branch.company.entity_id not in seen]
        distinct = {branch.company.entity_id: branch for branch in found}
        below += distinct.values()
        seen |= distinct.keys()
        frontier = list(distinct)
        if not frontier or len(below) >= MOST_MEMBERS:
            break
    return Hierarchy(above, below[:MOST_MEMBERS], circular, bool(frontier) and len(below) >= MOST_MEMBERS)


def contracted(connection: Connection, customer: EntityId) -> Sequence[tuple[EntityId, Mapping[str, Any]]]:
    """The contracts whose golden customer is this one, with their values."""
    rows = connection.execute(text(_PRODUCTS), {"id": customer}).all()
    reached = within_reach(connection, {row[0] for row in rows})
    return [(EntityId(row[0]), row[1]) for row in rows if reached is None or row[0] in reached]


def _company(connection: Connection, entity_id: EntityId) -> Company | None:
    row = current_golden(connection, Domain.CUSTOMER, entity_id)
    if row is None:
        return None
    return Company(row.entity_id, row.name, row.values.get("country"), row.values.get("status"))


def _children(connection: Connection, parents: Collection[EntityId], level: int) -> list[Branch]:
    """Children by stewards' words, and by what platforms state where no steward has said anything."""
    rows = connection.execute(text(_CHILDREN), {"ids": list(parents)}).all()
    reached = within_reach(connection, {row[1] for row in rows})
    words = said_parents(connection, RelationKind.LEGAL_PARENT, {EntityId(row[1]) for row in rows}) if rows else {}
    found = [
        Branch(Company(EntityId(row[1]), row[2], row[3], row[4]), EntityId(row[0]), level)
        for row in rows
        if row[1] not in words and (reached is None or row[1] in reached)
    ]
    for parent, child in said_children(connection, RelationKind.LEGAL_PARENT, parents):
        company = _company(connection, child)
        if company is not None:
            found.append(Branch(company, parent, level))
    return found
