"""What breaks cost: how long they stood open and whose they were, what people did about them, how much money waited.

A break is what somebody had to look at: a refused message, an exception, a question about records, a finding of
reconciliation that was explained.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from mdm.store.read_console import MOST_ADDED

#: Kinds of breaks that are told one by one, those with the most; all count in the one figure for all of them.
_MOST_KINDS = 100
_CLOSED = """
  select 'refused messages' as what, code as kind, owner, closed_at - first_seen as open, closed_at from dead_letter
  where status <> 'open' and closed_at >= :since and closed_at < :until
  union all
  select 'exceptions', code, owner, closed_at - first_seen, closed_at from exception
  where status <> 'open' and closed_at >= :since and closed_at < :until
  union all
  select 'questions', kind, domain || ' stewards', closed_at - opened_at, closed_at from steward_task
  where status = 'resolved' and closed_at >= :since and closed_at < :until
"""
_RESOLVED = f"""
select what, kind, owner, extract(epoch from percentile_cont(0.5) within group (order by open)) / 3600 as hours,
  count(*) as closed
from ({_CLOSED}) c group by grouping sets ((what, kind, owner), ())
order by count(*) desc, what, kind, owner limit :most
"""
# What people did about breaks: took them, handed them over, mended, replayed, answered, explained, closed.
_TOUCHES = """
select count(*) from audit where at >= :since and at < :until and actor <> 'hub'
  and (subject in ('finding', 'exception', 'dead letters') or subject like 'dead letter %'
    or action in ('resolved', 'accepted')
    or action like 'steward.%' and (subject like 'task %' or subject like 'proposal %' or subject like 'job %'))
"""
_EXPLAINED = "select count(*) from finding_work where explained_at >= :since and explained_at < :until"
# Amount times hours open; of refused messages by the oldest of each kind, for money is known by kind.
_QUESTIONS = """
select key as currency, sum(value::numeric * (extract(epoch from :now - opened_at) / 3600)::numeric) as impact from (
  select opened_at, amounts from task_priority order by rank desc, task_id limit :most
) urgent, jsonb_each_text(amounts) group by key
"""
_REFUSED = """
select key as currency, sum(value::numeric * (extract(epoch from :now - first_seen) / 3600)::numeric) as impact from (
  select g.first_seen, r.amounts from dead_letter_group g join dead_letter_rank r using (likeness)
  where g.share = 'all' and g.person = '' order by g.times_much desc, g.newest_id desc limit :most
) most_money, jsonb_each_text(amounts) group by key
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """What was closed in a period.

    Attributes:
        resolved: by what it was, its kind and its owner, the median hours it stood open, and how many were closed.
        hours: the median of all of them; None where nothing was closed.
        closed: how many refused messages, exceptions and questions were closed; `explained` findings come on top.
        touches: what people did about breaks.
    """

    resolved: Mapping[tuple[str, str, str], tuple[float, int]]
    hours: float | None
    closed: int
    explained: int
    touches: int


def effort_of(connection: Connection, since: datetime, until: datetime) -> Effort:
    """What was closed, and done about it, from an instant until before another one."""
    asked: dict[str, Any] = {"since": since, "until": until}
    resolved: dict[tuple[str, str, str], tuple[float, int]] = {}
    hours, closed = None, 0
    for row in connection.execute(text(_RESOLVED), asked | {"most": _MOST_KINDS + 1}):
        if row.what is not None:
            resolved[row.what, row.kind, row.owner] = (float(row.hours), row.closed)
        elif row.closed:
            hours, closed = float(row.hours), row.closed
    return Effort(
        resolved, hours, closed,
        connection.scalars(text(_EXPLAINED), asked).one(), connection.scalars(text(_TOUCHES), asked).one(),
    )  # fmt: skip


def impact_of_questions(connection: Connection, now: datetime) -> dict[str, Decimal]:
    """By currency, what hangs on open questions times the hours they have been open; of very many the most urgent."""
    rows = connection.execute(text(_QUESTIONS), {"now": now, "most": MOST_ADDED})
    return {row.currency: row.impact for row in rows}


def impact_of_refused(connection: Connection, now: datetime) -> dict[str, Decimal]:
    """By currency, what hangs on refused messages times the hours that the oldest of their kind has been open."""
    rows = connection.execute(text(_REFUSED), {"now": now, "most": MOST_ADDED})
    return {row.currency: row.impact for row in rows}
