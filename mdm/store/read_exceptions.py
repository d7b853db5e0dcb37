"""What could not be processed, for the people who must act."""

from typing import Any

from sqlalchemy import Connection, text

_DEAD_LETTERS = """
select dead_letter_id as id, topic || '/' || partition || '/' || "offset" as place, code, reason, action, owner, seen,
  first_seen, last_seen
from dead_letter where status = 'open' order by last_seen desc, dead_letter_id desc limit :limit
"""
_EXCEPTIONS = """
select exception_id as id, kind, system || '.' || type as table, code, detail, owner, seen, place, first_seen, last_seen
from exception where status = 'open' order by last_seen desc, exception_id desc limit :limit
"""


def open_dead_letters(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Open dead letters, newest first, without their payload."""
    return [dict(row) for row in connection.execute(text(_DEAD_LETTERS), {"limit": limit}).mappings()]


def open_exceptions(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Open exceptions, newest first."""
    return [dict(row) for row in connection.execute(text(_EXCEPTIONS), {"limit": limit}).mappings()]
