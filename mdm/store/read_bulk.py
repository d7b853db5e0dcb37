"""All golden records of a domain as they were known at an instant, in the order of their ids: resumable anywhere."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Text, cast, func, or_, select

from mdm.model.ids import Domain
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.read_references import expand, references_in, referring, resolve_references
from mdm.store.scoped import visible
from mdm.store.tables import golden

_CHUNK = 2_000


def golden_at(
    connection: Connection, domain: Domain, at: datetime, after: str, limit: int | None
) -> Iterator[Sequence[tuple[GoldenRow, Mapping[str, Any]]]]:
    """Chunks of golden records known at an instant beyond an id, with their references resolved as of now."""
    query = _known(connection, select(*GOLDEN_COLUMNS), domain, at, after).order_by(golden.c.entity_id)
    if limit is not None:
        query = query.limit(limit)
    result = connection.execute(query, execution_options={"yield_per": _CHUNK})
    for chunk in result.partitions():
        rows = [golden_row(row) for row in chunk]
        if any(references_in(domain, row.values) for row in rows):
            entities = resolve_references(connection, ((domain, row.values) for row in rows))
            yield [(row, expand(domain, row.values, entities)) for row in rows]
        else:
            yield [(row, row.values) for row in rows]


def golden_text_at(
    connection: Connection, domain: Domain, at: datetime, after: str, limit: int | None
) -> Iterator[Sequence[tuple[GoldenRow, str | Mapping[str, Any]]]]:
    """`golden_at` with values as the JSON text that the database holds, wherever they name no other record.

    Most records do not, and reading a text only to write it again is most of what an export costs.
    """
    columns = [cast(golden.c["values"], Text) if each is golden.c["values"] else each for each in GOLDEN_COLUMNS]
    query = _known(connection, select(*columns), domain, at, after).order_by(golden.c.entity_id)
    if limit is not None:
        query = query.limit(limit)
    marks = [f'"{name}": ' for name in referring(domain)]
    result = connection.execute(query, execution_options={"yield_per": _CHUNK})
    for chunk in result.partitions():
        rows = [golden_row(row) for row in chunk]
        texts: list[str] = [row[4] for row in chunk]
        naming = {place for place, text in enumerate(texts) if any(mark in text for mark in marks)}
        values = {place: msgspec.json.decode(texts[place]) for place in naming}
        entities = resolve_references(connection, ((domain, each) for each in values.values()))
        yield [
            (row, expand(domain, values[place], entities) if place in naming else texts[place])
            for place, row in enumerate(rows)
        ]


def count_golden_at(connection: Connection, domain: Domain, at: datetime, after: str) -> int:
    """How many there are beyond an id."""
    return int(connection.scalar(_known(connection, select(func.count()).select_from(golden), domain, at, after)) or 0)


def last_of_part(connection: Connection, domain: Domain, at: datetime, after: str, limit: int) -> str | None:
    """The id at which a part of `limit` records ends; None when there are not more than that."""
    query = _known(connection, select(golden.c.entity_id), domain, at, after).order_by(golden.c.entity_id)
    ids = connection.scalars(query.offset(limit - 1).limit(2)).all()
    return ids[0] if len(ids) == 2 else None


def _known(
    connection: Connection,
    query: Any,
    domain: Domain,
    at: datetime,
    after: str,  # Any: of whatever is selected
) -> "Select[Any]":
    narrowed: Select[Any] = query.where(
        golden.c.domain == domain.value,
        golden.c.entity_id > after,
        golden.c.known_from <= at,
        or_(golden.c.known_to.is_(None), golden.c.known_to > at),
        *visible(connection, golden.c.entity_id),
    )
    return narrowed
