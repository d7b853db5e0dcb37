"""Files of a set as files of records: as they are, or, where a file lists pairs, each side of the pairs by itself."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def files_of(entry: Mapping[str, Any], folder: Path, scratch: Path) -> list[Path]:
    """The files with one record per line; those made from pairs are written to `scratch`."""
    if "sides" not in entry:
        return [folder / file for file in entry["records"]]
    found = []
    for number, side in enumerate(entry["sides"]):
        path = scratch / f"side{number}.csv"
        rows = list(_distinct(side, folder / side["file"]))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        found.append(path)
    return found


def _distinct(side: Mapping[str, Any], path: Path) -> Iterator[dict[str, str]]:
    """Each record once; a record of a pair that is not one entity (`when`) is an entity of its own."""
    seen: set[Sequence[str]] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, line in enumerate(csv.DictReader(file)):
            row = {name: line[column].removesuffix(".0") for name, column in side["columns"].items()}
            if "when" in side and line[side["when"]] != "1":
                row["entity"] = f"none {number}"
            values = tuple(row.values())
            if values not in seen:
                seen.add(values)
                yield row
