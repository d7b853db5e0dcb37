"""How far orders and use can be followed to money: whole traces of a period, counted in two statements.

A reference leads to a row by its key or by another name of it (an invoice's number), and to all rows of one golden
record. Only what the rows themselves say counts: where reconciliation works out what was meant, the trace has a gap.
"""

from typing import NamedTuple

from sqlalchemy import Connection, text

from mdm.model.kpis import Period


def _to(reference: str, name: str) -> str:
    """The live row that a reference means, by its key or another name of it."""
    return f"""join lateral (
    select s.rec_id, s.kind, s.attributes from source_record s
    where (s.system, s.type, s.key) = ({reference}.system, {reference}.type, {reference}.key) and not s.deleted
    union all
    select s.rec_id, s.kind, s.attributes from record_alias a join source_record s on s.rec_id = a.rec_id
    where (a.system, a.type, a.key) = ({reference}.system, {reference}.type, {reference}.key) and not s.deleted
  ) {name} on true"""


def _from(record: str, role: str, kind: str, name: str) -> str:
    """The live rows of a kind that refer to a record in a role, by its key or another name of it."""
    return f"""join lateral (
    select s.rec_id, s.attributes from source_record t
    join record_reference r on (r.system, r.type, r.key) = (t.system, t.type, t.key) and r.role = '{role}'
    join source_record s on s.rec_id = r.rec_id and s.kind = '{kind}' and not s.deleted where t.rec_id = {record}
    union all
    select s.rec_id, s.attributes from record_alias t
    join record_reference r on (r.system, r.type, r.key) = (t.system, t.type, t.key) and r.role = '{role}'
    join source_record s on s.rec_id = r.rec_id and s.kind = '{kind}' and not s.deleted where t.rec_id = {record}
  ) {name} on true"""


def _home(record: str, role: str, name: str) -> str:
    """The golden record that a row refers to in a role."""
    return f"""join record_reference {name}_r on {name}_r.rec_id = {record} and {name}_r.role = '{role}'
  {_to(f"{name}_r", f"{name}_s")} join crosswalk {name} on {name}.rec_id = {name}_s.rec_id"""


# Days are compared as texts of ISO 8601, for what a platform writes need not be a day.
_ORDERS = f"""
with orders as materialized (
    select rec_id from source_record where kind = 'order' and not deleted
      and attributes ->> 'order_date' between :first and :last),
  sold as materialized (
    select distinct o.rec_id, contract.entity_id from orders o {_home("o.rec_id", "contract", "contract")}),
  paid as (
    select contract.entity_id from (select distinct entity_id from sold) contract
    where exists (
      select from crosswalk c {_from("c.rec_id", "contract", "invoice", "i")}
      {_from("i.rec_id", "invoice", "payment", "p")} {_from("i.rec_id", "invoice", "posting", "g")}
      where c.entity_id = contract.entity_id and p.attributes ->> 'status' is distinct from 'failed'))
select (select count(*) from orders) as whole,
  (select count(distinct s.rec_id) from sold s join paid using (entity_id)) as traced
"""
_USAGE = f"""
with used as materialized (
    select rec_id, attributes ->> 'period_end' as ended from source_record where kind = 'usage_batch' and not deleted
      and attributes ->> 'period_end' between :first and :last),
  days as (
    select to_char(d, 'YYYY-MM-DD') as ended, to_char(d + interval '1 day', 'YYYY-MM-DD') as billed_from
    from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') d),
  batches as materialized (
    select distinct u.rec_id, d.billed_from, customer.entity_id as customer, product.entity_id as product
    from used u join days d using (ended) {_home("u.rec_id", "customer", "customer")}
    {_home("u.rec_id", "product", "product")}),
  revenue as (
    select b.billed_from, b.customer, b.product
    from (select distinct billed_from, customer, product from batches) b
    where exists (
      select from crosswalk c {_from("c.rec_id", "customer", "invoice", "i")}
      {_from("i.rec_id", "invoice", "invoice_line", "l")} {_home("l.rec_id", "product", "sold")}
      {_from("i.rec_id", "invoice", "posting", "g")} {_home("g.rec_id", "product", "booked")}
      where c.entity_id = b.customer and i.attributes ->> 'period_start' = b.billed_from
        and sold.entity_id = b.product and booked.entity_id = b.product))
select (select count(*) from used) as whole,
  (select count(distinct b.rec_id) from batches b join revenue using (billed_from, customer, product)) as traced
"""


class Coverage(NamedTuple):
    """How many there are, and of how many the trace is whole."""

    whole: int
    traced: int


def orders_traced(connection: Connection, period: Period) -> Coverage:
    """Orders of a period, and those that lead over their contract to an invoice that was paid and posted."""
    return _coverage(connection, _ORDERS, period)


def usage_traced(connection: Connection, period: Period) -> Coverage:
    """Usage batches that ended in a period, and those that lead to a posting of their product: the one that names the
    invoice which bills the product to the customer from the day after the use ended."""
    return _coverage(connection, _USAGE, period)


def _coverage(connection: Connection, statement: str, period: Period) -> Coverage:
    asked = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    return Coverage(*connection.execute(text(statement), asked).one())
