"""How far workers are behind and how fresh what they commit is: the numbers of their metrics, kept for pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from mdm.observability.quantiles import quantile
from mdm.store.reading import transient_failures

#: How long the hours of freshness are kept.
KEPT = timedelta(days=31)

_WRITE_LAG = """
insert into feed_lag as l (feed, topic, partition, system, behind, seconds, told_at)
values (:feed, :topic, :partition, :system, :behind, :seconds, :at)
on conflict (feed, topic, partition) do update
set behind = excluded.behind, seconds = excluded.seconds, told_at = excluded.told_at
"""
_WRITE_FRESHNESS = """
insert into freshness_hour as f (hour, system, entity, within, changes)
values (:hour, :system, :entity, :within, :changes)
on conflict (hour, system, entity, within) do update set changes = f.changes + excluded.changes
"""
# A partition that two feeds have read counts once, as the one says that reported last.
_LAG = """
select system, sum(behind) as behind, max(seconds) as seconds, min(told_at) as told_at from (
  select distinct on (topic, partition) system, behind, seconds, told_at from feed_lag
  order by topic, partition, told_at desc
) newest group by system
"""
_EVER = datetime.max.replace(tzinfo=UTC)
_FRESHNESS = """
select system, within, sum(changes) as changes from freshness_hour where hour >= :since and hour < :until
group by system, within order by system, within
"""


class Lag(NamedTuple):
    """How many messages a partition holds that its worker has not processed, and how old they are at most."""

    topic: str
    partition: int
    system: str
    behind: int
    seconds: float


class FreshIn(NamedTuple):
    """A bucket of the histogram of freshness within one hour; `within` is its upper bound in seconds."""

    hour: datetime
    system: str
    entity: str
    within: float


@dataclass(frozen=True, slots=True)
class FeedNumbers:
    """What a worker reports: its lag now, and the changes by freshness since its last report."""

    feed: str
    at: datetime
    lag: Sequence[Lag]
    freshness: Mapping[FreshIn, int]


@dataclass(frozen=True, slots=True)
class PlatformLag:
    """How far a platform's partitions are behind together. `told_at` is the oldest report that is in it."""

    behind: int
    seconds: float
    told_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformFreshness:
    """Seconds from the commit in the source to the commit here: of half of the changes, and of 99 in a hundred."""

    changes: int
    p50: float
    p99: float


def write_numbers(engine: Engine, numbers: FeedNumbers) -> None:
    """Keep a report, and drop hours that are over their time.

    Raises:
        TransientError: the database cannot be reached now; nothing was written.
    """
    # In one order, so that two workers wait for each other and never for ever.
    lag = [{"feed": numbers.feed, "at": numbers.at, **each._asdict()} for each in sorted(numbers.lag)]
    fresh = [{**each._asdict(), "changes": changes} for each, changes in sorted(numbers.freshness.items())]
    if not lag and not fresh:
        return
    with transient_failures(), engine.begin() as connection:
        if lag:
            connection.execute(text(_WRITE_LAG), lag)
        if fresh:
            connection.execute(text(_WRITE_FRESHNESS), fresh)
            connection.execute(text("delete from freshness_hour where hour < :before"), {"before": numbers.at - KEPT})


def lag_by_platform(connection: Connection) -> dict[str, PlatformLag]:
    """As the workers last reported; a platform that no worker reads is not in it."""
    rows = connection.execute(text(_LAG))
    return {row.system: PlatformLag(int(row.behind), row.seconds, row.told_at) for row in rows}


def freshness_by_platform(
    connection: Connection, since: datetime, until: datetime | None = None
) -> dict[str, PlatformFreshness]:
    """Of the changes that were taken in since the hour of an instant, and before another one if that is given."""
    since = since.replace(minute=0, second=0, microsecond=0)
    buckets: dict[str, list[tuple[float, int]]] = {}
    for row in connection.execute(text(_FRESHNESS), {"since": since, "until": until or _EVER}):
        buckets.setdefault(row.system, []).append((row.within, int(row.changes)))
    return {
        system: PlatformFreshness(sum(number for _, number in found), quantile(found, 0.5), quantile(found, 0.99))
        for system, found in buckets.items()
    }
