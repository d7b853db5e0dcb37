"""Which statements of records are echoes of golden values: stored when they arrive, read with the records."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from mdm.model.ids import EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Published:
    """The golden version of a record's entity that was current at an instant."""

    golden: Mapping[str, Any]
    lineage: Mapping[str, Any]


def published_at(
    work: UnitOfWork, changed: Mapping[RecordId, datetime], homes: Mapping[RecordId, EntityId]
) -> dict[RecordId, Published]:
    """What the hub had published of each record's entity when the record changed; absent where nothing.

    Args:
        homes: the entities of records that need not be a member of one now.
    """
    rows = work.query(
        """select i.id, g."values"::text, g.lineage::text
           from unnest(%s::bigint[], %s::timestamptz[], %s::text[]) as i(id, at, home)
           cross join lateral (
               select entity_id from crosswalk where rec_id = i.id and i.home is null
               union all select i.home where i.home is not null offset 0) c
           cross join lateral (
               select "values", lineage from golden
               where entity_id = c.entity_id and known_from <= i.at and (known_to is null or known_to > i.at)
               order by version desc limit 1) g""",
        list(changed),
        list(changed.values()),
        [homes.get(rec) for rec in changed],
    )
    return {RecordId(row[0]): Published(orjson.loads(row[1]), orjson.loads(row[2])) for row in rows}


def write_echoes(work: UnitOfWork, arrived: Collection[RecordId], found: Mapping[RecordId, Mapping[str, str]]) -> None:
    """Replace what is known of the records that arrived."""
    if not arrived:
        return
    work.execute("delete from echo where rec_id = any(%s)", list(arrived))
    work.copy("echo", ("rec_id", "attribute", "said", "batch_id"), _rows(work, found))


def echoes_of(work: UnitOfWork, ids: Collection[RecordId] | None = None) -> dict[RecordId, dict[str, str]]:
    """Marked statements by record and attribute: of these records, or of all."""
    rows = (
        work.query("select rec_id, attribute, said from echo")
        if ids is None
        else work.query("select rec_id, attribute, said from echo where rec_id = any(%s)", list(ids))
    )
    marked: dict[RecordId, dict[str, str]] = {}
    for rec_id, attribute, said in rows:
        marked.setdefault(RecordId(rec_id), {})[attribute] = said
    return marked


def _rows(work: UnitOfWork, found: Mapping[RecordId, Mapping[str, str]]) -> Iterable[tuple[object, ...]]:
    return (
        (rec_id, attribute, said, work.batch_id)
        for rec_id, marks in sorted(found.items())
        for attribute, said in sorted(marks.items())
    )
