"""Who belongs to whom: the tree above and below a golden customer, by what source rows state as parent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import current_golden
from mdm.store.read_readiness import ancestors

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


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A customer in a tree. `stated_by` are the platforms that say who its parent is; `again` breaks a circle."""

    entity_id: EntityId
    name: str
    country: str | None
    members: int
    stated_by: Sequence[str] = ()
    again: bool = False
    children: "list[TreeNode]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The whole tree of a customer from its ultimate parent down, and children that more than one parent claims."""

    root: TreeNode
    disputed: Sequence[EntityId]
    customers: int


def hierarchy(connection: Connection, entity_id: EntityId) -> Hierarchy | None:
    """The tree in which a customer stands; None when it is not active."""
    own = current_golden(connection, Domain.CUSTOMER, entity_id)
    if own is None:
        return None
    chain = ancestors(connection, entity_id, own.values)
    top = next((each for each in reversed(chain) if each != entity_id), entity_id)
    golden = current_golden(connection, Domain.CUSTOMER, top) or own
    root = TreeNode(golden.entity_id, golden.name, golden.values.get("country"), golden.members)
    seen: dict[EntityId, int] = {root.entity_id: 1}
    level = [root]
    for _ in range(_DEPTH):
        if not level or len(seen) >= _CUSTOMERS:
            break
        level = _grow(connection, level, seen)
    disputed = [entity for entity, times in seen.items() if times > 1]
    return Hierarchy(root, disputed, len(seen))


def _grow(connection: Connection, level: Collection[TreeNode], seen: dict[EntityId, int]) -> list[TreeNode]:
    parents = {node.entity_id: node for node in level}
    grown = []
    for row in connection.execute(text(_CHILDREN), {"parents": list(parents), "limit": _CUSTOMERS}):
        child = EntityId(row.child)
        node = TreeNode(child, row.name, row.country, row.members, row.stated_by, again=child in seen)
        seen[child] = seen.get(child, 0) + 1
        parents[EntityId(row.parent)].children.append(node)
        if not node.again:
            grown.append(node)
    return grown
