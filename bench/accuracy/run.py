"""How right the matching engine is on public sets, beside Splink's defaults on the same records in the same run.

python -m bench.accuracy.run --data FOLDER [--sets abt_buy,patstat] [--labels] [--out FOLDER]
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import yaml

from bench.accuracy.naive import best_of_one_similarity
from bench.accuracy.peer import splink_by_default
from bench.accuracy.sides import files_of
from matching.assessment import Assessment, assess
from matching.batch import open_pairs
from matching.model import MatchModel, load_model
from matching.training.stores import Store
from matching.training.thresholds import Aim
from matching.training.train import Options, train
from mdm.errors import OperatorError
from mdm.hub.assessment_page import assessment_json, assessment_page, describe_row
from mdm.hub.tabular import Table, profile_of, read_table

HERE = Path(__file__).parent
_HEAD = (
    "set", "records", "candidates", "ours F1", "B3", "P", "R", "from", "best F1", "off", "Splink F1", "its best",
    "naive", "s", "Splink s", "published",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", required=True, type=Path, help="the folder with one folder per set")
    parser.add_argument("--sets", help="names, comma-separated; all unless said")
    parser.add_argument(
        "--labels",
        action="store_true",
        help="train on half of the entities, with a threshold chosen for them (--aim best) where there are labels "
        "enough, and measure on the others",
    )
    parser.add_argument("--out", type=Path, help="write a page and the figures of each set there")
    options = parser.parse_args(arguments)
    sets: Mapping[str, Any] = yaml.safe_load((HERE / "sets.yaml").read_text("utf-8"))
    _line(_HEAD)
    named = options.sets.split(",") if options.sets else list(sets)
    for name in named:
        if not sets[name].get("distinct"):
            _line(_measure(name, sets[name], options.data, options.labels, options.out))
    for name in named:
        if sets[name].get("distinct"):
            table = read_table(
                files_of(sets[name], options.data / sets[name]["folder"], HERE), HERE / name / "mapping.yaml"
            )
            sys.stdout.write(f"{name}: {wrong_joins(table)}\n")
    sys.stdout.write("* measured here, on the pairs that this engine compared; the others stand in the sets' READMEs\n")


def _line(cells: Sequence[object]) -> None:
    sys.stdout.write(" | ".join(map(str, cells)) + "\n")
    sys.stdout.flush()


def _measure(name: str, entry: Mapping[str, Any], data: Path, labels: bool, out: Path | None) -> list[object]:
    folder = data / entry["folder"]
    truth = folder / entry["truth"] if "truth" in entry else None
    with TemporaryDirectory() as scratch:
        table = read_table(files_of(entry, folder, Path(scratch)), HERE / name / "mapping.yaml", truth)
    places = [at for at, entity in enumerate(table.entities) if _chosen(entity, int(entry.get("sample", 1)))]
    learned = [at for at in places if not labels or _half(table.entities[at], entry)]
    judged = [at for at in places if not labels or not _half(table.entities[at], entry)]
    started = time.perf_counter()
    model = train_on(table, learned, labels)
    tried = (-4.0, -2.0, 0.0, 2.0)
    records, entities = [table.comparisons[at] for at in judged], [table.entities[at] for at in judged]
    found = assess(model, records, entities, tried)
    middle = time.perf_counter()
    rows = [table.rows[at] for at in judged]
    peers = splink_by_default(entry["splink"], rows, [table.names[at].split(":")[0] for at in judged], entities)
    seconds = f"{middle - started:.0f}", f"{time.perf_counter() - middle:.0f}"
    naive = entry.get("naive")
    if naive is None:
        texts = [" ".join(row.get(column, "") for column in entry["splink"]["comparisons"]) for row in rows]
        naive = f"{best_of_one_similarity(texts, entities, open_pairs(model, records)):.3f}*"
    if out is not None:
        _write(out, name, found, [table.names[at] for at in judged], rows)
    beside = [f"{peer.pairs.quality.f1:.3f}" for peer in peers]
    return [*_figures(name, found, model.thresholds.match), *beside, naive, *seconds, entry["published"]]


def wrong_joins(table: Table) -> str:
    """A sentence about what the model that ships joins of records of which no two are one entity: all of it wrongly."""
    found = assess(load_model(table.mapping.domain), table.comparisons, table.entities, ())
    assert found.operating.true_entities == found.records
    report = found.operating
    return (
        f"{found.records:,} records, each an entity of its own, {found.candidates:,} pairs compared; "
        f"{report.mixed_records:,} are joined wrongly, in {report.mixed_clusters:,} entities of at most "
        f"{report.largest_cluster}; {found.questions.pairs:,} pairs are asked about"
    )


def _note(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def _half(entity: object, entry: Mapping[str, Any]) -> int:
    """Which half an entity belongs to; of a sample, too, which is chosen by the same number."""
    return crc32(str(entity).encode()) // int(entry.get("sample", 1)) % 2


def _chosen(entity: object, sample: int) -> bool:
    return sample == 1 or crc32(str(entity).encode()) % sample == 0


def train_on(table: Table, places: Sequence[int], labels: bool) -> MatchModel:
    """A model of the set's own profile, from these records; with labels, at the threshold that they choose, or at the
    profile's where they are too few to choose one."""
    profile = profile_of(table)
    assert profile is not None
    entities = [str(table.entities[at]) for at in places] if labels else []
    store = Store([table.comparisons[at] for at in places], entities)
    if labels:
        try:
            return train(profile, [store], Options(aim=Aim()), _note).model()
        except OperatorError as error:
            _note(str(error))
    return train(profile, [store], Options(), _note).model()


def _figures(name: str, found: Assessment, threshold: float) -> list[object]:
    quality, best = found.operating.pairs.quality, found.best_entities.entities
    shares = (quality.f1, found.operating.b_cubed.f1, quality.precision, quality.recall)
    return [
        name,
        found.records,
        f"{found.candidate_recall:.3f}",
        *(f"{share:.3f}" for share in shares),
        f"{threshold:g}",
        f"{best.pairs.quality.f1 if best else 0:.3f} from {found.best_entities.threshold:g}",
        f"{found.calibration_error:.3f}",
    ]


def _write(out: Path, name: str, found: Assessment, names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(assessment_json(found, names), indent=1), "utf-8")
    (out / f"{name}.html").write_text(assessment_page(name, found, lambda at: describe_row(rows[at])), "utf-8")


if __name__ == "__main__":
    main()
