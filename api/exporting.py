"""Golden records as one long answer: NDJSON, CSV or Parquet, written chunk by chunk in constant memory."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from api.masking import show_name, show_values
from mdm.access import Eyes, may_see
from mdm.model.canonical import ATTRIBUTES, EXTENSION
from mdm.model.cells import harmless
from mdm.model.ids import Domain
from mdm.store.read_models import GoldenRow

MEDIA_TYPES: Mapping[str, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
#: Named so that no attribute is called the same.
_HEAD = ("id", "record_version", "display_name", "known_from", "ruleset")

Chunk = Sequence[tuple[GoldenRow, Mapping[str, Any]]]


def written(form: str, domain: Domain, chunks: Iterable[Chunk], eyes: Eyes) -> Iterator[bytes]:
    """The export in a format; each chunk holds rows with their references resolved."""
    if form == "ndjson":
        return _ndjson(domain, chunks, eyes)
    columns = (*_HEAD, *(attribute.name for attribute in (*ATTRIBUTES[domain], EXTENSION)))
    return (_csv if form == "csv" else _parquet)(domain, columns, chunks, eyes)


def ndjson_of_texts(
    domain: Domain, chunks: Iterable[Sequence[tuple[GoldenRow, str | Mapping[str, Any]]]]
) -> Iterator[bytes]:
    """NDJSON for those who see everything: values that are JSON text already are passed on as they are."""
    for chunk in chunks:
        yield b"".join(
            _line(domain, row, orjson.Fragment(values) if isinstance(values, str) else values, ())
            for row, values in chunk
        )


def _ndjson(domain: Domain, chunks: Iterable[Chunk], eyes: Eyes) -> Iterator[bytes]:
    for chunk in chunks:
        shown = [(row, show_values(domain, values, eyes)) for row, values in chunk]
        yield b"".join(
            _line(domain, row, each.values, each.masked, show_name(domain, row.name, eyes)) for row, each in shown
        )


def _line(domain: Domain, row: GoldenRow, values: Any, masked: Sequence[str], name: str | None = None) -> bytes:
    return orjson.dumps(
        {
            "id": row.entity_id,
            "domain": domain.value,
            "version": row.version,
            "name": row.name if name is None else name,
            "values": values,
            "masked": masked,
            "sources": row.members,
            "known_from": row.known_from,
            "ruleset": row.ruleset,
        },
        option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
    )


def _csv(domain: Domain, columns: Sequence[str], chunks: Iterable[Chunk], eyes: Eyes) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for chunk in chunks:
        for record in _flat(domain, columns, chunk, eyes):
            writer.writerow([harmless(record[column]) for column in columns])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()  # the header of an empty export


def _parquet(domain: Domain, columns: Sequence[str], chunks: Iterable[Chunk], eyes: Eyes) -> Iterator[bytes]:
    schema = pa.schema([(column, pa.int32() if column == "record_version" else pa.string()) for column in columns])
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema) as writer:
        for chunk in chunks:
            writer.write_table(pa.Table.from_pylist(list(_flat(domain, columns, chunk, eyes)), schema))
            yield sink.getvalue()
            sink.seek(0)
            sink.truncate()
    yield sink.getvalue()


def _flat(domain: Domain, columns: Sequence[str], chunk: Chunk, eyes: Eyes) -> Iterator[dict[str, Any]]:
    """One value a column: nested values as JSON text."""
    for row, values in chunk:
        shown = show_values(domain, values, eyes).values
        record = dict.fromkeys(columns)
        for name, value in shown.items():
            if name in record:
                record[name] = _text(value)
        record["id"], record["record_version"], record["ruleset"] = row.entity_id, row.version, row.ruleset
        record["display_name"], record["known_from"] = (
            show_name(domain, row.name, eyes),
            row.known_from.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        yield record


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def sees_all(domain: Domain, eyes: Eyes) -> bool:
    """Whether nothing is hidden from these eyes."""
    return all(may_see(eyes, attribute.data_class) for attribute in (*ATTRIBUTES[domain], EXTENSION))
