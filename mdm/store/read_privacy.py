"""Requests of erasure as a list, and source rows that could be a subject's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request without its plan."""

    erasure_id: int
    status: str
    reason: str
    rows: int
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str


def requests(connection: Connection, before: int | None, limit: int) -> Sequence[RequestLine]:
    """Up to `limit` requests older than `before`, the newest first."""
    rows = connection.execute(
        text(
            """select erasure_id, status, reason, cardinality(records), requested_by, requested_at, decided_by,
                   decided_at, comment
               from erasure where cast(:before as bigint) is null or erasure_id < :before
               order by erasure_id desc limit :limit"""
        ),
        {"before": before, "limit": limit},
    )
    return [RequestLine(*row) for row in rows]
