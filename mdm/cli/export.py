"""Commands that write files: golden records, crosswalks, source rows."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from mdm.cli.context import hub
from mdm.errors import OperatorError
from mdm.model.canonical import ATTRIBUTES, EXTENSION
from mdm.model.cells import harmless
from mdm.model.ids import Domain
from mdm.store import read_export

export = typer.Typer(no_args_is_help=True)

_OUTPUT = typer.Option(None, "--output", "-o", help="File to write; default standard output.")

_JSON = typer.Option(False, "--json", help="One JSON object per line, whatever --format says.")

#: Golden records per Parquet row group.
_ROW_GROUP = 5_000


class Format(StrEnum):
    """Formats of `export golden`."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


class TableFormat(StrEnum):
    """Formats of tabular exports."""

    CSV = "csv"
    JSON = "json"


@export.command("golden")
def golden(
    domain: Domain = typer.Option(..., help="customer, contract or product."),
    output_format: Format = typer.Option(Format.NDJSON, "--format", help="ndjson, csv or parquet."),
    output: Path | None = _OUTPUT,
    as_json: bool = _JSON,
) -> None:
    """Current golden records. CSV and Parquet carry nested values as JSON text.

    In CSV, a text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    with hub() as opened, opened.engine.connect() as connection, _target(output) as target:
        rows = read_export.export_golden(connection, domain)
        if as_json or output_format is Format.NDJSON:
            for row in rows:
                target.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        elif output_format is Format.CSV:
            cells = (list(map(harmless, each)) for each in _flat(domain, rows))
            _write_csv(target, _golden_columns(domain), cells)
        else:
            if output is None and sys.stdout.isatty():
                raise OperatorError("Parquet cannot be written to a terminal.", action="Name a file with --output.")
            _write_parquet(target, _golden_columns(domain), _flat(domain, rows))


@export.command("crosswalk")
def crosswalk(
    domain: Domain = typer.Option(..., help="customer, contract or product."),
    output_format: TableFormat = typer.Option(TableFormat.CSV, "--format", help="csv or json."),
    output: Path | None = _OUTPUT,
    as_json: bool = _JSON,
) -> None:
    """Which entity every live source record belongs to: system, type, key, entity_id.

    Billing prices are listed with the product that they are offers of.
    """
    columns = ("system", "type", "key", "entity_id")
    with hub() as opened, opened.engine.connect() as connection, _target(output) as target:
        _write_table(
            target,
            TableFormat.JSON if as_json else output_format,
            columns,
            read_export.export_crosswalk(connection, domain),
        )


@export.command("records")
def records(
    system: str = typer.Option(..., help="Platform, e.g. crm."),
    record_type: str = typer.Option(..., "--type", help="Source table, e.g. account."),
    output_format: TableFormat = typer.Option(TableFormat.CSV, "--format", help="csv or json."),
    output: Path | None = _OUTPUT,
    as_json: bool = _JSON,
) -> None:
    """Current rows of a source table as the hub holds them; NULL is \\N."""
    with hub() as opened, opened.engine.connect() as connection, _target(output) as target:
        columns, rows = read_export.export_records(connection, system, record_type)
        _write_table(target, TableFormat.JSON if as_json else output_format, columns, rows)


_HEAD = ("entity_id", "version", "name", "known_from")


def _golden_columns(domain: Domain) -> list[str]:
    return [*_HEAD, *(f"values.{each.name}" for each in (*ATTRIBUTES[domain], EXTENSION)), "sources"]


def _flat(domain: Domain, rows: Iterable[dict[str, Any]]) -> Iterator[list[str | None]]:
    """Golden records as rows of text: one column per canonical attribute, nested values as JSON."""
    for row in rows:
        values = row["values"]
        cells = [row.get(name) for name in _HEAD]
        cells += [values.get(attribute.name) for attribute in (*ATTRIBUTES[domain], EXTENSION)]
        yield [_text(cell) for cell in (*cells, row.get("sources"))]


def _text(value: Any) -> str | None:  # Any: whatever JSON can carry
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """The file to write, complete or not at all; standard output otherwise."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():
        with output.open("wb") as target:  # a pipe or a device: what is written there is not exchanged afterwards
            yield target
        return
    partial = output.with_name(output.name + ".part")
    with partial.open("wb") as target:
        yield target
    partial.replace(output)


def _write_table(target: BinaryIO, form: TableFormat, columns: Iterable[str], rows: Iterable[Any]) -> None:
    if form is TableFormat.CSV:
        _write_csv(target, columns, rows)
        return
    names = list(columns)
    for row in rows:
        target.write(orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE))


class _Lines:
    """A text sink for the csv module on a binary file."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def write(self, text: str) -> int:
        return self._target.write(text.encode())


def _write_csv(target: BinaryIO, columns: Iterable[str], rows: Iterable[Any]) -> None:
    writer = csv.writer(_Lines(target), lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _write_parquet(target: BinaryIO, columns: Iterable[str], rows: Iterable[Any]) -> None:
    names = list(columns)
    schema = pa.schema([(name, pa.string()) for name in names])
    with pq.ParquetWriter(target, schema) as writer:
        chunk: list[Any] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == _ROW_GROUP:
                writer.write_table(_arrow(names, chunk, schema))
                chunk = []
        writer.write_table(_arrow(names, chunk, schema))


def _arrow(names: list[str], rows: list[Any], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.Table.from_arrays([pa.array(list(column), pa.string()) for column in columns], schema=schema)
