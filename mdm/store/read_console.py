"""What the console shows on every page and on its home page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from mdm.model.lives import LIFE

#: Open work of one kind that is counted for the navigation, on every page.
MOST_COUNTED = 1000
_COUNTS = """
select (select count(*) from (select from steward_task where status = 'open' limit :most) t) as tasks,
  (select count(*) from (select from dead_letter where status = 'open' limit :most) d)
    + (select count(*) from (select from exception where status = 'open' limit :most) e) as exceptions,
  (select count(*) from (select from proposal where status = 'open' and author <> :actor limit :most) p) as approvals
"""
_AGEING = """
select t.domain, t.kind, count(*) as tasks, count(*) filter (where p.due_at < :now) as breached,
  count(*) filter (where p.due_at >= :now and p.due_at < :tomorrow) as due, min(t.opened_at) as oldest
from steward_task t left join task_priority p using (task_id)
where t.status = 'open' group by t.domain, t.kind order by t.domain, t.kind
"""
_OVERDUE = """
select count(*) from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open'
where p.due_at < :now
"""
_AGES = """
select case when age < 1 then 0 when age < 3 then 1 when age < 7 then 2 else 3 end as bucket, count(*) as tasks
from (select extract(epoch from :now - opened_at) / 86400 as age from steward_task where status = 'open') a
group by 1
"""
_AT_RISK = """
select key as currency, sum(value::numeric) as amount
from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open', jsonb_each_text(p.amounts)
group by key order by 2 desc
"""
_BEHIND_REFUSED = """
select key as currency, sum(value::numeric) as amount from dead_letter_rank, jsonb_each_text(amounts)
group by key order by 2 desc
"""
_PLATFORMS = """
select system, max(event_time) as newest_event, max(committed_at) as last_seen, count(distinct topic) as tables
from source_progress group by system order by system
"""
_WAITING = """
select
  (select count(*) from dead_letter where status = 'open') as letters,
  (select count(*) from exception where status = 'open' and kind = 'gap') as gaps,
  (select count(*) from proposal where status = 'open') as proposals
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
from decision where actor = :actor and undoes is null
"""
_MINE = """
select count(*) filter (where not asleep) as taken, count(*) filter (where not asleep and due_at < :now) as breached,
  count(*) filter (where asleep) as asleep,
  (select count(*) from proposal where status = 'open' and author = :actor) as proposed,
  (select count(*) from dead_letter where status = 'open' and assignee = :actor) as letters,
  (select count(*) from exception where status = 'open' and assignee = :actor) as exceptions
from (select p.due_at, coalesce(w.snoozed_until > :now, false) as asleep
      from task_work w join steward_task t on t.task_id = w.task_id and t.status = 'open'
      left join task_priority p on p.task_id = w.task_id where w.assignee = :actor) mine
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


def open_counts(connection: Connection, actor: str) -> dict[str, int]:
    """How much of each kind of work is open for somebody, counted up to `MOST_COUNTED` over partial indexes."""
    row = connection.execute(text(_COUNTS), {"actor": actor, "most": MOST_COUNTED}).one()
    return {kind: min(number, MOST_COUNTED) for kind, number in row._mapping.items()}


def ageing(connection: Connection, now: datetime, tomorrow: datetime) -> Sequence[Ageing]:
    """Open tasks per domain and kind."""
    rows = connection.execute(text(_AGEING), {"now": now, "tomorrow": tomorrow})
    return [Ageing(row.domain, row.kind, row.tasks, row.breached, row.due, row.oldest) for row in rows]


def overdue(connection: Connection, now: datetime) -> int:
    """Open tasks that should have been answered."""
    return int(connection.scalar(text(_OVERDUE), {"now": now}) or 0)


def ages(connection: Connection, now: datetime) -> list[int]:
    """Open tasks that wait for less than a day, three days, a week, and longer."""
    found = {row.bucket: row.tasks for row in connection.execute(text(_AGES), {"now": now})}
    return [found.get(bucket, 0) for bucket in range(4)]


def at_risk(connection: Connection) -> dict[str, Any]:
    """Open invoices and running contracts behind open tasks, per currency. A customer in two tasks counts twice."""
    return {row.currency: row.amount for row in connection.execute(text(_AT_RISK))}


def behind_refused(connection: Connection) -> dict[str, Any]:
    """Open invoices and running contracts behind refused messages, per currency, as they were ranked last
    (`mdm.hub.worklist.rank_refused`). A customer behind two groups counts twice."""
    return {row.currency: row.amount for row in connection.execute(text(_BEHIND_REFUSED))}


def platforms(connection: Connection) -> Sequence[dict[str, Any]]:
    """Per platform the time of its newest event that the hub holds, and when the hub last took something in."""
    return [dict(row) for row in connection.execute(text(_PLATFORMS)).mappings()]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody, beside questions: refused messages, signs of loss, decisions of two persons."""

    letters: int
    gaps: int
    proposals: int


def waiting_work(connection: Connection) -> Waiting:
    """Counts over partial indexes."""
    row = connection.execute(text(_WAITING)).one()
    return Waiting(row.letters, row.gaps, row.proposals)


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
    row = connection.execute(text(_OWN), {"actor": actor, "today": today, "week": now - timedelta(days=7)}).one()
    seconds = connection.scalar(text(_SECONDS), {"actor": actor})
    return OwnNumbers(row.today, row.week, row.decided, row.undone, None if seconds is None else float(seconds))


def own_work(connection: Connection, actor: str, now: datetime) -> OwnWork:
    """What lies with somebody."""
    row = connection.execute(text(_MINE), {"actor": actor, "now": now}).one()
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
