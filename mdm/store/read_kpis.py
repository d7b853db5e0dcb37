"""What the hub has kept of a period: signatures, answers, decisions, findings by day, messages."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, text

from mdm.lifecycle.close import close_of
from mdm.model.kpis import Closed, Kept, Period
from mdm.store import finding_history
from mdm.store.feed_numbers import freshness_by_platform
from mdm.store.read_coverage import orders_traced, usage_traced
from mdm.store.read_effort import effort_of

#: Answers looked at; of more, the newest. A period of them says the same.
_MOST = 100_000
_CLOSES = """
select month, reviewed_at from close_sign_off
where withdrawn_at is null and reviewed_at >= :since and reviewed_at < :until order by month
"""
_ANSWERED = """
select kind, opened_at, closed_at from steward_task
where status = 'resolved' and closed_at >= :since and closed_at < :until order by closed_at desc limit :most
"""
_DECISIONS = """
select count(*) as decisions, count(undone_by) as undone from decision
where at >= :since and at < :until and undoes is null
"""
_FINDINGS = "select findings from reconciliation_day where rule = '' and day between :first and :last order by day"
_MESSAGES = """
select coalesce(sum(messages), 0)::bigint as messages from batch
where cause = 'ingest' and committed_at >= :since and committed_at < :until
"""
_REFUSED = "select count(*) as refused from dead_letter where first_seen >= :since and first_seen < :until"


def kept_of(connection: Connection, period: Period, business_days: int) -> Kept:
    """What is known of a period; `business_days` after its end a month is due."""
    since, until = (datetime.combine(day, time.min, UTC) for day in (period.first, period.last + timedelta(days=1)))
    asked = {"since": since, "until": until}
    closes = []
    for month, reviewed_at in connection.execute(text(_CLOSES), asked):
        close = close_of(month, business_days)
        closes.append(Closed(close.last, close.due, reviewed_at.astimezone(UTC).date()))
    decisions = connection.execute(text(_DECISIONS), asked).one()
    effort = effort_of(connection, since, until)
    orders, usage = orders_traced(connection, period), usage_traced(connection, period)
    return Kept(
        closes=closes,
        answered=[
            (row.kind, row.opened_at, row.closed_at)
            for row in connection.execute(text(_ANSWERED), {**asked, "most": _MOST})
        ],
        decisions=decisions.decisions,
        undone=decisions.undone,
        findings=list(connection.scalars(text(_FINDINGS), {"first": period.first, "last": period.last})),
        messages=connection.scalars(text(_MESSAGES), asked).one(),
        refused=connection.scalars(text(_REFUSED), asked).one(),
        ended=finding_history.resolved(connection, since, until, _MOST),
        orders=orders.whole,
        orders_traced=orders.traced,
        usage=usage.whole,
        usage_traced=usage.traced,
        breaks=effort.closed + effort.explained,
        touches=effort.touches,
        hours=effort.hours,
        closed=effort.closed,
        resolved=effort.resolved,
        fresh={
            system: (each.p50, each.p99, each.changes)
            for system, each in freshness_by_platform(connection, since, until).items()
        },
    )
