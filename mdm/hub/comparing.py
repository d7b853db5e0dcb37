"""What changed records are compared by: their own words, and what their rows said before.

Only rows of which something else than the present row counts have their history read: those that repeat the hub, and
those that have said different things in the columns whose earlier values bear witness (`mdm.core.former`).
"""

from collections.abc import Mapping, Sequence

from mdm.core.former import columns_of_witness, what_it_says
from mdm.core.own_words import as_compared
from mdm.hub.histories import arrived_in, histories_with
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import Head, MirrorDelta, TableName, Version
from mdm.model.records import SourceRecord
from mdm.store.echoes import echoes_of
from mdm.store.said import rows_that_said_else
from mdm.store.unit_of_work import UnitOfWork
from survivorship.echoes import still_echoes

Records = Mapping[RecordId, SourceRecord]


def with_comparisons(
    work: UnitOfWork, catalogue: Catalogue, delta: MirrorDelta, records: Records
) -> dict[RecordId, SourceRecord]:
    """The records of a delta that is not written yet, with the comparison forms that its history gives them."""
    marked = echoes_of(work, list(records)) if records else {}
    arrived = arrived_in(delta)
    live = [head for head in delta.heads if not head.deleted]
    asked = [head for head in live if still_echoes(records[head.rec_id].attributes, marked.get(head.rec_id, {}))]
    asked += _changed_witnesses(work, catalogue, live, arrived)
    _, whole = histories_with(work, {head.key for head in asked}, arrived)
    return dict(records) | {
        head.rec_id: as_compared(
            catalogue,
            head.key,
            head.row or {},
            records[head.rec_id],
            whole,
            marked.get(head.rec_id, {}),
        )
        for head in asked
    }


def _changed_witnesses(
    work: UnitOfWork,
    catalogue: Catalogue,
    live: Sequence[Head],
    arrived: Mapping[CrosswalkKey, Sequence[Version]],
) -> list[Head]:
    """The rows that have said, or may have said, something else before where that bears witness."""
    columns: dict[TableName, Sequence[str]] = {}
    asked: dict[TableName, list[Head]] = {}
    found: list[Head] = []
    for head in live:
        table = (head.key.system, head.key.type)
        if table not in columns:
            profile = catalogue.profile(*table)
            columns[table] = columns_of_witness(None if profile is None else profile.mapping)
        if not columns[table]:
            continue
        if _said_else(head, arrived.get(head.key, ()), columns[table]):
            found.append(head)
        else:
            asked.setdefault(table, []).append(head)
    for table, heads in asked.items():
        rows = {head.rec_id: head.row or {} for head in heads}
        different = rows_that_said_else(work, rows, columns[table])
        found += [head for head in heads if head.rec_id in different]
    return found


def _said_else(head: Head, arrived: Sequence[Version], columns: Sequence[str]) -> bool:
    now = what_it_says(head.row or {}, columns)
    return any(
        not version.unavailable.isdisjoint(columns) or what_it_says(version.row, columns) != now
        for version in arrived
        if version.row is not None
    )
