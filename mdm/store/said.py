"""Which rows have said something else before, found in their stored history without reading it."""

from collections.abc import Mapping, Sequence

import orjson

from mdm.model.events import Row
from mdm.model.ids import RecordId
from mdm.store.unit_of_work import UnitOfWork


def rows_that_said_else(work: UnitOfWork, rows: Mapping[RecordId, Row], columns: Sequence[str]) -> frozenset[RecordId]:
    """Those of these rows of which a stored version says something else, or nothing, in one of the columns."""
    ids = list(rows)
    now = [orjson.dumps({column: row[column] for column in columns if column in row}).decode() for row in rows.values()]
    found = work.probe(
        # Text by text: what is written alike is the same, and 1 and 1.0 are looked at.
        """select i.id from unnest(%s::bigint[], %s::text[]) as i(id, now)
           where exists (
               select from record_history h
               cross join lateral unnest(%s::text[]) as columns(name)
               where h.rec_id = i.id and h.row is not null
               and (h.row -> columns.name)::text is distinct from (i.now::json -> columns.name)::text offset 0)""",
        ids, now, list(columns),
    )  # fmt: skip
    return frozenset(RecordId(row[0]) for row in found)
