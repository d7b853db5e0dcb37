"""Counts that the scorecard of governance rests on and that nothing else keeps."""

from datetime import datetime

from sqlalchemy import Connection, text

_MENDED = """
select count(*) filter (where case status when 'open' then :now else closed_at end <= due_at) as good,
  count(*) as of_all
from dead_letter where behind is null and first_seen >= :since
"""
_FACTS = """
select count(*) from source_record where not deleted and (kind = any(:kinds) or domain = 'contract' and :contracts)
"""


def mended_in_time(connection: Connection, since: datetime, now: datetime) -> tuple[int, int]:
    """Refused messages since an instant that were dealt with in time or are not due yet, and all of them; those that
    only waited for another one aside."""
    row = connection.execute(text(_MENDED), {"since": since, "now": now}).one()
    return row.good, row.of_all


def live_rows_of(connection: Connection, kinds: list[str], *, contracts: bool) -> int:
    """Live rows of these kinds, with the records of contracts if asked."""
    return int(connection.scalar(text(_FACTS), {"kinds": kinds, "contracts": contracts}) or 0)
