"""Whom open matters touch, and which books: the customers behind their rows, what these are to us, how many people of
theirs use what we sell, and the documents of one month. Read set-based for many matters at once.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from mdm.model.worklist import Affected

#: Kinds of linked facts that are in the books of a month, with the attribute that says of which.
DOCUMENTS = {"invoice": "issued_at", "posting": "posting_date"}
_KINDS = ", ".join(f"'{kind}'" for kind in DOCUMENTS)
_MONTH = " ".join(f"when '{kind}' then left(d.attributes->>'{day}', 7)" for kind, day in DOCUMENTS.items())

# `known` is which rows that the hub holds a matter is about. A customer or contract counts with everything that is
# known under any of its records; a posting or payment with its invoice, and with whoever is named as its customer.
# Rows are named by a key or an alias of them.
_AFFECTED = """
with known as materialized ({known}),
home as (select distinct k.item, x.entity_id from known k join crosswalk x using (rec_id)),
told as (
  select k.item, f.role, t.rec_id
  from known k join record_reference f on f.rec_id = k.rec_id and f.role in ('customer', 'invoice')
  cross join lateral (
    select s.rec_id from source_record s where s.system = f.system and s.type = f.type and s.key = f.key
    union
    select a.rec_id from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key) t
),
customer as (
  select c.item, c.entity_id, g."values"->>'segment' as segment, g."values"->>'plan' as plan
  from (select * from home
        union select t.item, x.entity_id from told t join crosswalk x using (rec_id) where t.role = 'customer') c
  join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'customer'
),
of_customer as (
  select c.item, x.rec_id from customer c join crosswalk x using (entity_id)
),
customer_name as (
  select o.item, r.system, r.type, r.key from of_customer o join source_record r using (rec_id)
  union
  select o.item, a.system, a.type, a.key from of_customer o join record_alias a using (rec_id)
),
seat as (
  select distinct n.item, e.rec_id, (e.attributes->>'quantity')::bigint as users
  from customer_name n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join source_record e on e.rec_id = f.rec_id and e.kind = 'entitlement' and not e.deleted
  where e.attributes->>'status' = any(cast(:usable as text[])) and e.attributes->>'quantity' ~ '^[0-9]{{1,9}}$'
    and coalesce(e.attributes->>'valid_from', :today) <= :today
    and coalesce(e.attributes->>'valid_to', :today) >= :today
    and exists (
      select from record_reference p
      cross join lateral (
        select s.rec_id from source_record s where s.system = p.system and s.type = p.type and s.key = p.key
        union
        select a.rec_id from record_alias a where a.system = p.system and a.type = p.type and a.key = p.key) t
      join crosswalk x on x.rec_id = t.rec_id
      join golden g on g.entity_id = x.entity_id and g.known_to is null and g.domain = 'product'
      where p.rec_id = e.rec_id and p.role = 'product' and g."values"->>'unit' = 'seat')
),
own as (
  select h.item, x.rec_id from home h join crosswalk x using (entity_id) union select item, rec_id from known
),
own_name as (
  select o.item, r.system, r.type, r.key from own o join source_record r using (rec_id)
  union
  select o.item, a.system, a.type, a.key from own o join record_alias a using (rec_id)
),
document as (
  select distinct t.item, d.rec_id
  from (select item, rec_id from known
        union select item, rec_id from told where role = 'invoice'
        union select n.item, f.rec_id from own_name n join record_reference f using (system, type, key)
              where f.role in ('customer', 'contract', 'invoice')) t
  join source_record d on d.rec_id = t.rec_id and not d.deleted and d.kind in ({kinds})
  where case d.kind {month_of} end = :month
)
select i.item, coalesce(c.customers, 0) as customers, coalesce(c.tiers, '{{}}') as tiers,
  coalesce(s.users, 0) as users, coalesce(d.documents, 0) as documents
from (select distinct item from known) i
left join (
  select item, count(distinct entity_id) as customers,
    array_remove(array_agg(distinct segment) || array_agg(distinct plan), null) as tiers
  from customer group by item) c using (item)
left join (select item, sum(users)::bigint as users from seat group by item) s using (item)
left join (select item, count(*) as documents from document group by item) d using (item)
"""
#: Rows that are not known come from tables whose other rows are: a refused document is missing in some books, and in
#: which nobody could read.
_UNREAD = """
select l.item, count(*) as documents
from (select distinct item, system, type, key from ({rows}) every) l
join (
  select t.system, t.type from (select distinct system, type from ({rows}) every) t
  where (select k.kind from source_record k where k.system = t.system and k.type = t.type limit 1) in ({kinds})) t
  using (system, type)
where not exists (select from source_record r where r.system = l.system and r.type = l.type and r.key = l.key)
group by l.item
"""


@dataclass(frozen=True, slots=True)
class AsOf:
    """What is asked: documents of `month` (2026-10), and who may use what `today`, by the words for that."""

    month: str
    today: date
    usable: frozenset[str]


def affected(connection: Connection, known: str, as_of: AsOf) -> dict[object, Affected]:
    """What each matter touches, by `item` of the query `known`: matters (`item`) with their rows (`rec_id`)."""
    statement = _AFFECTED.format(known=known, kinds=_KINDS, month_of=_MONTH)
    parameters = {"month": as_of.month, "today": as_of.today.isoformat(), "usable": sorted(as_of.usable)}
    return {
        row.item: Affected(row.documents, row.customers, tuple(sorted(set(row.tiers))), row.users)
        for row in connection.execute(text(statement), parameters)
    }


def unread_documents(connection: Connection, rows: str) -> dict[object, int]:
    """Of each matter how many rows are documents that the hub does not hold, by a query of `item` and row keys."""
    return {row.item: row.documents for row in connection.execute(text(_UNREAD.format(rows=rows, kinds=_KINDS)))}
