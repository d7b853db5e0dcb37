"""A whole store at once: generated companies blocked, scored and clustered; beside chains of links and beside Splink.

    python -m bench.batch --records 100000 --records 1000000 --cache DIR [--splink] [--train 20000]

Quality is held against the truth. "Connected components" follows every match of the same run. Splink runs with its own
defaults (comparison library, EM) on the same columns and clusters at a match probability of .95. The "prototype" is
Splink with m from labels, whose matches are followed strongest first unless tax numbers differ (`bench.prototype`), at
the threshold that hindsight finds best. Standardising the
records comes before and is timed apart; it is kept in the cache folder. With `--train N` the hub first learns a model
from a sample of N records, without labels, and uses that instead of the one that ships.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.company_tables import TRUTH, company_table
from bench.meter import Meter, peak_gib
from bench.prototype import best_in_hindsight
from bench.quality import contradicting, pair_recall, quality
from bench.training import trained_on_sample
from matching.engines import duckdb_engine
from matching.engines.components import components
from matching.engines.links import score_links
from matching.engines.table import TableFrame, compared, named
from matching.engines.whole import cluster_table
from matching.model import load_model


def run(
    records: int, seed: int, folder: Path, workers: int, sampled: int = 0, *, afresh: bool = False
) -> dict[str, Any]:
    """Measure one size in this process; with the model that ships unless one is to be trained on `sampled` records."""
    model, meter = load_model("customer"), Meter()
    with meter.stage("standardise (or read)"):
        full = company_table(model, records, seed, folder, _note)
    truth = full[TRUTH].to_numpy()
    table = full.drop([TRUTH])
    del full
    with meter.stage("block"):
        packed = duckdb_engine.candidate_pairs(model, table, threads=workers)
    reached = pair_recall(packed, truth)
    if sampled:
        model = trained_on_sample(model, packed, records, seed, sampled, meter, afresh=afresh)
    table = compared(model, table)
    with meter.stage("encode"):
        frame = TableFrame(model, table)
        frame.encode(model)
    table = named(model, table)
    with meter.stage("score"):
        links = score_links(model, frame, packed, workers)
    candidates = len(packed)
    del packed
    with meter.stage("cluster"):
        found = cluster_table(model, table, frame, links, workers=workers)
    chains = components(len(table), links.a[links.match], links.b[links.match])
    run_stages = ("block", *(("train",) if sampled else ()), "encode", "score", "cluster")
    return {
        "records": records,
        "trained_on": model.provenance["records"] if sampled else None,
        "trained": model.provenance["method"] if sampled else None,
        "candidates": candidates,
        "candidate_recall": round(reached, 4),
        "links": len(links),
        "questions": len(found.refused),
        "quality": quality(found.entity, truth).as_json(),
        "connected_components": quality(chains, truth).as_json(),
        "entities_with_two_tax_numbers": contradicting(found.entity, table),
        "wall_seconds": meter.wall,
        "cpu_seconds": meter.cpu,
        "run_wall_seconds": round(sum(meter.wall[stage] for stage in run_stages), 1),
        "run_cpu_seconds": round(sum(meter.cpu[stage] for stage in run_stages), 1),
    }


def run_splink(records: int, seed: int, folder: Path, workers: int) -> dict[str, Any]:
    """Splink's own batch on the same records, with its own defaults."""
    from bench.splink_batch import splink_entities  # imported here: the other measurements run without splink

    full = company_table(load_model("customer"), records, seed, folder, _note)
    meter = Meter()
    entity = splink_entities(full.drop([TRUTH]), meter, workers)
    return {
        "records": records,
        "quality": quality(entity, full[TRUTH].to_numpy()).as_json(),
        "entities_with_two_tax_numbers": contradicting(entity, full),
        "wall_seconds": meter.wall,
        "cpu_seconds": meter.cpu,
    }


def run_prototype(records: int, seed: int, folder: Path, workers: int) -> dict[str, Any]:
    """Splink with labels, its matches followed strongest first unless tax numbers differ, at hindsight's threshold."""
    from bench.splink_batch import labelled_edges, tax_numbers  # imported here, as above

    full = company_table(load_model("customer"), records, seed, folder, _note)
    truth, table = full[TRUTH].to_numpy(), full.drop([TRUTH])
    meter = Meter()
    edges = labelled_edges(table, truth, meter, workers)
    with meter.stage("cluster at every threshold"):
        threshold, best = best_in_hindsight(edges.a, edges.b, edges.weight, tax_numbers(table), truth)
    return {
        "records": records,
        "edges": len(edges.a),
        "best_threshold_bits": threshold,
        "quality": best.as_json(),
        "wall_seconds": meter.wall,
        "cpu_seconds": meter.cpu,
    }


def _note(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


_KINDS = {"hub": run, "splink": run_splink, "prototype": run_prototype}


def _measured(command: list[str]) -> dict[str, Any]:
    """What a measurement in a process of its own says, and the memory that it took."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        held = peak_gib(process)
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {**json.loads(told), "peak_gib": held}


def main(arguments: Sequence[str]) -> int:
    """Run each measurement in a process of its own, so that memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mdm-bench")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--splink", action="store_true")
    parser.add_argument("--train", type=int, default=0, help="records of the sample that a model is learned from")
    parser.add_argument("--afresh", action="store_true", help="learned without the weights that ship")
    parser.add_argument("--one", choices=tuple(_KINDS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        sampled = {"sampled": options.train, "afresh": options.afresh} if options.one == "hub" else {}
        found = _KINDS[options.one](options.records[0], options.seed, options.cache, options.workers, **sampled)
        print(json.dumps(found))  # noqa: T201
        return 0
    results = []
    for records in options.records or [100_000]:
        for kind in _KINDS if options.splink else ("hub",):
            command = [sys.executable, "-m", "bench.batch", "--one", kind, "--records", str(records)]
            command += ["--seed", str(options.seed), "--cache", str(options.cache), "--workers", str(options.workers)]
            command += ["--train", str(options.train), *(["--afresh"] if options.afresh else [])]
            results.append({"engine": kind, **_measured(command)})
            print(json.dumps(results[-1], indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
