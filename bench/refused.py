"""Refused messages for a hub that is measured: many, of many kinds, about rows that the hub holds."""

from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.worklist import rank_refused
from mdm.store import letter_groups
from mdm.store.unit_of_work import unit_of_work

# Kinds are of very different sizes: the largest of 2,000 has one message in forty-five. Each is about one table, and
# its messages about rows of that; some kinds lie with somebody, and a third of the messages of some others.
_FILL = """
insert into dead_letter (topic, partition, "offset", timestamp_ms, headers, key, value, system, type, code, reason,
  action, owner, row_key, alike, assignee, first_seen, last_seen)
with tables as (
  select system, type, count(*) as rows, row_number() over (order by count(*) desc, system, type) - 1 as place
  from source_record group by system, type having count(*) >= 20),
numbered as (
  select system, type, key, row_number() over (partition by system, type order by key) - 1 as place from source_record),
kinds as (
  select k, 'column ' || translate(md5(k::text), '0123456789', 'ghijklmnop') || ' holds ' as says, t.*
  from generate_series(0, cast(:kinds as int) - 1) k
  join tables t on t.place = k % (select count(*) from tables)),
letters as (
  select n, floor(:kinds * power((hashint4(n)::bigint & 2147483647) / 2147483648.0, 2))::int as k,
    cast(:now as timestamptz) - make_interval(secs => (hashint4(n + 1)::bigint & 2147483647) % 5184000) as at
  from generate_series(cast(:first as int), cast(:last as int)) n)
select r.system || '.public.' || r.type, 999, n, extract(epoch from at) * 1000, '[]', convert_to(r.key, 'utf8'),
  convert_to('{"refused": ' || n || '}', 'utf8'), r.system, r.type,
  (array['VALUE_TYPE', 'CONTRACT_VIOLATION', 'KEY_MISSING'])[1 + k % 3], says || n, 'Mend the column.',
  'Owner ' || k % 7, r.key, says || '#',
  case when k % 5 = 0 then 'ann' when k % 5 = 1 and n % 3 = 0 then 'bob' end, at, at
from letters l join kinds k using (k)
join numbered r on r.system = k.system and r.type = k.type
  and r.place = (hashint4(n + 2)::bigint & 2147483647) % k.rows
"""


def refuse(engine: Engine, letters: int, kinds: int) -> int:
    """Add messages until so many are refused, with the groups that pages list, in their order; returns how many are
    open."""
    with engine.begin() as connection:
        there = connection.scalar(text('select coalesce(max("offset"), 0) from dead_letter where partition = 999'))
        bounds = {"first": there + 1, "last": letters, "kinds": kinds}
        now = connection.scalar(text("select now()"))
        connection.execute(text(_FILL), {**bounds, "now": now})
    with unit_of_work(engine, system_clock, "bench") as work:
        letter_groups.recount(work)
    rank_refused(engine, system_clock())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze dead_letter, dead_letter_group, dead_letter_rank"))
        return int(connection.scalar(text("select count(*) from dead_letter where status = 'open'")) or 0)
