"""What hangs on golden records: running contracts, unpaid invoices, and who listens to changes."""

from collections.abc import Sequence
from decimal import Decimal

from mdm.model.ids import EntityId
from mdm.model.stewardship import Exposure
from mdm.store.unit_of_work import UnitOfWork

#: A name by which members of the entities are referred to: their keys and aliases.
_NAMES = """
    with name as (
        select r.system, r.type, r.key from crosswalk c join source_record r using (rec_id)
        where c.entity_id = any(%(ids)s)
        union
        select a.system, a.type, a.key from crosswalk c join record_alias a using (rec_id)
        where c.entity_id = any(%(ids)s))
"""
_CONTRACTS = (
    _NAMES
    + """,
    contract as (
        select c.entity_id from name n join record_reference f using (system, type, key)
        join crosswalk c on c.rec_id = f.rec_id where f.role = 'customer'
        union
        select entity_id from entity where entity_id = any(%(ids)s) and domain = 'contract')
    select coalesce(g."values"->>'currency', ''), count(*), sum((g."values"->>'value')::numeric)
    from contract join golden g using (entity_id)
    where g.domain = 'contract' and g.known_to is null
      and coalesce(g."values"->>'status', 'active') not in ('cancelled', 'expired', 'closed')
    group by 1 order by 1"""
)
#: Unpaid is what is open or uncollectible with something left to pay.
_INVOICES = (
    _NAMES
    + """,
    invoice as (
        select attributes from source_record r
        where r.rec_id in (select f.rec_id from name n join record_reference f using (system, type, key))
          and r.kind = 'invoice' and not r.deleted
          and coalesce(r.attributes->>'status', 'open') not in ('paid', 'void', 'draft'))
    select coalesce(attributes->>'currency', ''), count(*),
           sum((attributes->>'total')::numeric - coalesce((attributes->>'amount_paid')::numeric, 0))
    from invoice group by 1 order by 1"""
)


def exposure_of(work: UnitOfWork, entities: Sequence[EntityId]) -> Exposure:
    """Running contracts and unpaid invoices of these entities; amounts by currency."""
    parameters = {"ids": list(entities)}
    contracts = work.cursor.execute(_CONTRACTS, parameters).fetchall()
    invoices = work.cursor.execute(_INVOICES, parameters).fetchall()
    return Exposure(
        contracts=sum(row[1] for row in contracts),
        contract_value={row[0]: _money(row[2]) for row in contracts if row[2] is not None},
        invoices=sum(row[1] for row in invoices),
        invoice_amount={row[0]: _money(row[2]) for row in invoices if row[2] is not None},
    )


def consumer_labels(work: UnitOfWork) -> tuple[str, ...]:
    """Labels of the live keys with which ERP reads: whoever holds one sees the change."""
    rows = work.query("select distinct label from api_key where role = 'erp' and revoked_at is null order by label")
    return tuple(row[0] for row in rows)


def _money(amount: Decimal) -> str:
    return format(amount, "f")
