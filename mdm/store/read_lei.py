"""What GLEIF reports about parents (level 2), beside the hub's own hierarchy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mdm.model.ids import EntityId

# The LEI of a golden customer leads to GLEIF's row, the LEI of its parent back to a golden customer.
_REPORTED = """
select g.entity_id, e.lei, e.direct_parent, p.name as parent_name, e.ultimate_parent, e.parent_exception,
  (select s.entity_id from search_term s join golden h on h.entity_id = s.entity_id and h.known_to is null
   where s.domain = 'customer' and s.term = lower(e.direct_parent) order by s.entity_id limit 1) as parent
from golden g
cross join lateral jsonb_array_elements(coalesce(g."values"->'identifiers', '[]')) i
join gleif_entity e on e.lei = i->>'normal'
left join gleif_entity p on p.lei = e.direct_parent
where g.entity_id = any(:ids) and g.known_to is null and i->>'type' = 'lei'
order by g.entity_id, e.lei
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """What GLEIF says of one customer. `parent` is the golden customer with the parent's LEI, where the hub has it."""

    lei: str
    parent_lei: str | None
    parent_name: str | None
    parent: EntityId | None
    ultimate_lei: str | None
    exception: str | None


def reported_parents(connection: Connection, customers: Collection[EntityId]) -> Mapping[EntityId, Reported]:
    """GLEIF's answer for each of these customers that has a LEI in the loaded file."""
    rows = connection.execute(text(_REPORTED), {"ids": list(customers)})
    return {
        EntityId(row.entity_id): Reported(
            row.lei, row.direct_parent, row.parent_name, row.parent, row.ultimate_parent, row.parent_exception
        )
        for row in rows
    }
