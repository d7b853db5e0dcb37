"""Postings from a file: JSON as the API takes it, or CSV with a row for each line. Faults name posting or line."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.present_postings import planned
from api.schemas.postings import MOST_LINES, GivenPosting, GivenPostingLine
from mdm.errors import Invalid
from mdm.lifecycle.prepost import PlannedPosting

_HEADER = ("company_code", "posting_date", "currency", "partner", "customer")
_LINE = ("account", "product", "amount", "tax_code")
#: The names that ERP's own table has for them.
_ALSO: Mapping[str, str] = {
    "journal_entry": "reference",
    "bp_number": "partner",
    "gl_account": "account",
    "item_code": "product",
}
#: What that table says besides, of which the check makes nothing.
_BESIDE = frozenset({"line_no", "invoice_ref", "status", "reject_reason", "created_at"})
#: The first is meant where the columns' names do not tell.
_DELIMITERS = ",;\t"
_COLUMNS = ("reference", *_HEADER, *_LINE)
_ADVICE = "docs/erp.md shows what such a file holds."


def read_postings(file: Path) -> list[PlannedPosting]:
    """The postings of a file, in its order; a file that ends in .csv is CSV, any other JSON.

    Raises:
        Invalid: it cannot be read, holds no posting, or one is not what it should be; says which and why.
    """
    try:
        written = file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as fault:
        raise Invalid(f"{file} cannot be read ({type(fault).__name__}).", action="Name a file in UTF-8.") from fault
    given = _of_csv(written, file) if file.suffix.lower() == ".csv" else _of_json(written, file)
    if not given:
        raise Invalid(f"{file} holds no posting.", action=_ADVICE)
    return [_read(each, f"{file}, {place}") for place, each in given]


def _of_json(written: str, file: Path) -> list[tuple[str, Any]]:
    try:
        document = json.loads(written)
    except (ValueError, RecursionError) as fault:
        raise Invalid(f"{file} is no JSON: {fault}.", action=_ADVICE) from fault
    if isinstance(document, dict) and set(document) == {"postings"}:
        document = document["postings"]
    if not isinstance(document, list):
        raise Invalid(f"{file} is neither a list of postings nor an object with `postings`.", action=_ADVICE)
    return [(f"posting {number}", each) for number, each in enumerate(document, 1)]


def _of_csv(written: str, file: Path) -> list[tuple[str, Any]]:
    """Rows of one reference are one posting, wherever they stand; empty cells are not stated."""
    delimiter = max(_DELIMITERS, key=written.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(written, newline=""), strict=True, delimiter=delimiter)
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    try:
        columns = [_ALSO.get(name.strip(), name.strip()) for name in next(reader, [])]
        _check_columns(columns, file)
        for cells in reader:
            place = f"line {reader.line_num}"
            if not any(cells):
                continue
            if len(cells) != len(columns):
                message = f"{file}, {place}: {len(cells)} cells, and there are {len(columns)} columns."
                raise Invalid(message, action=_ADVICE)
            row = {name: cell for name, cell in zip(columns, cells, strict=True) if cell and name not in _BESIDE}
            _add(found, row, f"{file}, {place}", place)
    except csv.Error as fault:
        raise Invalid(f"{file}, line {reader.line_num}: {fault}.", action=_ADVICE) from fault
    return list(found.values())


def _check_columns(columns: Sequence[str], file: Path) -> None:
    unknown = [name for name in columns if name not in _COLUMNS and name not in _BESIDE]
    twice = [name for name in _COLUMNS if columns.count(name) > 1]
    if unknown or twice or "reference" not in columns:
        what = (
            f"no column {unknown[0]!r} is known" if unknown
            else f"the column {twice[0]} stands there twice" if twice
            else "there is no column reference"
        )  # fmt: skip
        raise Invalid(f"{file}, line 1: {what}.", action=f"Columns are {', '.join(_COLUMNS)}.")


def _add(found: dict[str, tuple[str, dict[str, Any]]], row: Mapping[str, str], where: str, place: str) -> None:
    reference = row.get("reference")
    if reference is None:
        raise Invalid(f"{where}: the row has no reference.", action="Rows of one reference are one posting.")
    header = {name: row[name] for name in _HEADER if name in row}
    _, posting = found.setdefault(reference, (place, {"reference": reference, **header, "lines": []}))
    for name in _HEADER:
        if posting.get(name) != header.get(name):
            raise Invalid(f"{where}: {reference} has another {name} above.", action="Let all rows of it say the same.")
    posting["lines"].append({name: row[name] for name in _LINE if name in row})


def _read(given: Any, where: str) -> PlannedPosting:
    try:
        return planned(GivenPosting.model_validate(given))
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        at = "/".join(map(str, first["loc"]))
        known = GivenPostingLine if "lines" in first["loc"] and first["type"] == "extra_forbidden" else GivenPosting
        advice = f"It has {', '.join(known.model_fields)}; at most {MOST_LINES} lines."
        raise Invalid(f"{where}: {at or 'posting'}: {first['msg']}.", action=advice) from fault
