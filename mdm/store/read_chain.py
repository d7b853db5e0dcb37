"""The chain that a source row stands in, from order to posting: what it rests on, what followed, what is missing.

Platforms name contracts by numbers of their own, so the chain goes on across the records of one golden contract: an
order of ERP leads to the invoices of the subscription that is the same contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId

#: References are followed this far up and down, and a chain is cut at so many rows: the nearest are told.
_STEPS, _ROWS = 4, 300
#: The role by which another record of the same golden contract comes into a chain.
SAME_CONTRACT = "same_contract"


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the chain. `level` is negative for what the row rests on, positive for what followed from it.

    `through` is the row by which it was found: one of the two names the other, in this role. `attributes` is None for a
    row that is named by another one but that the hub has never seen: a gap.
    """

    key: CrosswalkKey
    kind: str
    domain: Domain | None
    level: int
    role: str
    through: CrosswalkKey | None
    attributes: Mapping[str, Any] | None
    event_time: datetime | None
    entity_id: EntityId | None


@dataclass(frozen=True, slots=True)
class Chain:
    """The rows around one, the nearest first; not `complete` where there are more than are told.

    `records` are the numbers of these rows in the store.
    """

    steps: Sequence[Step]
    records: Sequence[int]
    complete: bool


_ROWS_NAMED = """
select r.rec_id, r.system, r.type, r.key from source_record r
where r.system = :system and r.type = :type and r.key = :key
union
select r.rec_id, r.system, r.type, r.key from record_alias a join source_record r on r.rec_id = a.rec_id
where a.system = :system and a.type = :type and a.key = :key
order by 2, 3, 4
"""
# Customers and products are masters of many chains; following them would lead everywhere.
_MASTERS = "('customer', 'product', 'offer', 'offer_of', 'parent')"
# An order stands for its contract: what followed from the contract followed from the order. Whatever else rests on a
# contract shows its records and its orders, and not everything that followed from it. An invoice brings what belongs to
# it, wherever the chain came from.
_CHAIN = f"""
with recursive up as (
  select r.rec_id, 0 as level, ''::text as role, null::bigint as through from source_record r where r.rec_id = :start
  union
  select t.rec_id, u.level - 1, f.role, u.rec_id
  from up u
  join record_reference f on f.rec_id = u.rec_id and f.role not in {_MASTERS}
  cross join lateral (
    select r.rec_id from source_record r
    where r.system = f.system and r.type = f.type and r.key = f.key and not r.deleted
    union
    select a.rec_id from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key
  ) t
  where u.level > -:steps
),
agreed as (
  select m.rec_id, u.level, '{SAME_CONTRACT}'::text as role, u.rec_id as through
  from up u
  join source_record c on c.rec_id = u.rec_id and c.domain = 'contract'
  join crosswalk x on x.rec_id = u.rec_id
  join crosswalk m on m.entity_id = x.entity_id and m.rec_id <> u.rec_id
  where u.role <> 'prior_contract'
),
contract as (
  select rec_id, level from agreed
  union
  select u.rec_id, u.level from up u join source_record c on c.rec_id = u.rec_id and c.domain = 'contract'
  where u.role <> 'prior_contract'
),
named as (
  select k.rec_id, k.level, r.system, r.type, r.key from contract k join source_record r on r.rec_id = k.rec_id
  union
  select k.rec_id, k.level, a.system, a.type, a.key from contract k join record_alias a on a.rec_id = k.rec_id
),
ordered as (
  select f.rec_id, n.level, f.role, n.rec_id as through
  from named n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record o on o.rec_id = f.rec_id and o.kind = 'order' and not o.deleted
  where exists (select from source_record s where s.rec_id = :start and s.kind <> 'order' and s.domain is null)
),
down as (
  select root.rec_id, root.level, ''::text as role, null::bigint as through, 0 as depth
  from (
    select rec_id, level from up where level = 0
    union
    select u.rec_id, u.level from up u join source_record i on i.rec_id = u.rec_id and i.kind = 'invoice'
    union
    select k.rec_id, 0 from contract k
    where exists (select from source_record s where s.rec_id = :start and (s.kind = 'order' or s.domain = 'contract'))
  ) root
  union
  select f.rec_id, d.level + 1, f.role, d.rec_id, d.depth + 1
  from down d
  cross join lateral (
    select r.system, r.type, r.key from source_record r where r.rec_id = d.rec_id
    union
    select a.system, a.type, a.key from record_alias a where a.rec_id = d.rec_id
  ) n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role not in {_MASTERS}
  where d.depth < :steps
),
chain as (
  select rec_id, level, role, through from up
  union all select * from agreed
  union all select * from ordered
  union all select rec_id, level, role, through from down where depth > 0
),
nearest as (
  select distinct on (c.rec_id) c.rec_id, c.level, c.role, c.through
  from chain c
  order by c.rec_id, abs(c.level), c.through nulls first
)
select r.rec_id, r.system, r.type, r.key, r.kind, r.domain, c.level, c.role, r.attributes, r.event_time, x.entity_id,
       t.system as through_system, t.type as through_type, t.key as through_key
from nearest c
join source_record r on r.rec_id = c.rec_id and not r.deleted
left join source_record t on t.rec_id = c.through
left join crosswalk x on x.rec_id = r.rec_id
order by abs(c.level), r.kind, r.system, r.type, r.key
limit :rows
"""
_GAPS = """
select distinct on (f.system, f.type, f.key) f.role, f.system, f.type, f.key,
       s.system as through_system, s.type as through_type, s.key as through_key
from source_record s join record_reference f on f.rec_id = s.rec_id
where s.rec_id = any(:records)
  and not exists (select from source_record r where r.system = f.system and r.type = f.type and r.key = f.key)
  and not exists (select from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key)
order by f.system, f.type, f.key, s.rec_id
"""


def rows_named(connection: Connection, name: CrosswalkKey) -> Sequence[tuple[int, CrosswalkKey]]:
    """The rows that have this key, or this alias (type `table#name`), also those that are gone: number and key."""
    return [(rec_id, CrosswalkKey(*key)) for rec_id, *key in connection.execute(text(_ROWS_NAMED), name._asdict())]


def chain_of(connection: Connection, rec_id: int) -> Chain:
    """The chain of a row; empty when the row is gone, or out of reach."""
    rows = connection.execute(text(_CHAIN), {"start": rec_id, "steps": _STEPS, "rows": _ROWS + 1}).all()
    steps = [
        Step(
            CrosswalkKey(row.system, row.type, row.key),
            row.kind,
            Domain(row.domain) if row.domain else None,
            row.level,
            row.role,
            CrosswalkKey(row.through_system, row.through_type, row.through_key) if row.through_key else None,
            row.attributes or {},
            row.event_time,
            EntityId(row.entity_id) if row.entity_id else None,
        )
        for row in rows[:_ROWS]
    ]
    return Chain(steps, [row.rec_id for row in rows[:_ROWS]], len(rows) <= _ROWS)


def never_arrived(connection: Connection, chain: Chain) -> Sequence[Step]:
    """What rows of a chain name and the hub has never seen.

    The connection must reach everything: what somebody may not see must not look as if it were missing.
    """
    levels = {step.key: step.level for step in chain.steps}
    found = []
    for role, system, type_, key, *through in connection.execute(text(_GAPS), {"records": list(chain.records)}):
        by = CrosswalkKey(*through)
        name = CrosswalkKey(system, type_, key)
        found.append(Step(name, role, None, levels[by] - 1, role, by, None, None, None))
    return found
