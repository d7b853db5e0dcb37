"""Everything about one question for a steward: its records, what hangs on them, and how similar ones were answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId


@dataclass(frozen=True, slots=True)
class Question:
    """A steward task, open or closed. An entity is None when its record is no longer live."""

    task_id: int
    question: str
    kind: str
    domain: Domain
    weight: float
    detail: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    records: tuple[CrosswalkKey, CrosswalkKey]
    entities: tuple[EntityId | None, EntityId | None]


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on some golden records: sums per currency, and the numbers under which ERP knows them."""

    contracts: int
    contract_value: Mapping[str, Decimal]
    invoices: int
    owed: Mapping[str, Decimal]
    erp: Sequence[CrosswalkKey]


_QUESTION = """
select t.*, a.system as a_system, a.type as a_type, a.key as a_key, xa.entity_id as a_entity,
  b.system as b_system, b.type as b_type, b.key as b_key, xb.entity_id as b_entity
from steward_task t
join source_record a on a.rec_id = t.a left join crosswalk xa on xa.rec_id = t.a
join source_record b on b.rec_id = t.b left join crosswalk xb on xb.rec_id = t.b
where t.task_id = :task_id
"""
_NAMES = """
select r.system, r.type, r.key from crosswalk x join source_record r using (rec_id) where x.entity_id = any(:entities)
union
select a.system, a.type, a.key from crosswalk x join record_alias a using (rec_id) where x.entity_id = any(:entities)
"""
_OWED = f"""
with names as ({_NAMES}),
owed as (
  select distinct i.rec_id, i.attributes->>'currency' as currency, (i.attributes->>'total')::numeric
    - case when i.attributes->>'amount_paid' ~ '^[0-9.]+$' then (i.attributes->>'amount_paid')::numeric else 0 end
    as amount
  from names n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record i on i.rec_id = f.rec_id and not i.deleted and i.kind = 'invoice'
  where i.attributes->>'status' = 'open' and i.attributes->>'total' ~ '^[0-9]+([.][0-9]+)?$'
)
select coalesce(currency, '') as currency, count(*) as number, sum(amount) as amount from owed group by currency
"""
_AGREED = f"""
with names as ({_NAMES}),
contracts as (
  select distinct x.entity_id
  from names n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join crosswalk x on x.rec_id = f.rec_id
  union
  select e.entity_id from entity e where e.entity_id = any(:entities) and e.domain = 'contract'
)
select coalesce(g."values"->>'currency', '') as currency, count(*) as number,
  sum(case when g."values"->>'value' ~ '^[0-9]+([.][0-9]+)?$' then (g."values"->>'value')::numeric else 0 end) as amount
from contracts c join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'contract'
where g."values"->>'status' = 'active'
group by 1
"""
_ERP = """
select r.system, r.type, r.key from crosswalk x join source_record r using (rec_id)
where x.entity_id = any(:entities) and r.system = 'erp' order by r.type, r.key
"""


def question(connection: Connection, task_id: int) -> Question | None:
    """A task with its two records, or None when it never was."""
    row = connection.execute(text(_QUESTION), {"task_id": task_id}).one_or_none()
    if row is None:
        return None
    return Question(
        task_id=row.task_id,
        question=row.question,
        kind=row.kind,
        domain=Domain(row.domain),
        weight=row.weight,
        detail=row.detail,
        status=row.status,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        records=(CrosswalkKey(row.a_system, row.a_type, row.a_key), CrosswalkKey(row.b_system, row.b_type, row.b_key)),
        entities=(row.a_entity, row.b_entity),
    )


def hanging_on(connection: Connection, entities: Collection[str]) -> Hanging:
    """What a change of these golden records would touch: running contracts, open invoices, ERP numbers."""
    parameters = {"entities": sorted(entities)}
    agreed = connection.execute(text(_AGREED), parameters).all()
    owed = connection.execute(text(_OWED), parameters).all()
    return Hanging(
        contracts=sum(row.number for row in agreed),
        contract_value={row.currency: row.amount for row in agreed},
        invoices=sum(row.number for row in owed),
        owed={row.currency: row.amount for row in owed},
        erp=[CrosswalkKey(*row) for row in connection.execute(text(_ERP), parameters)],
    )
