"""Which statements of records are echoes of golden values: stored when they arrive, read with the records."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mdm.model.ids import CrosswalkKey, RecordId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Arrival:
    """A changed record of a platform that reads the hub, and the golden version that was current when it changed."""

    rec_id: RecordId
    key: CrosswalkKey
    attributes: Mapping[str, Any]
    golden: Mapping[str, Any]
    lineage: Mapping[str, Any]


def arrivals(work: UnitOfWork, ids: Collection[RecordId], systems: Collection[str]) -> list[Arrival]:
    """These records, as far as they are of such a platform and the hub had published their entity before."""
    rows = work.query(
        """select i.id, r.system, r.type, r.key, r.attributes, g."values"::text, g.lineage::text
           from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select system, type, key, attributes::text, event_time from source_record
               where rec_id = i.id and system = any(%s) and not deleted offset 0) r
           cross join lateral (select entity_id from crosswalk where rec_id = i.id offset 0) c
           cross join lateral (
               select "values", lineage from golden
               where entity_id = c.entity_id and known_from <= r.event_time
                 and (known_to is null or known_to > r.event_time)
               order by version desc limit 1) g""",
        list(ids),
        list(systems),
    )
    return [
        Arrival(RecordId(row[0]), CrosswalkKey(*row[1:4]), *(orjson.loads(part) for part in row[4:])) for row in rows
    ]


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
