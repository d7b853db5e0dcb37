"""Sanctions lists as files, in two common shapes: OpenSanctions' `targets.simple.csv` and OFAC's `sdn.csv`.

No list ships with the hub: which lists apply, and under which licence, is for the company to say.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdm.errors import OperatorError

_OPEN_SANCTIONS = {"id", "schema", "name", "aliases", "countries"}
_NOTHING = "-0-"


@dataclass(frozen=True, slots=True)
class ListedName:
    """One name of an entry; an entry with aliases gives several. Countries as the list writes them, upper case."""

    entry: str
    name: str
    countries: tuple[str, ...]


def read_sanctions(file: Path) -> Iterator[ListedName]:
    """The names of a list, one by one.

    Raises:
        OperatorError: the file has neither shape.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            first = next(reader, [])
            if set(first) >= _OPEN_SANCTIONS:
                yield from _open_sanctions(first, reader)
            elif len(first) == 12 and first[0].strip().isdigit():
                yield from _ofac(first, reader)
            else:
                raise OperatorError(
                    f"{file} has neither the shape of OpenSanctions' targets.simple.csv nor that of OFAC's sdn.csv.",
                    action="Convert the list to a CSV with the columns id, schema, name, aliases, countries.",
                )
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise OperatorError(f"{file} cannot be read: {fault}.", action="Give the list as a CSV file.") from fault


def _open_sanctions(header: list[str], rows: Iterator[list[str]]) -> Iterator[ListedName]:
    for values in rows:
        row = dict(zip(header, values, strict=False))
        if not values:
            continue
        if not {"id", "name"} <= row.keys():
            raise OperatorError(
                f"A line of the list has {len(values)} values and names nobody: {values[0][:40]!r}.",
                action="Get the list again: a line was cut off.",
            )
        countries = tuple(each.strip().upper() for each in row.get("countries", "").split(";") if each.strip())
        for name in dict.fromkeys([row["name"], *row.get("aliases", "").split(";")]):
            if text := name.strip().strip('"'):
                yield ListedName(row["id"], text, countries)


def _ofac(first: list[str], rows: Iterator[list[str]]) -> Iterator[ListedName]:
    for row in (first, *rows):
        values = [each.strip() for each in row]
        if len(values) < 4 or not values[0].isdigit():
            continue
        countries = () if values[3] == _NOTHING else (values[3].upper(),)
        yield ListedName(values[0], values[1], countries)
        for remark in values[-1].split(";"):
            if remark.strip().startswith("a.k.a."):
                yield ListedName(values[0], remark.strip()[6:].strip(" '.\""), countries)
