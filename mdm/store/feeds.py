"""What operators ask of feeds: hold them, and let them go again. The workers look here between two units of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from mdm.store.reading import transient_failures
from mdm.store.tables import feed_position
from mdm.store.tables_streams import feed_control
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class FeedState:
    """One feed: whether it is held, by whom and why, and what it has read."""

    feed: str
    paused: bool
    reason: str
    actor: str
    since: datetime | None
    partitions: int
    #: The commit of the newest unit of work of this feed.
    moved_at: datetime | None


def is_paused(engine: Engine, feed: str) -> bool:
    """Whether an operator holds this feed.

    Raises:
        TransientError: the database cannot be reached now.
    """
    with transient_failures(), engine.connect() as connection:
        return bool(connection.scalar(select(feed_control.c.paused).where(feed_control.c.feed == feed)))


def write_pause(work: UnitOfWork, feed: str, paused: bool, actor: str, reason: str) -> bool:
    """Hold a feed or let it go; returns whether that changed anything."""
    changed = work.execute(
        """insert into feed_control as c (feed, paused, reason, actor, since) values (%s, %s, %s, %s, %s)
           on conflict (feed) do update set paused = excluded.paused, reason = excluded.reason,
               actor = excluded.actor, since = excluded.since
           where c.paused <> excluded.paused""",
        feed, paused, reason, actor, work.now,
    )  # fmt: skip
    return changed > 0


def feed_states(connection: Connection) -> Sequence[FeedState]:
    """Every feed that was ever read or held, by name."""
    read = (
        select(feed_position.c.feed, func.count().label("partitions"), func.max(feed_position.c.updated_at).label("at"))
        .group_by(feed_position.c.feed)
        .subquery()
    )
    rows = connection.execute(
        select(
            func.coalesce(read.c.feed, feed_control.c.feed).label("feed"),
            func.coalesce(feed_control.c.paused, False).label("paused"),
            func.coalesce(feed_control.c.reason, "").label("reason"),
            func.coalesce(feed_control.c.actor, "").label("actor"),
            feed_control.c.since,
            func.coalesce(read.c.partitions, 0).label("partitions"),
            read.c.at,
        )
        .select_from(read.join(feed_control, read.c.feed == feed_control.c.feed, full=True))
        .order_by("feed")
    )
    return [FeedState(*row) for row in rows]
