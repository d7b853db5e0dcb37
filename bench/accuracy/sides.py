"""Files of a set as files of records: as they are, or, where a file lists pairs, each side of the pairs by itself.

    python -m bench.accuracy.sides --data FOLDER --set emm --out FOLDER

writes those that `mdm match train` and `mdm match evaluate` read, and prints the two commands.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files of records of a set, and say how it is evaluated."""
    sets: Mapping[str, Any] = yaml.safe_load((HERE / "sets.yaml").read_text("utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", required=True, type=Path, help="the folder with one folder per set")
    parser.add_argument("--set", required=True, choices=sorted(sets), help="its name")
    parser.add_argument("--out", required=True, type=Path, help="where files that are made of pairs are written")
    options = parser.parse_args(arguments)
    entry = sets[options.set]
    options.out.mkdir(parents=True, exist_ok=True)
    records = files_of(entry, options.data / entry["folder"], options.out)
    config = HERE / options.set / "mapping.yaml"
    read = ["--domain", yaml.safe_load(config.read_text("utf-8"))["domain"], "--records", ",".join(map(str, records))]
    read += ["--config", str(config)]
    truth = ["--truth", str(options.data / entry["folder"] / entry["truth"])] if "truth" in entry else []
    models = options.out / "models"
    own = ["--models", str(models)] if (config.parent / "profile.yaml").is_file() else []
    if own:
        print("mdm match train", *read, "--out", models)  # noqa: T201
    print("mdm match evaluate", *read, *truth, *own)  # noqa: T201


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


if __name__ == "__main__":
    main()
