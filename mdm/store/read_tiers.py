"""How tables stand against what their tier asks for: how fresh their changes were, and what of them is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from mdm.intake.refusal import ORDER_HELD
from mdm.model.mirror import TableName

_FRESH = """
select system, entity, within, sum(changes)::bigint as changes from freshness_hour where hour >= :since group by 1, 2, 3
"""
#: Kinds of refused messages are kept with how many they are, so that nobody counts the messages themselves.
_REFUSED = """
select topic, sum(letters) filter (where code <> :held), sum(letters) filter (where code = :held) from (
  select topic, code, letters from dead_letter_group
  where share = 'all' and person = '' order by letters desc limit :most
) kinds group by 1
"""
#: No more kinds are looked at, those of most messages.
MOST_KINDS: Final = 1_000
_OVERDUE = """
select topic, count(*) from (
  select topic from dead_letter where status = 'open' and behind is null and due_at < :now order by due_at limit :most
) late group by 1
"""
#: No more of them are looked at, those that have been overdue for longest.
MOST_OVERDUE: Final = 1_000


@dataclass(frozen=True, slots=True)
class OpenRefused:
    """Open refused messages of a topic or table: those to be dealt with, those that wait for them, those that are
    overdue (of the `MOST_KINDS` largest kinds, and of `MOST_OVERDUE` of the hub).
    """

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


def open_refused(connection: Connection, now: datetime) -> Mapping[str, OpenRefused]:
    """Open refused messages by topic."""
    late = connection.execute(text(_OVERDUE), {"now": now, "most": MOST_OVERDUE})
    overdue = {topic: int(number) for topic, number in late}
    found = connection.execute(text(_REFUSED), {"held": ORDER_HELD, "most": MOST_KINDS})
    return {
        topic: OpenRefused(int(refused or 0), int(held or 0), overdue.get(topic, 0)) for topic, refused, held in found
    }
