"""The order of the review queue: what open tasks are about, read set-based, and their ranks, written in bulk.

Ranks are derived and kept only for speed; they are renewed when they are older than what they rest on may be.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, text

from mdm.model.ids import Domain
from mdm.model.worklist import Affected, Ranked, TaskFacts
from mdm.store.affected import AsOf, affected
from mdm.store.unit_of_work import UnitOfWork

# Old ranks, the oldest first; they are found by their index.
_STAGE = """
create temporary table stage_rank on commit drop as
select t.task_id, t.kind, t.domain, t.opened_at, t.weight, t.a, t.b
from task_priority p join steward_task t using (task_id)
where t.status = 'open' and p.ranked_at < :stale
order by p.ranked_at
limit :limit
"""
# Tasks that have none. Every task is looked at, so only where old ranks do not fill the stage.
_STAGE_NEW = """
insert into stage_rank
select t.task_id, t.kind, t.domain, t.opened_at, t.weight, t.a, t.b from steward_task t
where t.status = 'open' and t.task_id > :since
  and not exists (select from task_priority p where p.task_id = t.task_id)
order by t.task_id
limit :limit - (select count(*) from stage_rank)
"""
_STAGE_MEMBERS = """
create temporary table stage_rank_member on commit drop as
with side as (select task_id, a as rec_id from stage_rank union all select task_id, b from stage_rank),
entities as (select distinct s.task_id, x.entity_id from side s join crosswalk x using (rec_id))
select e.task_id, e.entity_id, x.rec_id, r.system, r.type, r.key
from entities e join crosswalk x using (entity_id) join source_record r on r.rec_id = x.rec_id
"""
_STAGE_NAMES = """
create temporary table stage_rank_name on commit drop as
select task_id, system, type, key from stage_rank_member
union
select m.task_id, a.system, a.type, a.key from stage_rank_member m join record_alias a using (rec_id)
"""
_SHAPES = """
select m.task_id, count(*) as records, count(distinct m.entity_id) filter (where m.system = any(:erps)) as erp,
  coalesce(array_agg(distinct g."values"->>'country') filter (where g."values"->>'country' is not null), '{}')
    as countries
from stage_rank_member m
left join golden g on g.entity_id = m.entity_id and g.known_to is null
group by m.task_id
"""
_PLACES = """
select m.task_id, coalesce(array_agg(distinct r.label) filter (where r.kind = 'region'), '{}') as regions,
  coalesce(array_agg(distinct r.label) filter (where r.kind = 'unit'), '{}') as business_units
from (select distinct task_id, entity_id from stage_rank_member) m join placement p using (entity_id)
cross join lateral (select 'region' as kind, unnest(p.regions) as label
                    union all select 'unit', unnest(p.business_units)) r
group by m.task_id
"""
_SYSTEMS = """
select t.task_id, array_agg(r.system order by r.system) as systems
from stage_rank t join source_record r on r.rec_id in (t.a, t.b) group by t.task_id
"""
# Money is text as the platform wrote it; what does not read as a number counts nothing.
_AMOUNTS = """
with owed as (
  select distinct n.task_id, i.rec_id, i.attributes->>'currency' as currency,
    (i.attributes->>'total')::numeric
      - case when i.attributes->>'amount_paid' ~ '^[0-9.]+$' then (i.attributes->>'amount_paid')::numeric else 0 end
      as amount
  from stage_rank_name n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record i on i.rec_id = f.rec_id and not i.deleted and i.kind = 'invoice'
  where i.attributes->>'status' = 'open' and i.attributes->>'total' ~ '^[0-9]+([.][0-9]+)?$'
),
contracts as (
  select distinct n.task_id, x.entity_id
  from stage_rank_name n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join crosswalk x on x.rec_id = f.rec_id
  union
  select m.task_id, m.entity_id from stage_rank_member m join stage_rank t using (task_id) where t.domain = 'contract'
),
agreed as (
  select c.task_id, g."values"->>'currency' as currency, (g."values"->>'value')::numeric as amount
  from contracts c join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'contract'
  where g."values"->>'status' = 'active' and g."values"->>'value' ~ '^[0-9]+([.][0-9]+)?$'
)
select task_id, coalesce(currency, '') as currency, sum(amount) as amount
from (select task_id, currency, amount from owed union all select task_id, currency, amount from agreed) every
group by task_id, currency
"""
_WRITE = """
insert into task_priority (task_id, domain, kind, weight, opened_at, rank, parts, impact, amount, amounts, countries,
  systems, regions, business_units, due_at, taken, put_off_until, ranked_at)
select t.task_id, t.domain, t.kind, t.weight, t.opened_at, :rank, cast(:parts as jsonb), cast(:impact as jsonb),
  :amount, cast(:amounts as jsonb), :countries, :systems, :regions, :business_units, :due_at, :taken, :put_off_until,
  :at
from steward_task t where t.task_id = :task_id
on conflict (task_id) do update set domain = excluded.domain, kind = excluded.kind, rank = excluded.rank,
  parts = excluded.parts, impact = excluded.impact, amount = excluded.amount, amounts = excluded.amounts,
  countries = excluded.countries, systems = excluded.systems, regions = excluded.regions,
  business_units = excluded.business_units,
  due_at = excluded.due_at, taken = excluded.taken, put_off_until = excluded.put_off_until,
  ranked_at = excluded.ranked_at
"""
# Whoever closes a task drops its rank with it, so that ranks are of open tasks only; one that is held just now is left
# to the next look. For key share would not do: a task could be closed, and its rank dropped, before the rank is there.
_HOLD = """
select task_id from steward_task where task_id = any(:tasks) and status = 'open' order by task_id
for share skip locked
"""
_WORK = "select task_id, assignee is not null as taken, snoozed_until from task_work where task_id = any(:tasks)"
_TELL_TAKEN = "update task_priority set taken = %s where task_id = any(%s::bigint[]) and taken <> %s"
_TELL_PUT_OFF = """
update task_priority p set put_off_until = w.until from unnest(%s::bigint[], %s::timestamptz[]) as w(task_id, until)
where p.task_id = w.task_id and p.put_off_until is distinct from w.until
"""
#: A label is seen anew at most this often: ranks are written more often than labels come and go.
_SEE = """
insert into task_label as l (kind, label, seen_at) values (:kind, :label, :at)
on conflict (kind, label) do update set seen_at = excluded.seen_at
where l.seen_at < excluded.seen_at - interval '30 minutes'
"""


def state(connection: Connection) -> tuple[int, int]:
    """The newest unit of work and the newest task: while both stay, no task is opened."""
    row = connection.execute(
        text("select (select max(batch_id) from batch) as batch, (select max(task_id) from steward_task) as task")
    ).one()
    return row.batch or 0, row.task or 0


def forget_labels(connection: Connection) -> None:
    """Drop the labels that no rank was written with for a day."""
    connection.execute(text("delete from task_label where seen_at < now() - interval '1 day'"))


def drop_ranks(work: UnitOfWork, tasks: Sequence[int]) -> None:
    """These tasks are closed by this unit of work: they leave the queue.

    One that is only looked at leaves ranks alone, or it would end where others renew them."""
    if work.kept:
        work.execute("delete from task_priority where task_id = any(%s)", list(tasks))


def rank_again(work: UnitOfWork, tasks: Sequence[int]) -> None:
    """These tasks are open again: whoever ranks next finds them, however old they are, and puts them in their place.
    One that is only looked at leaves ranks alone."""
    if not work.kept:
        return
    work.execute(
        """insert into task_priority (task_id, domain, kind, weight, opened_at, rank, parts, amount, amounts, countries,
               systems, due_at, ranked_at)
           select t.task_id, t.domain, t.kind, t.weight, t.opened_at, -extract(epoch from t.opened_at) / 86400, '[]', 0,
               '{}', '{}', '{}', t.opened_at, '-infinity'
           from steward_task t where t.task_id = any(%s) and t.status = 'open'
           on conflict (task_id) do update set ranked_at = excluded.ranked_at""",
        list(tasks),
    )


def unranked(connection: Connection, stale: datetime, since: int = 0) -> bool:
    """Whether an open task has a rank from before `stale`, or one with a number above `since` has none."""
    return bool(
        connection.scalar(
            text(
                """select case when exists (select from (
                             select p.task_id from task_priority p join steward_task t using (task_id)
                             where t.status = 'open' and p.ranked_at < :stale
                             order by p.ranked_at limit 1) old)
                          then true
                          else exists (select from steward_task t where t.status = 'open' and t.task_id > :since
                            and not exists (select from task_priority p where p.task_id = t.task_id)) end"""
            ),
            {"stale": stale, "since": since},
        )
    )


def read_task_facts(
    connection: Connection,
    stale: datetime,
    limit: int,
    limits: dict[Domain, tuple[float, float]],
    as_of: AsOf,
    erps: Collection[str],
    since: int = 0,
) -> list[TaskFacts]:
    """What up to `limit` tasks are about that have a rank from before `stale`, or a number above `since` and none.

    Args:
        limits: per domain the weights from which on a person is asked and records are joined.
        erps: the platforms that count as ERP.
        as_of: of which month documents count, and when people use what they may.
    """
    staged = connection.execute(text(_STAGE), {"stale": stale, "limit": limit, "since": since}).rowcount
    if staged < limit:
        connection.execute(text(_STAGE_NEW), {"limit": limit, "since": since})
    connection.execute(text(_STAGE_MEMBERS))
    connection.execute(text(_STAGE_NAMES))
    connection.execute(text("analyze stage_rank_member, stage_rank_name"))
    shapes = {row.task_id: row for row in connection.execute(text(_SHAPES), {"erps": list(erps)})}
    places = {row.task_id: row for row in connection.execute(text(_PLACES))}
    systems = {row.task_id: row.systems for row in connection.execute(text(_SYSTEMS))}
    amounts: dict[int, dict[str, Decimal]] = {}
    for row in connection.execute(text(_AMOUNTS)):
        amounts.setdefault(row.task_id, {})[row.currency] = row.amount
    touched = affected(connection, "select task_id as item, rec_id from stage_rank_member", as_of)
    facts = []
    for task in connection.execute(text("select task_id, kind, domain, opened_at, weight from stage_rank")):
        shape, place = shapes.get(task.task_id), places.get(task.task_id)
        possible, match = limits[Domain(task.domain)]
        facts.append(
            TaskFacts(
                task_id=task.task_id,
                domain=Domain(task.domain),
                kind=task.kind,
                opened_at=task.opened_at,
                standing=(task.weight - possible) / (match - possible),
                amounts=amounts.get(task.task_id, {}),
                erp=shape.erp if shape else 0,
                records=shape.records if shape else 2,
                countries=shape.countries if shape else (),
                systems=systems.get(task.task_id, ()),
                regions=place.regions if place else (),
                business_units=place.business_units if place else (),
                affected=touched.get(task.task_id, Affected()),
            )
        )
    return facts


def write_ranks(connection: Connection, ranked: Sequence[Ranked], at: datetime) -> int:
    """Store the ranks, replacing those that were there; returns how many. Tasks that are closed meanwhile, or held by
    somebody, are left out."""
    # Whoever takes a task or puts it off locks it first: what is read of task_work holds until the ranks are there.
    ids = sorted(each.facts.task_id for each in ranked)
    held = set(connection.scalars(text(_HOLD), {"tasks": ids}))
    worked = {row.task_id: row for row in connection.execute(text(_WORK), {"tasks": ids})}
    rows: list[dict[str, Any]] = [
        {
            "task_id": each.facts.task_id,
            "rank": each.rank,
            "parts": orjson.dumps([list(part) for part in each.parts]).decode(),
            "impact": orjson.dumps(each.impact._asdict()).decode(),
            "amount": each.amount,
            "amounts": orjson.dumps({name: str(value) for name, value in each.facts.amounts.items()}).decode(),
            "countries": list(each.facts.countries),
            "systems": list(each.facts.systems),
            "regions": list(each.facts.regions),
            "business_units": list(each.facts.business_units),
            "due_at": each.due_at,
            "taken": work is not None and work.taken,
            "put_off_until": None if work is None else work.snoozed_until,
            "at": at,
        }
        for each in ranked
        if each.facts.task_id in held
        for work in [worked.get(each.facts.task_id)]
    ]
    if rows:
        connection.execute(text(_WRITE), rows)
    if labels := _labels(ranked):
        connection.execute(text(_SEE), [{"kind": kind, "label": label, "at": at} for kind, label in labels])
    return len(rows)


def tell_taken(work: UnitOfWork, tasks: Sequence[int], *, taken: bool) -> None:
    """Tasks are somebody's now, or nobody's: the queue can be narrowed to either. Whoever calls has locked them."""
    work.execute(_TELL_TAKEN, taken, list(tasks), taken)


def tell_put_off(work: UnitOfWork, until: Mapping[int, datetime | None]) -> None:
    """Tasks are put off until these instants, or not any more: the queue can be narrowed to either. Whoever calls has
    locked them."""
    work.execute(_TELL_PUT_OFF, list(until), list(until.values()))


def _labels(ranked: Sequence[Ranked]) -> list[tuple[str, str]]:
    """What tasks can be narrowed to, in an order in which two who write the same wait for each other."""
    found = {("pair", "-".join(each.facts.systems)) for each in ranked if len(each.facts.systems) == 2}
    for each in ranked:
        facts = each.facts
        for kind, labels in (
            ("country", facts.countries), ("region", facts.regions), ("business_unit", facts.business_units)
        ):  # fmt: skip
            found |= {(kind, label) for label in labels}
    return sorted(found)
