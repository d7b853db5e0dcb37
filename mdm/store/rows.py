"""Streaming the mirrored rows of one table."""

from collections.abc import Iterator
from typing import Any

import orjson

from mdm.store.unit_of_work import UnitOfWork


def live_rows(work: UnitOfWork, system: str, table: str) -> Iterator[dict[str, Any]]:
    """The source columns of every live row."""
    rows = work.cursor.execute(
        "select row::text from source_record where system = %s and type = %s and not deleted and row is not null",
        (system, table),
    )
    for row in rows:
        yield orjson.loads(row[0])
