"""The resolve path against a store that is filled already: records per second, latency, stages, processor time.

Generated companies (`bench.companies`) fill the store by a first load (`mdm ingest --bulk`, `mdm match run`); others of
the same companies then arrive in batches of 1,000 and of 100 and one by one. Each unit of work is the whole live path:
decode, fold, standardise, claim, block, fetch, score, cluster, consolidate, announce, durable commit. Beside the clock
stand the seconds of processor that the worker and its database session used: on a machine that does other work too,
only these compare.

`of a capture` is how a large capture is taken in: by 1,000, the next ones prepared in a process of their own meanwhile,
units of work having the hub for themselves.

`by 100, two workers` is two processes that each take batches of their own, as workers of two partitions do.

`at a rate`: records that come one by one at an even rate, taken as a live worker takes them, whatever waits in one unit
of work; the time of each from its coming to its commit. `rates that hold`: the same at other rates, ten seconds each,
up to the first at which records wait longer and longer. `where the time goes`: the stages of further batches, by
looking at the worker (`bench.stacks`). `no more than`: what each part alone would allow (`bench.bounds`).

    python -m bench.resolve --stored 100000 --rate 500
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from sqlalchemy import text

from bench.bounds import NEEDED, bounds
from bench.company_events import messages
from bench.processor import processor
from bench.side_by_side import side_by_side
from bench.stacks import looking
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.engines import open_engine
from mdm.hub.process import BatchReport, Pipeline, process, process_prepared
from mdm.hub.release import load_rules
from mdm.hub.rematch import in_bulk, rematch
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.settings import Settings
from mdm.store import migrate
from mdm.workers.collection import rare_collection
from mdm.workers.preparing import in_process

#: Sizes of units of work, and how many of each are measured.
_ROUNDS = ((1000, 5), (100, 40), (1, 200))
#: Units of work of a capture, of 1,000 records each.
_CAPTURE = 6
#: Workers side by side, and batches of 100 for each; the first of each is not timed.
_WORKERS, _BESIDE = 2, 21
#: Records that come at an even rate.
_STEADY = 2000
#: Rates that are tried one after the other, and for how many seconds each.
_RATES, _FOR = (50, 100, 150, 200, 250), 10
#: Sizes of units of work that are looked at, and how many of each.
_LOOKED_AT = ((1000, 3), (100, 10), (1, 200))
#: A live worker takes at most this many at once.
_MOST = 1000


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
        _tell(result)
    return 0


def measure(pipeline: Pipeline, stored: int, rate: float, seed: int) -> dict[str, object]:
    """Fill the store with all but some records, drawn at random, and resolve those; `rate` is records a second."""
    arriving = sum(size * times for size, times in _ROUNDS) + _CAPTURE * _MOST + _WORKERS * _BESIDE * 100 + _STEADY
    arriving += sum(size * times for size, times in _LOOKED_AT) + NEEDED + sum(_RATES) * _FOR
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
    at += _STEADY
    result["rates that hold"], at = holding(pipeline, late, at), at + sum(_RATES) * _FOR
    going: dict[str, object] = {}
    for size, times in _LOOKED_AT:
        with looking() as looks:
            for number in range(times):
                process(pipeline, "arrive", late[at + number * size :][:size])
        going[f"by {size}"] = looks.shares()
        at += size * times
    result["where the time goes"] = going
    result["no more than"] = bounds(pipeline, late[at:])
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
    seconds = time.perf_counter() - began
    first, second = (sorted(half)[len(half) // 2] for half in (waited[: len(waited) // 2], waited[len(waited) // 2 :]))
    waited.sort()
    return {
        "records_per_second": round(len(coming) / seconds),
        "holds": second <= 1.5 * first,
        "p50_ms": round(waited[len(waited) // 2] * 1000, 1),
        "p99_ms": round(waited[int(len(waited) * 0.99)] * 1000, 1),
        "records_in_a_unit": round(len(coming) / len(sizes), 1),
    }


def holding(pipeline: Pipeline, coming: Sequence[Message], at: int) -> dict[str, object]:
    """What `steady` tells of each rate, from `at` on, up to the first that is more than what is taken in.

    A rate holds where the second half of its records waited no more than half as long again as the first, at the
    median; of one that does not, records wait as long as it lasts.
    """
    found: dict[str, object] = {}
    for rate in _RATES:
        told = steady(pipeline, coming[at : at + rate * _FOR], rate)
        found[f"{rate} a second"] = told
        if not told["holds"]:
            break
        at += rate * _FOR
    return found


def _tell(result: Mapping[str, object], indent: str = "") -> None:
    """Print names and values, what belongs to a name below it."""
    for name, value in result.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")  # noqa: T201
            _tell(value, f"{indent}  ")
        else:
            print(f"{indent}{name:<{44 - len(indent)}} {value}")  # noqa: T201


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


def _log(pipeline: Pipeline) -> int:
    """Bytes that the database's log has had so far."""
    with pipeline.engine.connect() as connection:
        return int(connection.scalar(text("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn")) or 0)


def _round(pipeline: Pipeline, batches: Sequence[Sequence[Message]]) -> dict[str, object]:
    total, seconds = BatchReport(), []
    before = _log(pipeline)
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
        "log_kb_per_record": round((_log(pipeline) - before) / records / 1000, 1),
        "stage_share": {name: round(each / spent, 3) for name, each in sorted(total.stages.items())},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
