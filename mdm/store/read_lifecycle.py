"""What reconciliation reads: all linked facts, contract records and what they were resolved to, in a few large queries.

Rows come as the hub holds them at one instant (`mdm.store.reading.snapshot`).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.model.records import Reference
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A live source row in canonical attributes."""

    key: CrosswalkKey
    kind: str
    attributes: dict[str, Any]
    references: tuple[Reference, ...]
    event_time: datetime


@dataclass(frozen=True, slots=True)
class PastRow:
    """The columns that one event of a live row brought; columns that had not changed may be missing."""

    key: CrosswalkKey
    event_time: datetime
    row: dict[str, Any]


def newest_event_time(work: UnitOfWork) -> datetime | None:
    """How far the platforms have told their story; None for an empty hub."""
    newest: datetime | None = work.query("select max(event_time) from source_record")[0][0]
    return newest


def live_facts(work: UnitOfWork, kinds: Collection[str]) -> Iterator[LiveRow]:
    """Live linked facts of these kinds."""
    return _live_rows(work, "domain is null and kind = any(%s)", list(kinds))


def contract_records(work: UnitOfWork) -> Iterator[LiveRow]:
    """Live records of contracts."""
    return _live_rows(work, "domain = %s", Domain.CONTRACT.value)


def validated_records(work: UnitOfWork) -> Iterator[LiveRow]:
    """Live customer records whose platform says whether the legal entity is validated."""
    return _live_rows(work, "domain = %s and attributes->>'validated' is not null", Domain.CUSTOMER.value)


def segments_of(work: UnitOfWork, customers: Collection[EntityId]) -> dict[EntityId, tuple[str, ...]]:
    """The segment and plan of these golden customers, where they have one."""
    rows = work.query(
        """select entity_id, array_remove(array["values"->>'segment', "values"->>'plan'], null) from golden
           where known_to is null and domain = 'customer' and entity_id = any(%s)""",
        sorted(customers),
    )
    return {EntityId(entity_id): tuple(found) for entity_id, found in rows if found}


def entities_by_name(work: UnitOfWork) -> dict[CrosswalkKey, EntityId]:
    """The entity that each key or alias of a record means; names that mean several are left out.

    A row that is gone still means the entity it belonged to last, for facts of its time go on naming it.
    """
    found: dict[CrosswalkKey, set[EntityId]] = {}
    for system, type_, key, entity_id in work.query(
        """select r.system, r.type, r.key, c.entity_id from crosswalk c join source_record r using (rec_id)
           union
           select a.system, a.type, a.key, c.entity_id from crosswalk c join record_alias a using (rec_id)"""
    ):
        found.setdefault(CrosswalkKey(system, type_, key), set()).add(EntityId(entity_id))
    names = {name: entities.pop() for name, entities in found.items() if len(entities) == 1}
    for system, type_, key, entity_id in work.query(
        """select distinct on (h.rec_id) r.system, r.type, r.key, coalesce(e.merged_into, e.entity_id)
           from crosswalk_history h
           join source_record r on r.rec_id = h.rec_id and r.deleted
           join entity e on e.entity_id = h.entity_id
           order by h.rec_id, h.until desc"""
    ):
        names.setdefault(CrosswalkKey(system, type_, key), EntityId(entity_id))
    return names


def past_rows(work: UnitOfWork, tables: Collection[tuple[str, str]]) -> Iterator[PastRow]:
    """Every version of the live rows of these tables, row by row, oldest first."""
    systems, types = [list(part) for part in zip(*tables, strict=True)] if tables else ([], [])
    for system, type_, key, event_time, text in work.query(
        """select r.system, r.type, r.key, h.event_time, h."row"::text
           from source_record r
           join unnest(%s::text[], %s::text[]) as t(system, type) on t.system = r.system and t.type = r.type
           join record_history h using (rec_id)
           where not r.deleted and h."row" is not null
           order by r.rec_id, h.pos_major, h.pos_minor, h.pos_order, h.pos_rank, h.topic, h.partition, h."offset" """,
        systems,
        types,
    ):
        yield PastRow(CrosswalkKey(system, type_, key), event_time, orjson.loads(text))


def _live_rows(work: UnitOfWork, condition: str, parameter: object) -> Iterator[LiveRow]:
    for system, type_, key, kind, attributes, references, event_time in work.query(
        f"""select system, type, key, kind, attributes::text, refs::text, event_time
            from source_record where not deleted and {condition}""",
        parameter,
    ):
        yield LiveRow(
            CrosswalkKey(system, type_, key),
            kind,
            orjson.loads(attributes or "{}"),
            tuple(Reference(role, CrosswalkKey(*target)) for role, *target in orjson.loads(references or "[]")),
            event_time,
        )
