"""What hangs on rows whose messages were refused, and the order of their groups: read set-based, written in bulk.

A refused message changes nothing, so what it would have changed is not known. What is known is the row it is about, as
far as its key could be read: what was taken in of it before, and what other rows say about it. From there money is
found in two places: open invoices, and golden contracts that run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, text

from mdm.model.refused import AtStake, RankedGroup, RefusedGroup
from mdm.model.worklist import Affected
from mdm.store.affected import AsOf, affected, unread_documents

#: Messages of a kind that are counted and looked at, the newest: what hangs on the others is not told. So many weigh as
#: much as any larger number (`mdm.core.refused_order`).
MOST = 10_000
#: A kind of more messages is ranked anew for others of its kind at most once in so long.
_LARGE, _PATIENCE = 1000, timedelta(minutes=1)
#: Kinds that are ranked in one transaction.
_AT_MOST = 2000

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
# Kinds whose letters changed, those never ranked first; of large ones, at most once in a while.
_CHANGED = """
select g.likeness, r.likeness is null as unranked, 0 as age from dead_letter_group g
left join dead_letter_rank r using (likeness)
where g.share = 'all' and g.changed and (r.likeness is null or g.letters <= :large or r.ranked_at < :lately)
order by r.likeness is not null, g.likeness limit :limit
"""
_OLD = """
select likeness, false, 1 from (
  select likeness from dead_letter_rank where ranked_at < :stale order by ranked_at limit :limit) old
"""
# As many kinds as have `budget` letters together, and always one.
_STAGE = f"""
create temporary table stage_group on commit drop as
select likeness, letters, newest_id, first_seen, version from (
  select g.likeness, least(g.letters, :most) as letters, g.newest_id, g.first_seen, g.version,
    sum(least(g.letters, :most)) over (order by w.age, not w.unranked, g.likeness) as together,
    row_number() over (order by w.age, not w.unranked, g.likeness) as place
  from (select distinct on (likeness) * from (({_CHANGED}) union all ({_OLD})) every order by likeness, age) w
  join dead_letter_group g on g.likeness = w.likeness and g.share = 'all') counted
where place = 1 or together <= :budget
"""
_STAGE_LETTERS = """
create temporary table stage_letter on commit drop as
select s.likeness, d.system, d.type, d.row_key as key, d.assignee
from stage_group s cross join lateral (
  select d.system, d.type, d.row_key, d.assignee from dead_letter d where d.status = 'open' and d.likeness = s.likeness
  order by d.first_seen desc, d.dead_letter_id desc limit :most) d
where d.row_key is not null
"""
_GROUPS = f"""
with base as (select distinct likeness as item, system, type, key from stage_letter), {TOUCHED}
select s.likeness, s.letters, s.newest_id, s.first_seen, s.version, coalesce(m.amounts, '{{}}') as amounts,
  coalesce(h.rows, 0) as rows, coalesce(h.known, 0) as known, n.tier, n.behind is not null as waits
from stage_group s join dead_letter n on n.dead_letter_id = s.newest_id
left join held h on h.item = s.likeness left join money m on m.item = s.likeness
order by s.likeness
"""
_STAGED_ROWS = "select likeness as item, system, type, key from stage_letter"
_STAGED_RECORDS = """
select distinct l.likeness as item, r.rec_id from stage_letter l join source_record r using (system, type, key)
"""
# Who writes letters holds groups in the same order, this one's row first; what is held by somebody is left to the next
# look, for it changes just now.
_HOLD = """
create temporary table stage_held on commit drop as
select likeness, version from dead_letter_group
where share = 'all' and likeness = any(:likenesses) order by likeness for update skip locked
"""
_HELD = "select likeness from stage_held"
_WRITE = """
insert into dead_letter_rank (likeness, rank, parts, impact, times_much, amounts, rows, known, ranked_at)
values (:likeness, :rank, cast(:parts as jsonb), cast(:impact as jsonb), :times_much, cast(:amounts as jsonb), :rows,
  :known, :at)
on conflict (likeness) do update set rank = excluded.rank, parts = excluded.parts, impact = excluded.impact,
  times_much = excluded.times_much, amounts = excluded.amounts, rows = excluded.rows, known = excluded.known,
  ranked_at = excluded.ranked_at
"""
# Rows are counted of every part of a kind: `grouping` says of which a row is.
_MARK = """
update dead_letter_group g set rank = r.rank, times_much = r.times_much, changed = h.version <> s.version,
  rows = coalesce(c.rows, 0)
from stage_held h join stage_group s using (likeness) join dead_letter_rank r using (likeness),
  dead_letter_group t left join (
    select likeness, case grouping(assignee is null, assignee) when 3 then 'all' when 2 then 'of'
                     else case when assignee is null then 'free' else 'taken' end end as share,
      coalesce(assignee, '') as person, count(distinct (system, type, key)) as rows
    from stage_letter
    group by grouping sets ((likeness), (likeness, assignee is null), (likeness, assignee))) c
  using (likeness, share, person)
where g.likeness = h.likeness and (t.likeness, t.share, t.person) = (g.likeness, g.share, g.person)
"""


def stake_of_letters(connection: Connection, ids: Sequence[int]) -> dict[int, AtStake]:
    """What hangs on the row of each of these dead letters; those without a legible key are absent."""
    rows = connection.execute(text(_LETTERS), {"ids": list(ids)})
    return {int(row.item): AtStake(_money(row.amounts), row.rows, row.known) for row in rows}


@dataclass(frozen=True, slots=True)
class Looked:
    """Which groups are ranked anew: those that changed, and those whose rank is from before `stale`, if it is given; as
    many as have `budget` letters together."""

    now: datetime
    stale: datetime | None = None
    budget: int = 10_000


def unranked_groups(connection: Connection, which: Looked, as_of: AsOf) -> list[RefusedGroup]:
    """Groups of open dead letters that have no rank, have changed, or have an old one.

    Letters are counted up to one more than `MOST`. None are all there are; others may be left for the next look."""
    if not group_waits(connection, which):
        return []
    limits = {"large": _LARGE, "lately": which.now - _PATIENCE, "limit": _AT_MOST, "budget": which.budget}
    stale = which.stale or datetime.min.replace(tzinfo=UTC)
    connection.execute(text(_STAGE), {**limits, "stale": stale, "most": MOST + 1})
    connection.execute(text(_STAGE_LETTERS), {"most": MOST})
    connection.execute(text("analyze stage_group, stage_letter"))
    touched = affected(connection, _STAGED_RECORDS, as_of)
    unread = unread_documents(connection, _STAGED_ROWS)
    return [
        RefusedGroup(
            row.likeness,
            row.letters,
            row.newest_id,
            row.first_seen,
            AtStake(_money(row.amounts), row.rows, row.known),
            _with(touched.get(row.likeness, Affected()), unread.get(row.likeness, 0)),
            row.tier,
            row.waits,
        )
        for row in connection.execute(text(_GROUPS))
    ]


def group_waits(connection: Connection, which: Looked) -> bool:
    """Whether there is a group that `unranked_groups` would find."""
    limits = {"large": _LARGE, "lately": which.now - _PATIENCE, "limit": 1}
    if connection.execute(text(_CHANGED), limits).first() is not None:
        return True
    old = {"stale": which.stale, "limit": 1}
    return which.stale is not None and connection.execute(text(_OLD), old).first() is not None


def write_group_ranks(connection: Connection, ranked: Sequence[RankedGroup], at: datetime) -> int:
    """Store the ranks of groups that `unranked_groups` told in the same transaction, replacing those that were there;
    those that somebody else is writing are left out. Returns how many were stored."""
    if not ranked:
        return 0
    connection.execute(text(_HOLD), {"likenesses": [each.group.likeness for each in ranked]})
    held = set(connection.scalars(text(_HELD)))
    rows: list[dict[str, Any]] = [
        {
            "likeness": each.group.likeness,
            "rank": each.rank,
            "parts": orjson.dumps([list(part) for part in each.parts]).decode(),
            "impact": orjson.dumps(each.impact._asdict()).decode(),
            "times_much": each.times_much,
            "amounts": orjson.dumps({name: str(value) for name, value in each.group.amounts.items()}).decode(),
            "rows": each.group.rows,
            "known": each.group.stake.known,
            "at": at,
        }
        for each in ranked
        if each.group.likeness in held
    ]
    if rows:
        connection.execute(text(_WRITE), rows)
        connection.execute(text(_MARK))
    return len(rows)


def _money(amounts: dict[str, Any]) -> dict[str, Decimal]:
    return {currency: Decimal(str(amount)) for currency, amount in amounts.items()}


def _with(touched: Affected, unread: int) -> Affected:
    return replace(touched, documents=touched.documents + unread)
