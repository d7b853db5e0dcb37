"""Runs workers and long commands in processes that die at fault points, and again until they are through.

A program of its own, because it forks: `python -m tests.harness.fault_loop` reads jobs as JSON lines (`url`, `faults`,
`published`, `act`) and answers each with how its processes ended.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from sqlalchemy import Engine

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.engines import open_engine
from mdm.faults import arm
from mdm.hub.process import Pipeline
from mdm.hub.rebuild import rebuild
from mdm.hub.release import load_rules
from mdm.hub.rematch import in_bulk, rematch
from mdm.hub.replay import replay
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.store.refold import EventRange
from mdm.streams.memory import MemoryFeed
from mdm.streams.publisher import Record
from mdm.workers.ingest import drain
from mdm.workers.relay import RelayOptions, run_relay
from tests.integration.hub.conftest import world_messages

_TOPICS = ("crm.public.product2", "billing.public.product", "erp.public.item", "crm.public.account")
_BATCH = 60


def fault_messages() -> tuple[Message, ...]:
    """A part of the sample world in which records found, change, merge and retire."""
    return tuple(message for message in world_messages() if message.place.topic in _TOPICS)[:240]


class FilePublisher:
    """A broker that is a file: what was flushed is safe, what was only sent may be or not."""

    def __init__(self, file: Path) -> None:
        self._file, self._open = file, b""

    def send(self, records: Sequence[Record]) -> None:
        self._open += b"".join(orjson.dumps(_told(record)) + b"\n" for record in records)
        half = self._open[: self._open.find(b"\n") + 1]
        with self._file.open("ab") as file:  # the first record has arrived before anybody waits for it
            file.write(half)
        self._open = self._open[len(half) :]

    def flush(self) -> None:
        with self._file.open("ab") as file:
            file.write(self._open)
        self._open = b""

    def close(self) -> None:
        self._open = b""


def _told(record: Record) -> dict[str, object]:
    told = asdict(record)
    headers = [[name, value.decode()] for name, value in record.headers]
    return told | {
        "key": record.key.decode(),
        "value": None if record.value is None else record.value.decode(),
        "headers": headers,
    }


def read_published(file: Path) -> list[Record]:
    """What a `FilePublisher` holds."""
    records = []
    for line in file.read_bytes().splitlines() if file.exists() else ():
        told = orjson.loads(line)
        headers = tuple((name, value.encode()) for name, value in told["headers"])
        value = None if told["value"] is None else told["value"].encode()
        records.append(Record(told["topic"], told["key"].encode(), value, headers, told["timestamp_ms"]))
    return records


@dataclass(frozen=True, slots=True)
class _Job:
    url: str
    faults: tuple[str, ...]
    published: Path
    act: str


def _attempt(job: _Job, fault: str) -> None:
    """Do what the job says; with a fault, die on the way."""
    arm({"MDM_FAULT": fault})
    catalogue = load_catalogue(None)
    engine = make_engine(job.url)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    if job.act == "replay":
        replay(pipeline, EventRange(), "test", batch_size=_BATCH)
    elif job.act == "rebuild":
        rebuild(pipeline, "test", swap=True, settle=0)
    elif job.act == "rematch":
        rematch(pipeline, open_engine("duckdb"), "test")
    else:
        _ingest(job, engine, in_bulk(pipeline) if job.act == "bulk" else pipeline)


def _ingest(job: _Job, engine: Engine, pipeline: Pipeline) -> None:
    """Ingest everything and publish everything, between the batches, as the two workers do side by side."""
    feed = MemoryFeed("fault-loop", fault_messages())
    publisher = FilePublisher(job.published)

    def publish(_report: object = None) -> None:
        run_relay(engine, system_clock, publisher, RelayOptions(once=True), lambda: False)

    drain(pipeline, feed, batch_size=_BATCH, dead_letter_limit=0, on_batch=publish)
    publish()


def _run(job: _Job) -> list[int]:
    """Die at each fault in turn, until one is never reached, or then run to the end; returns the exit codes."""
    codes = []
    for fault in (*job.faults, ""):
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # answers are the parent's, logs are not
            try:
                _attempt(job, fault)
            except BaseException as error:
                print(repr(error), file=sys.stderr)
                os._exit(1)
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        if codes[-1] == 0:
            break
    return codes


def main() -> None:
    fault_messages()  # read once, inherited by every child
    for line in sys.stdin:
        told = json.loads(line)
        job = _Job(told["url"], tuple(told["faults"]), Path(told["published"]), told["act"])
        sys.stdout.write(json.dumps({"codes": _run(job)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
