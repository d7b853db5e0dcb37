"""Writing where golden records belong, in the unit of work that settles them. Only what differs is written."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mdm.access.scope import UNASSIGNED, Placement
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork

_WRITE = """
insert into placement as p (entity_id, domain, regions, business_units, legal_entities, sources)
select id, domain, string_to_array(r, ','), string_to_array(b, ','), string_to_array(l, ','),
    string_to_array(o, ',')
from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) as s(id, domain, r, b, l, o)
on conflict (entity_id) do update set regions = excluded.regions, business_units = excluded.business_units,
    legal_entities = excluded.legal_entities, sources = excluded.sources
where (p.regions, p.business_units, p.legal_entities, p.sources)
    is distinct from (excluded.regions, excluded.business_units, excluded.legal_entities, excluded.sources)
returning entity_id
"""

# A contract belongs where the customer belongs that its golden reference means now.
_WRITE_CONTRACTS = f"""
with asked as (select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as a(id, system, type, key)),
meant as (
    select a.id, s.rec_id from asked a join source_record s using (system, type, key)
    union
    select a.id, n.rec_id from asked a join record_alias n using (system, type, key)),
home as (select m.id, min(x.entity_id) as customer from meant m join crosswalk x on x.rec_id = m.rec_id group by m.id)
insert into placement as p (entity_id, domain, regions, business_units, legal_entities, sources)
select a.id, 'contract', coalesce(c.regions, '{{{UNASSIGNED}}}'), coalesce(c.business_units, '{{{UNASSIGNED}}}'),
    coalesce(c.legal_entities, '{{{UNASSIGNED}}}'), coalesce(c.sources, '{{{UNASSIGNED}}}')
from asked a left join home h on h.id = a.id left join placement c on c.entity_id = h.customer
on conflict (entity_id) do update set regions = excluded.regions, business_units = excluded.business_units,
    legal_entities = excluded.legal_entities, sources = excluded.sources
where (p.regions, p.business_units, p.legal_entities, p.sources)
    is distinct from (excluded.regions, excluded.business_units, excluded.legal_entities, excluded.sources)
"""

# Contracts whose rows name one of these customers' rows, or rows that came to them or left them.
_CONTRACTS_OF = """
with rec as materialized (
    select x.rec_id from unnest(%s::text[]) as e(id)
    cross join lateral (select rec_id from crosswalk where entity_id = e.id offset 0) x
    union select unnest(%s::bigint[])),
name as materialized (
    select s.system, s.type, s.key from rec
    cross join lateral (select system, type, key from source_record where rec_id = rec.rec_id offset 0) s
    union
    select a.system, a.type, a.key from rec
    cross join lateral (select system, type, key from record_alias where rec_id = rec.rec_id offset 0) a),
contract as materialized (
    select distinct x.entity_id from name n
    cross join lateral (
        select rec_id from record_reference
        where system = n.system and type = n.type and key = n.key and role = 'customer' offset 0) f
    cross join lateral (select entity_id from crosswalk where rec_id = f.rec_id offset 0) x)
select g.entity_id, g.customer from contract c
cross join lateral (
    select entity_id, domain, values->'customer' as customer from golden
    where entity_id = c.entity_id and known_to is null offset 0) g
where g.domain = 'contract'
"""


def write_placements(work: UnitOfWork, placements: Mapping[EntityId, Placement]) -> list[EntityId]:
    """Write where these belong; returns those whose place is another one than before, or that had none."""
    if not placements:
        return []
    rows = [
        (id_, each.domain.value, *map(_joined, (each.regions, each.business_units, each.legal_entities, each.sources)))
        for id_, each in placements.items()
    ]
    found = work.query(_WRITE, *(list(column) for column in zip(*rows, strict=True)))
    return [EntityId(row[0]) for row in found]


def place_contracts(work: UnitOfWork, customers: Mapping[EntityId, CrosswalkKey | None]) -> int:
    """Let these contracts belong where the customer row that each names belongs; returns how many changed."""
    if not customers:
        return 0
    rows = [(id_, *(name or (None, None, None))) for id_, name in customers.items()]
    return work.execute(_WRITE_CONTRACTS, *(list(column) for column in zip(*rows, strict=True)))


def contracts_of(
    work: UnitOfWork, customers: Collection[EntityId], records: Collection[RecordId]
) -> dict[EntityId, CrosswalkKey | None]:
    """Golden contracts of these customers, and of customer rows that moved, with the row that each names."""
    if not customers and not records:
        return {}
    rows = work.query(_CONTRACTS_OF, list(customers), list(records))
    return {EntityId(row[0]): customer_named(row[1]) for row in rows}


def customer_named(reference: Any) -> CrosswalkKey | None:
    """The row behind a golden reference."""
    return CrosswalkKey(reference["system"], reference["type"], reference["key"]) if reference else None


def all_golden(
    work: UnitOfWork, domain: Domain, after: str, limit: int
) -> list[tuple[EntityId, dict[str, Any], list[str]]]:
    """Ids in their order with the newest golden values of each, current or not, and the platforms of its rows."""
    rows = work.query(
        """select e.entity_id, g.values, coalesce(
               (select array_agg(distinct s.system) from crosswalk x join source_record s using (rec_id)
                where x.entity_id = e.entity_id),
               (select array_agg(distinct s.system) from crosswalk_history x join source_record s using (rec_id)
                where x.entity_id = e.entity_id), '{}')
           from entity e
           cross join lateral (select g.values from golden g where g.entity_id = e.entity_id
                               order by g.version desc limit 1) g
           where e.domain = %s and e.entity_id > %s order by e.entity_id limit %s""",
        domain.value, after, limit,
    )  # fmt: skip
    return [(EntityId(row[0]), row[1], list(row[2])) for row in rows]


def _joined(labels: Iterable[str]) -> str:
    return ",".join(sorted(labels))
