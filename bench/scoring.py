"""Speed of scoring with the full customer model, by size of batch; and Splink's own predict on the same pairs.

    python -m bench.scoring [--records 60000] [--cache DIR]

Pairs per second of processor time, so per core. "encoded" scores pairs of records whose columns are encoded (a whole
store, a cached neighbourhood); "decided" decides them as well; "from records" includes encoding
the records of the batch. Splink is given the same model, as its own settings, and the same pairs, blocked
beforehand; the largest difference of the two weights is told.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from splink import DuckDBAPI
from splink.internals.realtime import compare_records

from bench.company_tables import TRUTH, company_table
from matching.engines import duckdb_engine
from matching.engines.links import links_among
from matching.engines.table import TableFrame
from matching.features import Features
from matching.model import MatchModel, load_model
from matching.scoring import score_columns, score_features
from matching.training.splink_model import arrow_table, settings_of, splink_weights

_SIZES = (1, 10, 100, 1_000, 10_000, 100_000)
_BESIDE_SPLINK = 200_000
_LEAST_SECONDS = 0.6
#: Pairs that are compared one at a time with Splink's call for that.
_CALLS = 100


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mdm-bench")
    options = parser.parse_args(arguments)
    model = load_model("customer")
    table = company_table(model, options.records, 1, options.cache, lambda _: None).drop([TRUTH])
    records = [_features(row) for row in table.to_pylist()]
    packed = duckdb_engine.candidate_pairs(model, table)
    left, right = packed >> 32, packed & 0xFFFFFFFF
    frame = TableFrame(model, table)
    frame.encode(model)
    result: dict[str, Any] = {"model": model.fingerprint, "candidate_pairs": len(packed), "pairs_per_cpu_second": {}}
    for size in (each for each in _SIZES if each <= len(packed)):
        result["pairs_per_cpu_second"][size] = {
            "encoded": _rate(size, len(packed), lambda a: score_columns(model, frame, left[a], right[a])),
            "decided": _rate(size, len(packed), lambda a: links_among(model, frame, left[a], right[a])),
            "from records": _rate(size, len(packed), lambda a: _from_records(model, records, left[a], right[a])),
        }
    result["splink"] = _beside_splink(model, records, left[:_BESIDE_SPLINK], right[:_BESIDE_SPLINK])
    result["splink_compare_records"] = _beside_compare_records(model, records, left[:_CALLS], right[:_CALLS])
    print(json.dumps(result, indent=2))  # noqa: T201
    return 0


def _features(row: dict[str, Any]) -> Features:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items() if value is not None
    }


def _from_records(model: MatchModel, records: Sequence[Features], left: Any, right: Any) -> None:
    ends, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    batch = [records[end] for end in ends.tolist()]
    score_features(model, batch, places[: len(left)], places[len(left) :])


def _rate(size: int, total: int, score: Callable[[slice], object]) -> int:
    """Pairs per second of processor time, over different batches of this size."""
    starts = np.random.default_rng(1).integers(0, total - size + 1, 10_000)
    score(slice(0, size))
    done, began = 0, time.process_time()
    for start in starts.tolist():
        score(slice(start, start + size))
        done += size
        if time.process_time() - began > _LEAST_SECONDS:
            break
    return round(done / (time.process_time() - began))


def _beside_splink(model: MatchModel, records: Sequence[Features], left: Any, right: Any) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    weights, _ = splink_weights(model, records, left, right)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    began_wall, began_cpu = time.perf_counter(), time.process_time()
    ours = score_features(model, records, left, right)
    mine_wall, mine_cpu = time.perf_counter() - began_wall, time.process_time() - began_cpu
    return {
        "pairs": len(left),
        "splink_wall_seconds": round(wall, 2),
        "splink_cpu_seconds": round(cpu, 2),
        "hub_wall_seconds": round(mine_wall, 2),
        "hub_cpu_seconds": round(mine_cpu, 2),
        "times_faster_cpu": round(cpu / mine_cpu, 1),
        "largest_difference_bits": float(np.abs(weights - ours.weight).max()),
    }


def _beside_compare_records(model: MatchModel, records: Sequence[Features], left: Any, right: Any) -> dict[str, Any]:
    """One pair at a time, as somebody asks who wants to know at once: Splink's `compare_records`, its SQL cached."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    api, settings = DuckDBAPI(connection=connection), settings_of(model, ["1 = 0"])
    tables = [
        (_with_shares(model, records[a]), _with_shares(model, records[b])) for a, b in zip(left, right, strict=True)
    ]

    def ask(one: pa.Table, other: pa.Table) -> float:
        found = compare_records(one, other, settings, api, sql_cache_key="bench")
        return float(found.as_pyarrow_table()["match_weight"][0].as_py())  # type: ignore[no-untyped-call]

    ask(*tables[0])
    began = time.process_time()
    theirs = [ask(one, other) for one, other in tables]
    middle = time.process_time()
    ours = [
        float(score_features(model, [records[a], records[b]], np.array([0]), np.array([1])).weight[0])
        for a, b in zip(left, right, strict=True)
    ]
    ended = time.process_time()
    return {
        "pairs": len(tables),
        "splink_cpu_ms_per_pair": round((middle - began) / len(tables) * 1000, 2),
        "hub_cpu_ms_per_pair": round((ended - middle) / len(tables) * 1000, 2),
        "times_faster_cpu": round((middle - began) / (ended - middle), 1),
        "largest_difference_bits": float(np.abs(np.array(theirs) - np.array(ours)).max()),
    }


def _with_shares(model: MatchModel, record: Features) -> pa.Table:
    """A record as `compare_records` wants it, with the frequencies of its values."""
    shares = {
        f"tf_{column}": [None if (value := record.get(column)) is None else counts.share(str(value))]
        for column, counts in model.frequencies.items()
    }
    return arrow_table(model, [record], **shares)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
