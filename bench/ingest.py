"""Ingest of a world through the live path: events per second, the share of each stage, memory, and a peer.

The peer is what a plain change-data mirror does with the same messages: parse, and upsert the row by key in batches of
the same size, committed to the same PostgreSQL. It resolves nothing, so the ratio says what identity, survivorship,
lineage and the account cost on top of storing rows.

    python -m bench.ingest --world DIR
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import orjson
import psutil
import psycopg
from sqlalchemy import Engine

from bench.processor import processor
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import BatchReport, Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.settings import Settings, read_settings
from mdm.store import migrate
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain
from mdm.workers.preparing import Pace, pace_of

_USUAL = read_settings({}).batch_size
_BUNDLED = Path(__file__).parent.parent / "mdm" / "demo" / "world"


def main(arguments: Sequence[str]) -> int:
    """Run the measurement and print it; `--json` for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, default=_BUNDLED, help="folder with events/ (default: the sample world)")
    parser.add_argument("--batch-size", type=int, default=0, help="default: what `mdm ingest` takes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        settings = Settings(Path(folder), None, _USUAL, 10**9)
        with open_hub(settings) as hub:
            migrate.upgrade(hub.engine)
            pace = pace_of(FileFeed(options.world / "events"), _USUAL, options.batch_size)
            peer = _plain_mirror(hub.engine, options.world / "events", pace.batch_size)
            memory: list[int] = []
            with processor(hub.engine) as used:
                report, seconds = _ingest(hub.engine, options.world / "events", pace, memory)
            result = _result(report, seconds, peer, state_digest(hub.engine).state)
            result["memory_mib_by_tenths"] = [memory[len(memory) * tenth // 10] for tenth in range(10)] + memory[-1:]
            result["processor_ms_per_event"] = {
                name: round(each / report.messages * 1000, 3) for name, each in used.items()
            }
    if options.json:
        print(json.dumps(result, indent=2))  # noqa: T201
    else:
        _print(result)
    return 0


def _ingest(engine: Engine, events: Path, pace: Pace, memory: list[int]) -> tuple[BatchReport, float]:
    process = psutil.Process()

    def note(_report: BatchReport) -> None:
        memory.append(process.memory_info().rss // (1024 * 1024))

    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    start = time.perf_counter()
    report = drain(
        pace.of(pipeline),
        FileFeed(events),
        batch_size=pace.batch_size,
        prepared=pace.prepared,
        dead_letter_limit=10**9,
        on_batch=note,
    )
    return report, time.perf_counter() - start


def _plain_mirror(engine: Engine, events: Path, batch_size: int) -> float:
    """Seconds that a mirror without identity takes for the same messages."""
    connection = engine.raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    upsert = """insert into bench_mirror (topic, key, row) values (%s, %s, %s)
                on conflict (topic, key) do update set row = excluded.row"""
    with driver.cursor() as cursor:
        cursor.execute("create table bench_mirror (topic text, key text, row json, primary key (topic, key))")
        driver.commit()
        start = time.perf_counter()
        for batch in _batches(events, batch_size):
            cursor.executemany(upsert, list(chain.from_iterable(map(_row, batch))))
            driver.commit()
        seconds = time.perf_counter() - start
        cursor.execute("drop table bench_mirror")
        driver.commit()
    connection.close()
    return seconds


def _batches(events: Path, batch_size: int) -> Iterator[Sequence[Message]]:
    feed = FileFeed(events)
    while batch := feed.poll(batch_size, 0):
        yield batch


def _row(message: Message) -> Iterator[tuple[str, str, str | None]]:
    if message.value is None or message.key is None:
        return
    after = orjson.loads(message.value)["after"]
    yield message.place.topic, message.key.decode(), None if after is None else orjson.dumps(after).decode()


def _result(report: BatchReport, seconds: float, peer: float, digest: str) -> dict[str, object]:
    spent = sum(report.stages.values())
    return {
        "events": report.messages,
        "seconds": round(seconds, 2),
        "events_per_second": round(report.messages / seconds),
        "stage_share": {name: round(each / spent, 3) for name, each in sorted(report.stages.items())},
        # ru_maxrss is in kilobytes on Linux and in bytes on macOS.
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        // (1024 if sys.platform != "darwin" else 1024 * 1024),
        "plain_mirror_seconds": round(peer, 2),
        "times_plain_mirror": round(seconds / peer, 1),
        "digest": digest,
    }


def _print(result: dict[str, object]) -> None:
    for name, value in result.items():
        print(f"{name:<22} {value}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
