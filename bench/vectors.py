"""Judge numbers of known validity: an `identifiers.csv` with the columns scheme, number, valid, and others.

Beside it may lie `gtin_cases.csv`, `ein_cases.csv` and `duns_format.csv`. Trade items and D-U-N-S numbers are judged by
the standardisers that rows of the platforms go through; python-stdnum knows no D-U-N-S numbers.

python -m bench.vectors --data DIR
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mdm.intake.standardise.identifiers import INVALID, VALID, gtin_form, parse_identifier
from mdm.onboarding.schemes import judge

Row = Mapping[str, str]


def main(arguments: Sequence[str]) -> int:
    """Print how many rows are judged as labelled and those that are not; 1 when there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with identifiers.csv")
    options = parser.parse_args(arguments)
    rows = _read(options.data / "identifiers.csv")
    start = time.perf_counter()
    wrong = [row for row in rows if judge(row["scheme"], row["number"]).valid != (row["valid"] == "1")]
    seconds = time.perf_counter() - start
    print(f"{len(rows) - len(wrong):,} of {len(rows):,} judged as labelled, {len(rows) / seconds:,.0f} a second")  # noqa: T201
    for row in wrong[:50]:
        print(f"  {row['scheme']} {row['number']}: labelled {row['valid']}")  # noqa: T201
    return 1 if wrong + beside(options.data) else 0


def beside(folder: Path) -> list[Row]:
    """Print the same about the cases that lie beside the list; those that are not judged as labelled."""
    wrong: list[Row] = []
    for file, (label, holds) in _CASES.items():
        if not (folder / file).exists():
            continue
        rows = _read(folder / file)
        found = [row for row in rows if holds(row["number"]) != (row[label] == "1")]
        print(f"{file}: {len(rows) - len(found)} of {len(rows)} judged as labelled")  # noqa: T201
        for row in found:
            print(f"  {row['number']}: labelled {row[label]} ({row['note']})")  # noqa: T201
        wrong += found
    return wrong


def _is_gtin(number: str) -> bool:
    form = gtin_form(number)
    return form is not None and form[1] == VALID


def _is_ein(number: str) -> bool:
    # By its form alone: the standardiser takes 12-3456789 for what people type to fill a field.
    return judge("us.ein", number).valid


def _is_duns(number: str) -> bool:
    # A number of eight digits is labelled wrong and may be padded: it is one whose first zero a spreadsheet dropped.
    found = parse_identifier("duns", number, None)
    return found is not None and found.state != INVALID and found.normal == "".join(filter(str.isalnum, number))


_CASES: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "gtin_cases.csv": ("check_digit_ok", _is_gtin),
    "ein_cases.csv": ("valid", _is_ein),
    "duns_format.csv": ("valid_format", _is_duns),
}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
