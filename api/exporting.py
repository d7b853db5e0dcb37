"""Golden records as one long answer: NDJSON, CSV or Parquet, written chunk by chunk in constant memory."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from api.masking import show_values
from mdm.access import Role, may_see
from mdm.model.canonical import ATTRIBUTES, DataClass
from mdm.model.ids import Domain
from mdm.store.read_models import GoldenRow

MEDIA_TYPES: Mapping[str, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEAD = ("id", "version", "name", "known_from", "ruleset")

Chunk = Sequence[tuple[GoldenRow, Mapping[str, Any]]]


def written(form: str, domain: Domain, chunks: Iterable[Chunk], role: Role) -> Iterator[bytes]:
    """The export in a format; each chunk holds rows with their references resolved."""
    if form == "ndjson":
        return _ndjson(domain, chunks, role)
    columns = (*_HEAD, *(attribute.name for attribute in ATTRIBUTES[domain]))
    return (_csv if form == "csv" else _parquet)(domain, columns, chunks, role)


def _ndjson(domain: Domain, chunks: Iterable[Chunk], role: Role) -> Iterator[bytes]:
    full = may_see(role, DataClass.RESTRICTED) or _sees_all(domain, role)
    for chunk in chunks:
        lines = []
        for row, values in chunk:
            if full:
                seen, masked = dict(values), list[str]()
            else:
                seen, masked = show_values(domain, values, role)
            lines.append(
                orjson.dumps(
                    {
                        "id": row.entity_id,
                        "domain": domain.value,
                        "version": row.version,
                        "name": row.name,
                        "values": seen,
                        "masked": masked,
                        "sources": row.members,
                        "known_from": row.known_from,
                        "ruleset": row.ruleset,
                    },
                    option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
                )
            )
        yield b"".join(lines)


def _csv(domain: Domain, columns: Sequence[str], chunks: Iterable[Chunk], role: Role) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for chunk in chunks:
        for record in _flat(domain, columns, chunk, role):
            writer.writerow([_harmless(record[column]) for column in columns])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()  # the header of an empty export


def _parquet(domain: Domain, columns: Sequence[str], chunks: Iterable[Chunk], role: Role) -> Iterator[bytes]:
    schema = pa.schema([(column, pa.int32() if column == "version" else pa.string()) for column in columns])
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema) as writer:
        for chunk in chunks:
            writer.write_table(pa.Table.from_pylist(list(_flat(domain, columns, chunk, role)), schema))
            yield sink.getvalue()
            sink.seek(0)
            sink.truncate()
    yield sink.getvalue()


def _flat(domain: Domain, columns: Sequence[str], chunk: Chunk, role: Role) -> Iterator[dict[str, Any]]:
    """One value a column: nested values as JSON text."""
    for row, values in chunk:
        shown = show_values(domain, values, role).values
        record = dict.fromkeys(columns)
        for name, value in shown.items():
            if name in record:
                record[name] = _text(value)
        record["id"], record["version"], record["ruleset"] = row.entity_id, row.version, row.ruleset
        record["name"], record["known_from"] = row.name, row.known_from.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        yield record


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _sees_all(domain: Domain, role: Role) -> bool:
    return all(may_see(role, attribute.data_class) for attribute in ATTRIBUTES[domain])
