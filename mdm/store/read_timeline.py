"""What happened with a customer, from order to posting, in the order of the business: a few statements, however much.

The rows are the records of its golden contracts, the facts that name it or one of these contracts, and the facts that
name one of those. Times are those that platforms state (`mdm.lifecycle.business_time`); they are canonical text, which
sorts as it reads.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.lifecycle.business_time import DATED_BY
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.store.read_facts import FACTS_OF_NAMES
from mdm.store.read_identity import names_of, resolve_names
from mdm.store.scoped import scope_of, visible_text

#: What stands in a timeline: `subscription` for records of contracts that billing runs, and the kinds of rows.
SUBSCRIPTION, CONTRACT = "subscription", "contract"
KINDS: tuple[str, ...] = (
    "opportunity", "order", CONTRACT, SUBSCRIPTION, "entitlement", "usage_batch", "invoice", "payment", "posting",
)  # fmt: skip


#: What begins like a day; attributes that a platform states as text may say anything.
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


def _stated(name: str) -> str:
    return f"substring(r.attributes->>'{name}' from '^{_DAY}.*')"


_WHENS = " ".join(
    f"when '{kind}' then coalesce({', '.join(map(_stated, names))})" for kind, names in DATED_BY.items() if names
)
_BY = " ".join(
    f"when r.kind = '{kind}' and {_stated(name)} is not null then '{name}'"
    for kind, names in DATED_BY.items()
    for name in names
)
_EVENTS = f"""
with own_names as (
  select w.system, w.type, w.key
  from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
),
own as (
  select distinct x.entity_id
  from own_names n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join crosswalk x on x.rec_id = f.rec_id
  join golden g on g.entity_id = x.entity_id and g.known_to is null and g.domain = 'contract'
  where {{reach}} and exists (
    select 1 from own_names m where m.system = g."values"->'customer'->>'system'
      and m.type = g."values"->'customer'->>'type' and m.key = g."values"->'customer'->>'key')
),
agreed as (
  select r.rec_id, x.entity_id from own o join crosswalk x on x.entity_id = o.entity_id
  join source_record r on r.rec_id = x.rec_id and not r.deleted
),
names as (
  select system, type, key from own_names
  union
  select r.system, r.type, r.key from agreed a join source_record r on r.rec_id = a.rec_id
  union
  select n.system, n.type, n.key from agreed a join record_alias n on n.rec_id = a.rec_id
),
{FACTS_OF_NAMES},
rows as (
  select f.rec_id, null::text as entity_id from facts f where {{fact_reach}}
  union all
  select a.rec_id, a.entity_id from agreed a
),
events as (
  select r.rec_id, r.system, r.type, r.key, r.attributes, r.refs, r.topic, r.partition, r."offset", r.lsn,
         r.transaction, r.event_time, w.entity_id,
         case when r.domain = 'contract' and r.system || '.' || r.type = any(cast(:running as text[]))
              then '{SUBSCRIPTION}' else r.kind end as kind,
         coalesce(case r.kind {_WHENS} end, to_char(r.event_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
           collate "C" as at,
         case {_BY} end as dated_by
  from rows w join source_record r on r.rec_id = w.rec_id
)
select * from events e
where e.kind = any(cast(:kinds as text[]))
  and (cast(:since as text) is null or e.at >= cast(:since as text) collate "C")
  and (cast(:until as text) is null or left(e.at, 10) collate "C" <= cast(:until as text) collate "C")
  and (e.at, e.rec_id) > (cast(:after_at as text) collate "C", cast(:after_id as bigint))
order by e.at, e.rec_id
limit :limit
"""
_INVOICES = """
with w as (
  select w.system, w.type, w.key
  from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
)
select w.system, w.type, w.key, r.system, r.type, r.key, r.refs
from w join source_record r on r.system = w.system and r.type = w.type and r.key = w.key
where not r.deleted and r.kind = 'invoice'
union all
select w.system, w.type, w.key, r.system, r.type, r.key, r.refs
from w join record_alias a on a.system = w.system and a.type = w.type and a.key = w.key
join source_record r on r.rec_id = a.rec_id
where not r.deleted and r.kind = 'invoice'
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """A row of the timeline. `at` is a day or an instant as its platform states it, by the attribute `dated_by`; by its
    change event where that is None. `contract` is the golden one, `agreement` the row of it that the fact names.
    """

    place: int
    at: str
    dated_by: str | None
    key: CrosswalkKey
    kind: str
    attributes: Mapping[str, Any]
    topic: str
    partition: int
    offset: int
    lsn: int | None
    transaction: str | None
    event_time: datetime
    contract: EntityId | None
    agreement: CrosswalkKey | None
    invoice: CrosswalkKey | None


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a timeline: kinds, days (both inclusive), and where the page before ended (`at` and place)."""

    kinds: Collection[str] = KINDS
    since: date | None = None
    until: date | None = None
    after: tuple[str, int] = ("", 0)


def timeline_of(
    connection: Connection, customer: EntityId, running: Collection[str], window: Window, limit: int
) -> Sequence[Happened]:
    """Up to `limit` events of a customer in their order; `running` are the tables (`platform.table`) of subscriptions.

    A customer out of reach has none.
    """
    names = names_of(connection, customer)
    reach, granted = visible_text(connection, "g.entity_id")
    limited = scope_of(connection).limits_rows
    rows = connection.execute(
        text(_EVENTS.format(reach=reach or "true", fact_reach="mdm_fact_in_scope(f.rec_id)" if limited else "true")),
        {
            **_columns(names), **granted, "running": sorted(running), "kinds": sorted(window.kinds),
            "since": window.since.isoformat() if window.since else None,
            "until": window.until.isoformat() if window.until else None,
            "after_at": window.after[0], "after_id": window.after[1], "limit": limit,
        },
    ).all()  # fmt: skip
    references = {row.rec_id: {role: CrosswalkKey(*target) for role, *target in row.refs or ()} for row in rows}
    billed = _invoices(connection, {named["invoice"] for named in references.values() if "invoice" in named})
    agreements: dict[int, CrosswalkKey] = {}
    invoices: dict[int, CrosswalkKey] = {}
    for place, named in references.items():
        invoice = billed.get(named["invoice"]) if "invoice" in named else None
        if invoice is not None:
            invoices[place] = invoice[0]
        agreement = named.get("contract") or (invoice[1] if invoice is not None else None)
        if agreement is not None:
            agreements[place] = agreement
    meant = resolve_names(connection, set(agreements.values()))
    return [
        Happened(
            row.rec_id, row.at, row.dated_by, CrosswalkKey(row.system, row.type, row.key), row.kind,
            row.attributes or {}, row.topic, row.partition, row.offset, row.lsn, row.transaction, row.event_time,
            EntityId(row.entity_id) if row.entity_id else _meant(meant, agreements.get(row.rec_id)),
            agreements.get(row.rec_id) if row.entity_id is None else None,
            invoices.get(row.rec_id),
        )
        for row in rows
    ]  # fmt: skip


def _meant(meant: Mapping[CrosswalkKey, EntityId], name: CrosswalkKey | None) -> EntityId | None:
    return None if name is None else meant.get(name)


def _invoices(
    connection: Connection, names: Collection[CrosswalkKey]
) -> Mapping[CrosswalkKey, tuple[CrosswalkKey, CrosswalkKey | None]]:
    """By name the invoice that it means and the agreement that this one bills; names that mean several are left out."""
    found: dict[CrosswalkKey, set[tuple[CrosswalkKey, CrosswalkKey | None]]] = {}
    for row in connection.execute(text(_INVOICES), _columns(sorted(names))):
        billed = [CrosswalkKey(*target) for role, *target in row[6] or () if role == "contract"]
        found.setdefault(CrosswalkKey(*row[0:3]), set()).add((CrosswalkKey(*row[3:6]), billed[0] if billed else None))
    return {name: next(iter(meant)) for name, meant in found.items() if len(meant) == 1}


def _columns(names: Collection[CrosswalkKey]) -> dict[str, Any]:
    return {
        "systems": [name.system for name in names],
        "types": [name.type for name in names],
        "keys": [name.key for name in names],
    }
