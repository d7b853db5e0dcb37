"""Who uses which version of the API and of its events: counts by the day, written many at once, told by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, text
from sqlalchemy.dialects.postgresql import insert

from mdm.store.tables_access import version_usage

#: How long uses are kept: as long as reads of golden records.
KEPT = timedelta(days=400)

_USAGE = """
select u.surface, u.version, u.pinned, u.caller, sum(u.requests) as requests, sum(u.deprecated) as deprecated,
  min(u.first_at) as first_at, max(u.last_at) as last_at, coalesce(max(k.label), max(c.name)) as label
from version_usage u
left join api_key k on k.key_id = u.caller
left join console_account c on 'user:' || c.username = u.caller
where u.day >= :since
group by u.surface, u.version, u.pinned, u.caller
order by u.surface, u.version, u.pinned desc, max(u.last_at) desc, u.caller
"""
_CONSUMERS = """
select f.name, f.owner, f.events, f.acknowledged_at, k.label
from feed_consumer f left join api_key k on k.key_id = f.owner order by f.name
"""


class Use(NamedTuple):
    """Who uses which version of what (`api`, `events`) on which day, and whether they are pinned to it."""

    day: date
    caller: str
    surface: str
    version: str
    pinned: bool


@dataclass(slots=True)
class Uses:
    """How often, how often at addresses that will end, and when first and last."""

    requests: int
    deprecated: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """What somebody used of one version, with what their key or account is called."""

    caller: str
    label: str | None
    requests: int
    deprecated: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """Who uses one version; those who are pinned to it apart from those who take what comes."""

    surface: str
    version: str
    pinned: bool
    callers: tuple[Caller, ...]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A consumer of the change feed and the version of events that it is pinned to; None takes what comes."""

    name: str
    owner: str
    label: str | None
    events: int | None
    acknowledged_at: datetime


def write_uses(connection: Connection, uses: Mapping[Use, Uses]) -> None:
    """Add counts to those that are kept. The caller commits."""
    new = insert(version_usage)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["day", "caller", "surface", "version", "pinned"],
            set_={
                "requests": version_usage.c.requests + new.excluded.requests,
                "deprecated": version_usage.c.deprecated + new.excluded.deprecated,
                "last_at": func.greatest(version_usage.c.last_at, new.excluded.last_at),
            },
        ),
        # In one order everywhere, so that two processes that write the same rows never wait for each other in a circle.
        [
            {
                **use._asdict(),
                "requests": told.requests,
                "deprecated": told.deprecated,
                "first_at": told.first_at,
                "last_at": told.last_at,
            }
            for use, told in sorted(uses.items())
        ],
    )


def forget_old_uses(connection: Connection, today: date) -> None:
    """Forget uses that are older than they are kept. The caller commits."""
    connection.execute(delete(version_usage).where(version_usage.c.day < today - KEPT))


def usage_since(connection: Connection, since: date) -> list[Usage]:
    """What was used since a day, by version; of each the latest callers first."""
    found: dict[tuple[str, str, bool], list[Caller]] = {}
    for row in connection.execute(text(_USAGE), {"since": since}):
        caller = Caller(
            row.caller, row.label, int(row.requests), int(row.deprecated), row.first_at, row.last_at
        )  # fmt: skip
        found.setdefault((row.surface, row.version, row.pinned), []).append(caller)
    return [Usage(*names, tuple(callers)) for names, callers in found.items()]


def pinned_consumers(connection: Connection) -> list[Pinned]:
    """All consumers of the change feed by name."""
    return [
        Pinned(row.name, row.owner, row.label, row.events, row.acknowledged_at)
        for row in connection.execute(text(_CONSUMERS))
    ]
