"""How tables stand against what their tier asks for: how fresh their changes were, and what of them is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from mdm.model.mirror import TableName

_FRESH = """
select system, entity, within, sum(changes)::bigint as changes from freshness_hour where hour >= :since group by 1, 2, 3
"""
_REFUSED = """
select coalesce(system, ''), coalesce(type, ''), count(*) filter (where behind is null),
  count(*) filter (where behind is not null), count(*) filter (where behind is null and due_at < :now)
from dead_letter where status = 'open' group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class OpenRefused:
    """Open refused messages of a table: those to be dealt with, those that wait for them, those that are overdue."""

    refused: int = 0
    held: int = 0
    overdue: int = 0


def fresh_changes(connection: Connection, since: datetime) -> Mapping[TableName, Mapping[float, int]]:
    """Changes since the hour of an instant, by table and by within how many seconds they were golden."""
    found: dict[TableName, dict[float, int]] = {}
    hour = since.replace(minute=0, second=0, microsecond=0)
    for system, table, within, changes in connection.execute(text(_FRESH), {"since": hour}):
        found.setdefault((system, table), {})[within] = changes
    return found


def open_refused(connection: Connection, now: datetime) -> Mapping[TableName, OpenRefused]:
    """Open refused messages by table."""
    return {(row[0], row[1]): OpenRefused(*row[2:]) for row in connection.execute(text(_REFUSED), {"now": now})}
