"""The resolve path against a store that is filled already: records per second, latency, stages, processor time.

Generated companies (`bench.companies`) fill the store by a first load (`mdm ingest --bulk`, `mdm match run`); others of
the same companies then arrive in batches of 1,000 and of 100 and one by one. Each unit of work is the whole live path:
decode, fold, standardise, claim, block, fetch, score, cluster, consolidate, announce, durable commit. Beside the clock
stand the seconds of processor that the worker and its database session used: on a machine that does other work too,
only these compare.

`of a capture` is how a large capture is taken in: by 1,000, the next ones prepared in a process of their own meanwhile,
units of work having the hub for themselves.

`by 100, two workers` is two processes that each take batches of their own, as workers of two partitions do.

Two more measurements say what may be hoped for. `at a rate`: records that come one by one at an even rate, taken as a
live worker takes them, whatever waits in one unit of work; the time of each from its coming to its commit. `no more
than`: how many a second there would be if, of 1,000 arriving records, nothing cost anything but decoding and
standardising them; but taking them in without matching, with a durable commit; but reading their candidates; but
reading and scoring these; and but the last two and taking in together: all except clusters and golden records. For one
record alone: what a statement takes that does nothing, and a unit of work that does nothing but commit durably.

    python -m bench.resolve --stored 100000 --rate 500
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from sqlalchemy import text

from bench.company_events import messages
from bench.processor import processor
from bench.side_by_side import side_by_side
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.core.linking import decide_links
from mdm.engines import open_engine
from mdm.hub.process import BatchReport, Pipeline, prepare, process, process_prepared
from mdm.hub.release import load_rules
from mdm.hub.rematch import in_bulk, rematch
from mdm.hub.resolve import block_hashes
from mdm.intake.catalogue import load_catalogue
from mdm.model.blocks import cap_of
from mdm.model.candidates import in_parts
from mdm.model.events import Message
from mdm.model.ids import Domain, RecordId
from mdm.settings import Settings
from mdm.store import migrate, neighbourhood, pairs
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import unit_of_work
from mdm.workers.collection import rare_collection
from mdm.workers.preparing import in_process

#: Sizes of units of work, and how many of each are measured.
_ROUNDS = ((1000, 5), (100, 40), (1, 200))
#: Units of work of a capture, of 1,000 records each.
_CAPTURE = 6
#: Workers side by side, and batches of 100 for each; the first of each is not timed.
_WORKERS, _BESIDE = 2, 21
#: Records that come at an even rate; those whose candidates are only read, and as many that are not matched.
_STEADY, _READ = 2000, 2000
#: Statements and units of work that do nothing.
_TRIPS = 200
#: A live worker takes at most this many at once.
_MOST = 1000
#: Records that are compared at a time, as in the hub.
_CANDIDATES = 5000


def main(arguments: Sequence[str]) -> int:
    """Fill, measure and print; `--json` for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=4000, help="records in the store before measuring (4000)")
    parser.add_argument("--rate", type=float, default=500, help="records a second that come at an even rate (500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder,
        open_hub(Settings(Path(folder), None, 1000, 10**9)) as hub,
        rare_collection(),
    ):
        migrate.upgrade(hub.engine)
        catalogue = load_catalogue(None)
        pipeline = Pipeline(hub.engine, system_clock, catalogue, load_rules(catalogue))
        result = measure(pipeline, options.stored, options.rate, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))  # noqa: T201
    else:
        for name, value in result.items():
            print(f"{name:<12} {value}")  # noqa: T201
    return 0


def measure(pipeline: Pipeline, stored: int, rate: float, seed: int) -> dict[str, object]:
    """Fill the store with all but some records, drawn at random, and resolve those; `rate` is records a second."""
    arriving = sum(size * times for size, times in _ROUNDS) + _CAPTURE * _MOST + _WORKERS * _BESIDE * 100 + _STEADY
    arriving += _READ
    total = stored + arriving
    dice = Random(seed)  # noqa: S311 - a sample, not a secret
    chosen = set(dice.sample(range(total), arriving))
    late: list[Message] = []
    start = time.perf_counter()
    # A first load: rows are taken in, then matched at once. What is measured afterwards is resolved as it arrives.
    filling = in_bulk(replace(pipeline, alone_if_free=True))
    for number, batch in enumerate(_batches(messages(total, seed), chosen, late), start=1):
        process(filling, "fill", batch)
        if number % 50 == 0:
            _note(f"{number * 1000:,} of {stored:,} stored")
    rematch(pipeline, open_engine("duckdb"), "fill", _note)
    filled = time.perf_counter() - start
    with pipeline.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    dice.shuffle(late)
    result: dict[str, object] = {"stored": stored, "fill": f"{stored / filled:,.0f} records/s"}
    at = 0
    for size, times in _ROUNDS:
        batches = [late[at + number * size : at + (number + 1) * size] for number in range(times)]
        result[f"by {size}"] = _round(pipeline, batches)
        at += size * times
    result["of a capture"] = capture(pipeline, [late[at + number * _MOST :][:_MOST] for number in range(_CAPTURE)])
    at += _CAPTURE * _MOST
    batches = [late[at + number * 100 :][:100] for number in range(_WORKERS * _BESIDE)]
    result["by 100, two workers"] = side_by_side(pipeline.engine.url, batches, _WORKERS)
    at += _WORKERS * _BESIDE * 100
    result[f"at {rate:g} a second"] = steady(pipeline, late[at : at + _STEADY], rate)
    result["no more than"] = bounds(pipeline, late[at + _STEADY :])
    return result


def capture(pipeline: Pipeline, batches: Sequence[Sequence[Message]]) -> dict[str, object]:
    """Take batches as a large capture is: each prepared in another process while the one before is written.

    The first is not timed: the other process starts meanwhile.
    """
    through = replace(pipeline, alone_if_free=True)
    with in_process(pipeline) as preparing:
        process_prepared(through, "arrive", preparing.start(batches[0])())
        began, records = time.perf_counter(), 0
        coming = preparing.start(batches[1])
        for number, batch in enumerate(batches[1:], start=2):
            prepared = coming()
            if number < len(batches):
                coming = preparing.start(batches[number])
            process_prepared(through, "arrive", prepared)
            records += len(batch)
        return {"records_per_second": round(records / (time.perf_counter() - began))}


def steady(pipeline: Pipeline, coming: Sequence[Message], rate: float) -> dict[str, object]:
    """Take what comes at an even rate, everything that waits in one unit of work, as a live worker does."""
    done, waited, sizes = 0, [], []
    began = time.perf_counter()
    while done < len(coming):
        come = min(int((time.perf_counter() - began) * rate) + 1, len(coming), done + _MOST)
        if come == done:
            time.sleep(max(0.0, began + done / rate - time.perf_counter()))
            continue
        process(pipeline, "arrive", coming[done:come])
        now = time.perf_counter() - began
        waited += [now - number / rate for number in range(done, come)]
        sizes.append(come - done)
        done = come
    waited.sort()
    return {
        "records_per_second": round(len(coming) / (time.perf_counter() - began)),
        "p50_ms": round(waited[len(waited) // 2] * 1000, 1),
        "p99_ms": round(waited[int(len(waited) * 0.99)] * 1000, 1),
        "records_in_a_unit": round(len(coming) / len(sizes), 1),
    }


def bounds(pipeline: Pipeline, batch: Sequence[Message]) -> dict[str, object]:
    """Records a second if candidates were only read, if they were only read and scored, and if there were no matching.

    The first half of the batch is read for. The second is taken in without matching: other records, for nothing of them
    is remembered yet, and last, for what is taken in like this has no golden record.
    """
    batch, unmatched = batch[: len(batch) // 2], batch[len(batch) // 2 :]
    model = pipeline.rules.models[Domain.CUSTOMER]
    start = time.perf_counter()
    forms = [record.comparison for _, record in prepare(pipeline, batch).standard.values()]
    prepared = time.perf_counter() - start
    start = time.perf_counter()
    with snapshot(pipeline.engine) as work:
        # Numbers of their own: the records are not in the hub.
        arriving = {RecordId(-number): form for number, form in enumerate(forms, start=1)}
        blocks = {rec: block_hashes(model, form) for rec, form in arriving.items()}
        members = pairs.members_of(work, set().union(*blocks.values()), model.block_cap)
        found = {
            (rec, other)
            for rec, own in blocks.items()
            for block in own
            if len(members.get(block, ())) <= cap_of(model.block_cap, block)
            for other in members.get(block, ())
        }
        scoring = 0.0
        for part in in_parts(found, frozenset(arriving), _CANDIDATES):
            others = neighbourhood.load_comparisons(work, Domain.CUSTOMER, {other for _, other in part})
            before = time.perf_counter()
            decide_links(model, part, {**others, **arriving})
            scoring += time.perf_counter() - before
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    process(replace(pipeline, bulk=True), "arrive", unmatched)
    taken_in = time.perf_counter() - start
    statement, unit = round_trips(pipeline)
    return {
        "standardised": f"{len(forms) / prepared:,.0f} records/s",
        "taken_in_unmatched": f"{len(unmatched) / taken_in:,.0f} records/s",
        "pairs_per_record": round(len(found) / len(forms), 1),
        "read": f"{len(forms) / (seconds - scoring):,.0f} records/s",
        "read_and_scored": f"{len(forms) / seconds:,.0f} records/s",
        "taken_in_read_and_scored": f"{1 / (seconds / len(forms) + taken_in / len(unmatched)):,.0f} records/s",
        "one_statement": f"{statement * 1000:.2f} ms",
        "empty_unit_of_work": f"{unit * 1000:.2f} ms",
    }


def round_trips(pipeline: Pipeline) -> tuple[float, float]:
    """Median seconds of a statement that does nothing, and of a unit of work that does nothing but commit durably."""
    statements, units = [], []
    for _ in range(_TRIPS):
        start = time.perf_counter()
        with unit_of_work(pipeline.engine, pipeline.clock, "bench", alone=False) as work:
            asked = time.perf_counter()
            work.query("select 1")
            statements.append(time.perf_counter() - asked)
        units.append(time.perf_counter() - start - statements[-1])
    return sorted(statements)[_TRIPS // 2], sorted(units)[_TRIPS // 2]


def _note(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201


def _batches(all_messages: Iterator[Message], chosen: set[int], late: list[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    for number, message in enumerate(all_messages):
        if number in chosen:
            late.append(message)
            continue
        batch.append(message)
        if len(batch) == 1000:
            yield batch
            batch = []
    if batch:
        yield batch


def _round(pipeline: Pipeline, batches: Sequence[Sequence[Message]]) -> dict[str, object]:
    total, seconds = BatchReport(), []
    with processor(pipeline.engine) as used:
        for batch in batches:
            start = time.perf_counter()
            total.add(process(pipeline, "arrive", batch))
            seconds.append(time.perf_counter() - start)
    spent = sum(total.stages.values())
    records = sum(map(len, batches))
    seconds.sort()
    return {
        "records_per_second": round(records / sum(seconds)),
        "p50_ms": round(seconds[len(seconds) // 2] * 1000, 1),
        "p99_ms": round(seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))] * 1000, 1),
        "processor_ms_per_record": {name: round(each / records * 1000, 2) for name, each in used.items()},
        "stage_share": {name: round(each / spent, 3) for name, each in sorted(total.stages.items())},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
