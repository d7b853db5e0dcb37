"""Who belongs to whom: the tree above and below a golden customer, by what platforms state and stewards say.

A steward's word about a customer's parent stands in for everything that platforms state about it. Billing and reporting
lines are stewards' words alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection, text

from mdm.model.hierarchy import RelationKind
from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import current_golden
from mdm.store.read_readiness import ancestors
from mdm.store.read_relations import said_children, said_parents
from mdm.store.scoped import within_reach

#: Trees are drawn to this depth and this many customers.
_DEPTH, _CUSTOMERS = 6, 300

_CHILDREN = """
with names as (
  select x.entity_id, r.system, r.type, r.key
  from crosswalk x join source_record r using (rec_id) where x.entity_id = any(:parents)
  union
  select x.entity_id, a.system, a.type, a.key
  from crosswalk x join record_alias a using (rec_id) where x.entity_id = any(:parents)
)
select n.entity_id as parent, c.entity_id as child, g.name, g."values"->>'country' as country, g.members,
  array_agg(distinct s.system order by s.system) as stated_by
from names n
join record_reference f on f.role = 'parent' and f.system = n.system and f.type = n.type and f.key = n.key
join source_record s on s.rec_id = f.rec_id and not s.deleted
join crosswalk c on c.rec_id = f.rec_id
join golden g on g.entity_id = c.entity_id and g.known_to is null
where c.entity_id <> n.entity_id
group by 1, 2, 3, 4, 5 order by 3, 2
limit :limit
"""


_NODES = """
select g.entity_id, g.name, g."values"->>'country' as country, g.members
from golden g where g.entity_id = any(:ids) and g.known_to is null and g.domain = 'customer'
"""
#: Who says so, where a steward does.
STEWARD = "a steward"


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A customer in a tree. `stated_by` are those who say who its parent is; `again` breaks a circle."""

    entity_id: EntityId
    name: str
    country: str | None
    members: int
    stated_by: Sequence[str] = ()
    again: bool = False
    children: "list[TreeNode]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The whole tree of a customer from its ultimate parent down, and children that more than one parent claims.

    `overruled`: parents that platforms state and a steward's word stands in for, by child.
    """

    root: TreeNode
    disputed: Sequence[EntityId]
    customers: int
    overruled: Mapping[EntityId, Sequence[str]]
    cut_off: bool = False


@dataclass(slots=True)
class _Growing:
    """A tree while it grows."""

    connection: Connection
    kind: RelationKind
    day: date | None
    seen: dict[EntityId, int] = field(default_factory=dict)
    overruled: dict[EntityId, set[str]] = field(default_factory=dict)


def hierarchy(
    connection: Connection, entity_id: EntityId, kind: RelationKind = RelationKind.LEGAL_PARENT, day: date | None = None
) -> Hierarchy | None:
    """The tree of a kind in which a customer stands on a day (today if not given); None when it is not active."""
    own = current_golden(connection, Domain.CUSTOMER, entity_id)
    if own is None:
        return None
    legal = kind is RelationKind.LEGAL_PARENT
    chain: Sequence[EntityId] = (
        ancestors(connection, entity_id, own.values, day) if legal else _said_above(connection, entity_id, kind, day)
    )
    top = next((each for each in reversed(chain) if each != entity_id), entity_id)
    golden = current_golden(connection, Domain.CUSTOMER, top) or own
    root = TreeNode(golden.entity_id, golden.name, golden.values.get("country"), golden.members)
    growing = _Growing(connection, kind, day, {root.entity_id: 1})
    level = [root]
    for _ in range(_DEPTH):
        if not level or len(growing.seen) >= _CUSTOMERS:
            break
        level = _grow(growing, level)
    disputed = [entity for entity, times in growing.seen.items() if times > 1]
    overruled = {child: sorted(systems) for child, systems in growing.overruled.items()}
    return Hierarchy(root, disputed, len(growing.seen), overruled, cut_off=bool(level))


def _said_above(connection: Connection, entity_id: EntityId, kind: RelationKind, day: date | None) -> list[EntityId]:
    """Parents by stewards' words alone, from the nearest up."""
    chain: list[EntityId] = []
    here: EntityId | None = entity_id
    while here is not None and here not in chain[:-1] and len(chain) < _CUSTOMERS:
        here = said_parents(connection, kind, [here], day).get(here)
        if here is None or here == entity_id:
            break
        chain.append(here)
    return chain


def _grow(growing: _Growing, level: Collection[TreeNode]) -> list[TreeNode]:
    parents = {node.entity_id: node for node in level}
    grown = []
    children = _children(growing, parents)
    reached = within_reach(growing.connection, {child.entity_id for _, child in children})
    if reached is not None:
        children = [each for each in children if each[1].entity_id in reached]
    for parent, child in sorted(children, key=lambda each: (each[1].name or "", each[1].entity_id)):
        node = replace(child, again=child.entity_id in growing.seen, children=[])
        growing.seen[node.entity_id] = growing.seen.get(node.entity_id, 0) + 1
        parents[parent].children.append(node)
        if not node.again:
            grown.append(node)
    return grown


def _children(growing: _Growing, parents: Collection[EntityId]) -> list[tuple[EntityId, TreeNode]]:
    connection, kind, day = growing.connection, growing.kind, growing.day
    said = said_children(connection, kind, parents, day)
    nodes = _nodes(connection, {child for _, child in said})
    found = [(parent, nodes[child]) for parent, child in said if child in nodes]
    if kind is not RelationKind.LEGAL_PARENT:
        return found
    stated = connection.execute(text(_CHILDREN), {"parents": list(parents), "limit": _CUSTOMERS}).all()
    words = said_parents(connection, kind, {EntityId(row.child) for row in stated}, day) if stated else {}
    for row in stated:
        child = EntityId(row.child)
        if child not in words:
            found.append(
                (EntityId(row.parent), TreeNode(child, row.name, row.country, row.members, tuple(row.stated_by)))
            )
        elif words[child] != row.parent:
            growing.overruled.setdefault(child, set()).update(row.stated_by)
    return found


def _nodes(connection: Connection, ids: Collection[EntityId]) -> dict[EntityId, TreeNode]:
    if not ids:
        return {}
    rows = connection.execute(text(_NODES), {"ids": list(ids)})
    return {EntityId(row.entity_id): TreeNode(EntityId(row.entity_id), row.name, row.country, row.members, (STEWARD,))
            for row in rows}  # fmt: skip
