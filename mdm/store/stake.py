"""What hangs on rows whose messages were refused, and the order of their groups: read set-based, written in bulk.

A refused message changes nothing, so what it would have changed is not known. What is known is the row it is about, as
far as its key could be read: what was taken in of it before, and what other rows say about it. From there money is
found in two places: open invoices, and golden contracts that run.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, text

from mdm.model.refused import AtStake, RankedGroup, RefusedGroup

#: Messages of a kind that are counted and looked at, the newest: what hangs on the others is not told. So many weigh as
#: much as any larger number (`mdm.core.refused_order`).
MOST = 10_000
#: A kind of more messages is ranked anew for others of its kind at most once in so long.
_LARGE, _PATIENCE = 1000, timedelta(minutes=1)

# `base` is who asks (`item`) and the rows they ask about. A customer or contract counts with everything that is known
# under any of its records; a payment, posting or order with the invoice or contract it belongs to - but not with its
# customer, of whom it is only a small part. Money is text as the platform wrote it; what is no number counts nothing.
TOUCHED = """
known as (
  select b.item, b.system, b.type, b.key, r.rec_id from base b join source_record r using (system, type, key)
),
home as (select distinct k.item, x.entity_id from known k join crosswalk x using (rec_id)),
member as (
  select h.item, x.rec_id from home h join crosswalk x using (entity_id) union select item, rec_id from known
),
name as (
  select item, system, type, key from base
  union
  select m.item, r.system, r.type, r.key from member m join source_record r using (rec_id)
  union
  select m.item, a.system, a.type, a.key from member m join record_alias a using (rec_id)
),
referring as (
  select distinct n.item, f.rec_id from name n join record_reference f using (system, type, key)
  where f.role in ('customer', 'contract', 'invoice')
),
touched as (
  select item, rec_id from member
  union
  select item, rec_id from referring
  union
  select k.item, t.rec_id from known k
  join record_reference f on f.rec_id = k.rec_id and f.role in ('contract', 'invoice')
  cross join lateral (
    select s.rec_id from source_record s where s.system = f.system and s.type = f.type and s.key = f.key
    union
    select a.rec_id from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key) t
),
owed as (
  select t.item, i.attributes->>'currency' as currency,
    (i.attributes->>'total')::numeric
      - case when i.attributes->>'amount_paid' ~ '^[0-9]+([.][0-9]+)?$' then (i.attributes->>'amount_paid')::numeric
             else 0 end as amount
  from touched t join source_record i using (rec_id)
  where i.kind = 'invoice' and not i.deleted and i.attributes->>'status' = 'open'
    and i.attributes->>'total' ~ '^[0-9]+([.][0-9]+)?$'
),
agreed as (
  select c.item, g."values"->>'currency' as currency, (g."values"->>'value')::numeric as amount
  from (select distinct t.item, x.entity_id from touched t join crosswalk x using (rec_id)) c
  join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'contract'
  where g."values"->>'status' = 'active' and g."values"->>'value' ~ '^[0-9]+([.][0-9]+)?$'
),
money as (
  select item, jsonb_object_agg(currency, amount::text) as amounts
  from (select item, coalesce(currency, '') as currency, sum(amount) as amount
        from (select * from owed union all select * from agreed) each group by 1, 2) summed
  group by item
),
held as (
  select b.item, count(*) as rows, count(*) filter (where
    exists (select 1 from source_record r where r.system = b.system and r.type = b.type and r.key = b.key)
    or exists (select 1 from record_reference f where f.system = b.system and f.type = b.type and f.key = b.key))
      as known
  from base b group by b.item
)
"""
_LETTERS = f"""
with base as (
  select d.dead_letter_id::text as item, d.system, d.type, d.row_key as key from dead_letter d
  where d.dead_letter_id = any(cast(:ids as bigint[])) and d.row_key is not null
), {TOUCHED}
select h.item, coalesce(m.amounts, '{{}}') as amounts, h.rows, h.known from held h left join money m using (item)
"""
#: Kinds of open letters, one after the other by the index, however many each has; the last one found is null.
OPEN_KINDS = """
with recursive kind as (
  (select d.likeness from dead_letter d where d.status = 'open' order by d.likeness limit 1)
  union all
  select (select d.likeness from dead_letter d where d.status = 'open' and d.likeness > k.likeness
          order by d.likeness limit 1)
  from kind k where k.likeness is not null
)
"""
_STAGE = f"""
create temporary table stage_group on commit drop as
{OPEN_KINDS}
select g.*, r.likeness is null or r.ranked_at < :stale
  or ((r.letters <> g.letters or r.newest_id <> g.newest_id) and (g.letters <= :large or r.ranked_at < :lately))
  as stale
from (
  select k.likeness, n.newest_id, o.first_seen,
    (select count(*) from (select from dead_letter d where d.status = 'open' and d.likeness = k.likeness
                           limit :most) c) as letters
  from kind k
  cross join lateral (
    select d.dead_letter_id as newest_id from dead_letter d where d.status = 'open' and d.likeness = k.likeness
    order by d.first_seen desc, d.dead_letter_id desc limit 1) n
  cross join lateral (
    select d.first_seen from dead_letter d where d.status = 'open' and d.likeness = k.likeness
    order by d.first_seen, d.dead_letter_id limit 1) o
  where k.likeness is not null) g
left join dead_letter_rank r using (likeness)
"""
_GROUPS = f"""
with base as (
  select distinct s.likeness as item, d.system, d.type, d.row_key as key
  from stage_group s cross join lateral (
    select d.system, d.type, d.row_key from dead_letter d where d.status = 'open' and d.likeness = s.likeness
    order by d.first_seen desc, d.dead_letter_id desc limit :most) d
  where s.stale and d.row_key is not null
), {TOUCHED}
select s.likeness, s.letters, s.newest_id, s.first_seen, coalesce(m.amounts, '{{}}') as amounts,
  coalesce(h.rows, 0) as rows, coalesce(h.known, 0) as known
from stage_group s left join held h on h.item = s.likeness left join money m on m.item = s.likeness
where s.stale order by s.likeness -- two who rank the same groups wait for each other
"""
_WRITE = """
insert into dead_letter_rank (likeness, letters, newest_id, rank, parts, times_much, amounts, rows, known, ranked_at)
values (:likeness, :letters, :newest_id, :rank, cast(:parts as jsonb), :times_much, cast(:amounts as jsonb), :rows,
  :known, :at)
on conflict (likeness) do update set letters = excluded.letters, newest_id = excluded.newest_id, rank = excluded.rank,
  parts = excluded.parts, times_much = excluded.times_much, amounts = excluded.amounts, rows = excluded.rows,
  known = excluded.known, ranked_at = excluded.ranked_at
"""
_FORGET = """
delete from dead_letter_rank r where not exists (select 1 from stage_group s where s.likeness = r.likeness)
"""


def stake_of_letters(connection: Connection, ids: Sequence[int]) -> dict[int, AtStake]:
    """What hangs on the row of each of these dead letters; those without a legible key are absent."""
    rows = connection.execute(text(_LETTERS), {"ids": list(ids)})
    return {int(row.item): AtStake(_money(row.amounts), row.rows, row.known) for row in rows}


def unranked_groups(connection: Connection, stale: datetime, now: datetime) -> list[RefusedGroup]:
    """Groups of open dead letters that have no rank, one of other letters, or one from before `stale`.

    Letters are counted up to one more than `MOST`."""
    limits = {"stale": stale, "most": MOST + 1, "large": _LARGE, "lately": now - _PATIENCE}
    connection.execute(text(_STAGE), limits)
    if not connection.scalar(text("select exists (select 1 from stage_group where stale)")):
        return []
    connection.execute(text("analyze stage_group"))
    return [
        RefusedGroup(
            row.likeness, row.letters, row.newest_id, row.first_seen, AtStake(_money(row.amounts), row.rows, row.known)
        )
        for row in connection.execute(text(_GROUPS), {"most": MOST})
    ]


def write_group_ranks(connection: Connection, ranked: Sequence[RankedGroup], at: datetime) -> None:
    """Store the ranks, replacing those that were there, and forget those of groups that are no more: all that are open
    are those that `unranked_groups` saw in the same transaction."""
    rows: list[dict[str, Any]] = [
        {
            "likeness": each.group.likeness,
            "letters": each.group.letters,
            "newest_id": each.group.newest_id,
            "rank": each.rank,
            "parts": orjson.dumps([list(part) for part in each.parts]).decode(),
            "times_much": each.times_much,
            "amounts": orjson.dumps({name: str(value) for name, value in each.group.amounts.items()}).decode(),
            "rows": each.group.rows,
            "known": each.group.stake.known,
            "at": at,
        }
        for each in ranked
    ]
    if rows:
        connection.execute(text(_WRITE), rows)
    connection.execute(text(_FORGET))


def _money(amounts: dict[str, Any]) -> dict[str, Decimal]:
    return {currency: Decimal(str(amount)) for currency, amount in amounts.items()}
