"""Everything of one kind, row by row, through a server-side cursor: exports of any size in constant memory."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select, union_all

from mdm.errors import NotFound
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.read_identity import OFFER_ROLE
from mdm.store.read_references import expand, resolve_references
from mdm.store.tables import crosswalk, entity, golden, record_alias, record_reference, source_record, table_shape

#: How PostgreSQL's COPY, and with it the exports, write a null.
NULL = r"\N"

# Rows fetched per round trip: large enough to hide the latency, small enough to stay in a few megabytes.
_CHUNK = 2000


def export_golden(connection: Connection, domain: Domain) -> Iterator[dict[str, Any]]:
    """Every current golden record of a domain by entity id, with its sources and with references resolved."""
    query = (
        select(*GOLDEN_COLUMNS)
        .where(golden.c.domain == domain.value, golden.c.known_to.is_(None))
        .order_by(golden.c.entity_id)
    )
    for chunk in _chunks(connection, query):
        rows = [golden_row(row) for row in chunk]
        entities = resolve_references(connection, ((domain, row.values) for row in rows))
        members = _members(connection, [row.entity_id for row in rows])
        for row in rows:
            yield _golden_object(row, expand(domain, row.values, entities), members.get(row.entity_id, []))


def export_crosswalk(connection: Connection, domain: Domain) -> Iterator[tuple[str, str, str, str]]:
    """(system, type, key, entity id) of every live source row of a domain, ordered by the first three.

    For products also the live offers (billing prices), which lead to the entity of their product.
    """
    name = (source_record.c.system, source_record.c.type, source_record.c.key)
    resolved = (
        select(*name, crosswalk.c.entity_id)
        .join(crosswalk, crosswalk.c.rec_id == source_record.c.rec_id)
        .where(source_record.c.domain == domain.value, source_record.c.deleted.is_(False))
    )
    query = union_all(resolved, _offers(domain)).order_by("system", "type", "key")
    for chunk in _chunks(connection, query):
        yield from ((system, type_, key, entity_id) for system, type_, key, entity_id in chunk)


def export_records(connection: Connection, system: str, type_: str) -> tuple[Sequence[str], Iterator[tuple[str, ...]]]:
    """The columns of a source table, and its live rows by key with every value as text.

    Raises:
        NotFound: the hub has met no row of this table.
    """
    columns = connection.scalar(
        select(table_shape.c.columns).where(table_shape.c.system == system, table_shape.c.type == type_)
    )
    if columns is None:
        raise NotFound(
            f"The hub has met no table {type_!r} of platform {system!r}.",
            action="See `mdm status` for the platforms and tables it knows.",
        )
    return columns, _printed_rows(connection, system, type_, columns)


def printed(value: Any) -> str:  # Any: whatever JSON can carry
    r"""A column's value as PostgreSQL prints it: `\N` for null, true and false, arrays and objects as JSON text."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _printed_float(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _printed_float(value: float) -> str:
    """PostgreSQL's float8 output: the shortest digits, an exponent from 1e15 on, no `.0`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    shortest = repr(value)
    if "e" in shortest or abs(value) < 1e15:
        return shortest.removesuffix(".0")
    digits = str(int(value)).rstrip("0").lstrip("-")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e+15"


def _printed_rows(connection: Connection, system: str, type_: str, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    query = (
        select(source_record.c["row"])
        .where(
            source_record.c.system == system,
            source_record.c.type == type_,
            source_record.c.deleted.is_(False),
            source_record.c["row"].is_not(None),
        )
        .order_by(source_record.c.key)
    )
    for chunk in _chunks(connection, query):
        for (row,) in chunk:
            # A row last written before a column was added does not mention it; its table holds null there.
            yield tuple(printed(row.get(column)) for column in columns)


def _offers(domain: Domain) -> Select[str, str, str, str]:
    """Live rows that are not resolved themselves but are an offer of something that is."""
    offer, target = source_record.alias("offer"), source_record.alias("target")
    by_key = and_(
        target.c.system == record_reference.c.system,
        target.c.type == record_reference.c.type,
        target.c.key == record_reference.c.key,
    )
    by_alias = target.c.rec_id.in_(
        select(record_alias.c.rec_id).where(
            record_alias.c.system == record_reference.c.system,
            record_alias.c.type == record_reference.c.type,
            record_alias.c.key == record_reference.c.key,
        )
    )
    return (
        select(offer.c.system, offer.c.type, offer.c.key, crosswalk.c.entity_id)
        .join(
            record_reference, and_(record_reference.c.rec_id == offer.c.rec_id, record_reference.c.role == OFFER_ROLE)
        )
        .join(target, or_(by_key, by_alias))
        .join(crosswalk, crosswalk.c.rec_id == target.c.rec_id)
        .join(entity, entity.c.entity_id == crosswalk.c.entity_id)
        .where(offer.c.deleted.is_(False), offer.c.domain.is_(None), entity.c.domain == domain.value)
        .distinct()
    )


def _members(connection: Connection, entity_ids: Sequence[EntityId]) -> Mapping[EntityId, list[CrosswalkKey]]:
    rows = connection.execute(
        select(crosswalk.c.entity_id, source_record.c.system, source_record.c.type, source_record.c.key)
        .join(source_record, source_record.c.rec_id == crosswalk.c.rec_id)
        .where(crosswalk.c.entity_id.in_(entity_ids))
        .order_by(source_record.c.system, source_record.c.type, source_record.c.key)
    )
    members: dict[EntityId, list[CrosswalkKey]] = {}
    for entity_id, *key in rows:
        members.setdefault(EntityId(entity_id), []).append(CrosswalkKey(*key))
    return members


def _golden_object(row: GoldenRow, values: Mapping[str, Any], members: Sequence[CrosswalkKey]) -> dict[str, Any]:
    return {
        "entity_id": row.entity_id,
        "domain": row.domain.value,
        "version": row.version,
        "name": row.name,
        "known_from": row.known_from.isoformat(),
        "ruleset": row.ruleset,
        "values": values,
        "sources": [member._asdict() for member in members],
    }


def _chunks(connection: Connection, query: Any) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    result = connection.execute(query, execution_options={"yield_per": _CHUNK})
    yield from result.partitions()
