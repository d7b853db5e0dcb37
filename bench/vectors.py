"""Judge numbers of known validity: every row of an `identifiers.csv` with the columns scheme, number, valid.

python -m bench.vectors --data DIR
"""

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mdm.onboarding.schemes import judge


def main(arguments: Sequence[str]) -> int:
    """Print how many rows are judged as labelled and those that are not; 1 when there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with identifiers.csv")
    options = parser.parse_args(arguments)
    with (options.data / "identifiers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    start = time.perf_counter()
    wrong = [row for row in rows if judge(row["scheme"], row["number"]).valid != (row["valid"] == "1")]
    seconds = time.perf_counter() - start
    print(f"{len(rows) - len(wrong):,} of {len(rows):,} judged as labelled, {len(rows) / seconds:,.0f} a second")  # noqa: T201
    for row in wrong[:50]:
        print(f"  {row['scheme']} {row['number']}: labelled {row['valid']}")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
