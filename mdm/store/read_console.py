"""What the console shows on every page and on its home page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from mdm.model.lives import LIFE
from mdm.store.waiting import waits

#: Open work of one kind that is counted for the navigation, on every page.
MOST_COUNTED = 1000
#: What the home page and the close count and add up of each kind of open work; of more they say that there is more.
MOST_ADDED = 10_000
_COUNTS = f"""
select (select count(*) from (select from steward_task where status = 'open' limit :most) t) as tasks,
  (select count(*) from (select from dead_letter where status = 'open' limit :most) d)
    + (select count(*) from (select from exception where status = 'open' limit :most) e) as exceptions,
  (select count(*) from (select from proposal where {waits()} and author <> :actor limit :most) p) as approvals
"""
# Open questions by kind: kinds are found one after the other by the index, and of each so many are counted. Deadlines
# come with the rank, and ranks are of open questions only; so many that are past, and so many that come next, are
# looked at.
_AGEING = """
with recursive kind as (
  (select t.domain, t.kind from steward_task t where t.status = 'open' order by t.domain, t.kind limit 1)
  union all
  select n.domain, n.kind from kind k cross join lateral (
    select t.domain, t.kind from steward_task t where t.status = 'open' and (t.domain, t.kind) > (k.domain, k.kind)
    order by t.domain, t.kind limit 1) n
),
late as (
  select l.domain, l.kind, count(*) as tasks from (
    select p.domain, p.kind from task_priority p where p.due_at < :now order by p.due_at limit :most) l
  group by l.domain, l.kind
),
due as (
  select l.domain, l.kind, count(*) as tasks from (
    select p.domain, p.kind from task_priority p
    where p.due_at >= :now and p.due_at < :tomorrow order by p.due_at limit :most) l
  group by l.domain, l.kind
)
select k.domain, k.kind, coalesce(l.tasks, 0) as breached, coalesce(d.tasks, 0) as due,
  (select count(*) from (select from steward_task t where t.status = 'open' and t.domain = k.domain
                         and t.kind = k.kind limit :most) c) as tasks,
  (select t.opened_at from steward_task t where t.status = 'open' and t.domain = k.domain and t.kind = k.kind
   order by t.opened_at limit 1) as oldest
from kind k left join late l using (domain, kind) left join due d using (domain, kind)
order by k.domain, k.kind
"""
_OVERDUE = """
select count(*) from (
  select from task_priority p where p.due_at < :now order by p.due_at limit :most) late
"""
_AGES = """
select (select count(*) from (select from steward_task where status = 'open' and opened_at > a.since
                              and opened_at <= a.until limit :most) c) as tasks
from (values (0, :now - interval '1 day', timestamptz 'infinity'),
             (1, :now - interval '3 days', :now - interval '1 day'),
             (2, :now - interval '7 days', :now - interval '3 days'),
             (3, timestamptz '-infinity', :now - interval '7 days')) a(place, since, until)
order by a.place
"""
_AT_RISK = """
select key as currency, sum(value::numeric) as amount from (
  select p.amounts from task_priority p order by p.rank desc, p.task_id limit :most) urgent, jsonb_each_text(amounts)
group by key order by 2 desc
"""
_BEHIND_REFUSED = """
select key as currency, sum(value::numeric) as amount from (
  select r.amounts from dead_letter_group g join dead_letter_rank r using (likeness)
  where g.share = 'all' and g.person = '' order by g.times_much desc, g.newest_id desc limit :most
) most_money, jsonb_each_text(amounts)
group by key order by 2 desc
"""
_PLATFORMS = """
select system, max(event_time) as newest_event, max(committed_at) as last_seen, count(distinct topic) as tables
from source_progress group by system order by system
"""
_WAITING = f"""
select
  (select count(*) from (select from dead_letter where status = 'open' limit :most) l) as letters,
  (select count(*) from (select from exception where status = 'open' limit :most) e) as exceptions,
  (select count(*) from (select from exception where status = 'open' and kind = 'gap' limit :most) g) as gaps,
  (select count(*) from (select from proposal where {waits()} limit :most) p) as proposals
"""
_ANSWERED = """
select kind, opened_at, closed_at from steward_task
where status = 'resolved' and closed_at >= :since order by closed_at desc limit :limit
"""
_BATCHES = """
select committed_at, messages from batch where cause = 'ingest' order by batch_id desc limit :limit
"""
_REBUILDS = """
select at, actor, (detail ->> 'rows')::bigint as rows, (detail ->> 'differences')::bigint as differences from audit
where action = 'rebuild' order by seq desc limit :limit
"""
_OWN = """
select count(*) filter (where at >= :today) as today, count(*) filter (where at >= :week) as week,
  count(*) filter (where undone_by is not null) as undone, count(*) as decided
from (select at, undone_by from decision where actor = :actor and undoes is null
      order by decision_id desc limit :most) latest
"""
_MINE = f"""
select count(*) filter (where not asleep) as taken, count(*) filter (where not asleep and due_at < :now) as breached,
  count(*) filter (where asleep) as asleep,
  (select count(*) from (select from proposal where {waits()} and author = :actor limit :most) p) as proposed,
  (select count(*) from (select from dead_letter where status = 'open' and assignee = :actor limit :most) d) as letters,
  (select count(*) from (select from exception where status = 'open' and assignee = :actor limit :most) e) as exceptions
from (select p.due_at, coalesce(w.snoozed_until > :now, false) as asleep
      from task_work w join steward_task t on t.task_id = w.task_id and t.status = 'open'
      left join task_priority p on p.task_id = w.task_id where w.assignee = :actor limit :most) mine
"""
_SECONDS = """
select percentile_cont(0.5) within group (order by seconds) from (
  select extract(epoch from at - lag(at) over (order by decision_id)) as seconds
  from decision where actor = :actor and undoes is null order by decision_id desc limit 200
) gaps where seconds between 1 and 900
"""


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """What somebody has decided. `seconds` is the median time between decisions; breaks are left out,
    and what follows within a second, for a job did that."""

    today: int
    week: int
    decided: int
    undone: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What lies with somebody: open questions they took, how many of them are past their deadline, those they took and
    put off, their proposals that wait for a second person, and refused messages and exceptions they look after."""

    taken: int
    breached: int
    asleep: int
    proposed: int
    letters: int
    exceptions: int


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open tasks of one kind, how many are due within a day, and how many should have been answered."""

    domain: str
    kind: str
    tasks: int
    breached: int
    due: int
    oldest: datetime


def open_counts(connection: Connection, actor: str, now: datetime) -> dict[str, int]:
    """How much of each kind of work is open for somebody, counted up to `MOST_COUNTED` over partial indexes."""
    row = connection.execute(text(_COUNTS), {"actor": actor, "now": now, "most": MOST_COUNTED}).one()
    return {kind: min(number, MOST_COUNTED) for kind, number in row._mapping.items()}


def ageing(connection: Connection, now: datetime, tomorrow: datetime) -> Sequence[Ageing]:
    """Open tasks per domain and kind; each number is counted up to one more than `MOST_ADDED`."""
    rows = connection.execute(text(_AGEING), {"now": now, "tomorrow": tomorrow, "most": MOST_ADDED + 1})
    return [Ageing(row.domain, row.kind, row.tasks, row.breached, row.due, row.oldest) for row in rows]


def overdue(connection: Connection, now: datetime) -> int:
    """Open tasks that should have been answered, counted up to one more than `MOST_ADDED`."""
    return int(connection.scalar(text(_OVERDUE), {"now": now, "most": MOST_ADDED + 1}) or 0)


def ages(connection: Connection, now: datetime) -> list[int]:
    """Open tasks that wait for less than a day, three days, a week, and longer; each counted up to one more than
    `MOST_ADDED`."""
    return list(connection.scalars(text(_AGES), {"now": now, "most": MOST_ADDED + 1}))


def at_risk(connection: Connection) -> dict[str, Any]:
    """Open invoices and running contracts behind open tasks, per currency; of more than `MOST_ADDED` tasks, behind the
    most urgent. A customer in two tasks counts twice."""
    return {row.currency: row.amount for row in connection.execute(text(_AT_RISK), {"most": MOST_ADDED})}


def behind_refused(connection: Connection) -> dict[str, Any]:
    """Open invoices and running contracts behind refused messages, per currency, as they were ranked last
    (`mdm.hub.worklist.rank_refused`); of more than `MOST_ADDED` groups, behind those with most money. A customer behind
    two groups counts twice."""
    return {row.currency: row.amount for row in connection.execute(text(_BEHIND_REFUSED), {"most": MOST_ADDED})}


def platforms(connection: Connection) -> Sequence[dict[str, Any]]:
    """Per platform the time of its newest event that the hub holds, and when the hub last took something in."""
    return [dict(row) for row in connection.execute(text(_PLATFORMS)).mappings()]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody, beside questions: refused messages, exceptions and signs of loss among them,
    decisions of two persons. Each is counted up to one more than `MOST_ADDED`."""

    letters: int
    exceptions: int
    gaps: int
    proposals: int


def waiting_work(connection: Connection, now: datetime) -> Waiting:
    """Counts over partial indexes."""
    row = connection.execute(text(_WAITING), {"now": now, "most": MOST_ADDED + 1}).one()
    return Waiting(*row)


def answered(connection: Connection, since: datetime, limit: int = 20_000) -> Sequence[tuple[str, datetime, datetime]]:
    """Kind, opening and answer of questions that people answered since an instant, the newest first."""
    rows = connection.execute(text(_ANSWERED), {"since": since, "limit": limit})
    return [(row.kind, row.opened_at, row.closed_at) for row in rows]


def recent_batches(connection: Connection, limit: int) -> Sequence[tuple[datetime, int]]:
    """Messages per unit of work, oldest first."""
    rows = connection.execute(text(_BATCHES), {"limit": limit}).all()
    return [(row.committed_at, row.messages) for row in reversed(rows)]


def own_numbers(connection: Connection, actor: str, now: datetime) -> OwnNumbers:
    """What somebody sees of themselves at a glance."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {"actor": actor, "today": today, "week": now - timedelta(days=7), "most": MOST_ADDED}
    row = connection.execute(text(_OWN), asked).one()
    seconds = connection.scalar(text(_SECONDS), {"actor": actor})
    return OwnNumbers(row.today, row.week, row.decided, row.undone, None if seconds is None else float(seconds))


def own_work(connection: Connection, actor: str, now: datetime) -> OwnWork:
    """What lies with somebody; each kind is counted up to `MOST_COUNTED`, for nobody plans a day by more."""
    row = connection.execute(text(_MINE), {"actor": actor, "now": now, "most": MOST_COUNTED}).one()
    return OwnWork(*row)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild that ended: source rows that were derived anew, and golden records that came out otherwise."""

    at: datetime
    actor: str
    rows: int
    differences: int


def rebuilds(connection: Connection, limit: int) -> Sequence[Rebuilt]:
    """The newest rebuilds, found in the audit by its index of actions."""
    return [Rebuilt(*row) for row in connection.execute(text(_REBUILDS), {"limit": limit})]


def newest_batch(engine: Engine) -> int:
    """The newest unit of work: what was computed after it holds until there is another."""
    with engine.connect() as connection:
        return int(connection.scalar(text("select coalesce(max(batch_id), 0) from batch")) or 0)


def feed_positions(connection: Connection) -> Sequence[dict[str, Any]]:
    """Per feed and topic how far the hub has read, and when it last moved."""
    rows = connection.execute(
        text(
            f"""select feed, topic, count(*) as partitions, sum(next_offset % {LIFE}) as messages,
                   max(updated_at) as updated_at
               from feed_position group by feed, topic order by feed, topic"""
        )
    )
    return [dict(row) for row in rows.mappings()]
