"""Whole captures of real connectors against the source tables they were taken from: do the folded rows equal them?

`python -m bench.captures DIR` takes a folder of captures with their ground truth (`SETTING.jsonl.gz` and
`ground_truth.end.jsonl.gz`, one `{"table": ..., "row": ...}` per line as PostgreSQL's `to_jsonb` prints it) and goes
through every setting that the conformance kit knows, in the order of delivery and in three others.
"""

import base64
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from mdm.hub.conformance.evidence import Rows, evidence_of
from mdm.hub.conformance.run import SETTINGS, contracts_of
from mdm.intake.catalogue import Catalogue
from mdm.intake.types import Kind
from mdm.model.ids import primary_key_text
from mdm.streams.file import FileFeed

#: Kinds whose canonical form differs from `to_jsonb` on purpose.
_NOT_COMPARED = (Kind.POINT, Kind.INTERVAL, Kind.BITS, Kind.TIMETZ)
#: Columns that a setting itself cuts or loses at the source.
_LOSSY = {
    "schemas_string_connect": ("opens_at", "created_at", "created", "changed_at"),
    "plain_double_connect": ("opens_at", "created_at", "created", "changed_at", "credit_score"),
    "plain_string_isostring": ("photo",),
}


def compare(folder: Path, name: str) -> tuple[int, dict[str, Counter[str]]]:
    """Number of source rows, and by order of delivery what differs, counted by table and column."""
    catalogue = contracts_of(SETTINGS[name])
    messages = FileFeed(folder / f"{name}.jsonl.gz").poll(10**6, 0.0)
    known = [message for message in messages if catalogue.by_topic(message.place.topic)]
    evidence = evidence_of(known, catalogue)
    orders = {
        "as delivered": evidence.rows,
        "partitions backwards": evidence.rows_of(evidence.partitions_backwards()),
        "shuffled": evidence.rows_of(evidence.shuffled(7)),
        "sent again": evidence.rows_of(evidence.sent_again()),
    }
    truth = list(_truth(folder / "ground_truth.end.jsonl.gz", catalogue))
    return len(truth), {order: _differences(name, truth, rows, catalogue) for order, rows in orders.items()}


def _truth(file: Path, catalogue: Catalogue) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        entry = json.loads(line, parse_float=Decimal)
        system, table = entry["table"].split(".")
        profile = catalogue.profile(system, table)
        if profile is not None and profile.contract.primary_key:
            yield system, table, entry["row"]


def _differences(
    name: str, truth: list[tuple[str, str, dict[str, Any]]], rows: Rows, catalogue: Catalogue
) -> Counter[str]:
    found: Counter[str] = Counter()
    expected = set()
    for system, table, row in truth:
        profile = catalogue.profile(system, table)
        assert profile is not None
        key = primary_key_text(row, profile.contract.primary_key)
        expected.add((system, table, key))
        mine = next((rows[each] for each in [_key(rows, system, table, key)] if each is not None), None)
        if mine is None:
            found[f"{system}.{table}: row missing"] += 1
            continue
        for column, contract in profile.contract.columns.items():
            if column not in row or contract.type.kind in _NOT_COMPARED or column in _LOSSY.get(name, ()):
                continue
            if column not in mine:
                # Added by DDL after the row's last event: PostgreSQL sends nothing, so the hub knows that it knows not.
                found.update([f"{system}.{table}.{column} unknown"] if row[column] is not None else [])
            elif _plain(contract.type.kind, row[column]) != _plain(contract.type.kind, mine.get(column)):
                found[f"{system}.{table}.{column}"] += 1
    extra = {(key.system, key.type, key.key) for key in rows} - expected
    found.update(f"{system}.{table}: row too many" for system, table, _ in extra)
    return found


def _key(rows: Rows, system: str, table: str, key: str) -> Any:  # Any: a crosswalk key or None
    wanted = (system, table, key)
    return wanted if wanted in rows else None


def _plain(kind: Kind, value: Any) -> Any:  # Any: one JSON value in either form
    if value is None:
        return None
    if kind is Kind.BYTES:
        text = str(value)
        return bytes.fromhex(text[2:]) if text.startswith("\\x") else base64.b64decode(text)
    if kind in (Kind.DECIMAL, Kind.FLOAT, Kind.INTEGER, Kind.UNSIGNED):
        try:
            number = Decimal(re.sub(r"[$,]", "", str(value)))
        except InvalidOperation:
            return str(value)
        return float(f"{number:.6g}") if kind is Kind.FLOAT else number
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        text = re.sub(r"(\.\d+)", lambda match: match[1][:7].ljust(7, "0"), str(value)).replace("Z", "+00:00")
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=None) if kind is Kind.TIMESTAMP else at
    if kind is Kind.TIME:
        return str(value).rstrip("Z").ljust(15, "0") if "." in str(value) else f"{value}.000000".replace("Z", "")
    if kind is Kind.JSON and isinstance(value, str):
        return json.loads(value, parse_float=Decimal)
    return value


def main() -> None:
    """Compare every setting of a folder and print one line for each order of delivery."""
    folder, broken = Path(sys.argv[1]), 0
    for name in SETTINGS:
        if (folder / f"{name}.jsonl.gz").exists() and SETTINGS[name].refused == "":
            number, orders = compare(folder, name)
            for order, differences in orders.items():
                broken += any(not what.endswith(" unknown") for what in differences)
                told = ", ".join(f"{count} x {what}" for what, count in differences.most_common(6)) or "equal"
                print(f"{name:<28} {order:<22} {number:,} source rows: {told}")  # noqa: T201
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
