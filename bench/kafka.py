"""From Kafka to committed golden records: sustained events per second, freshness at a steady rate, memory of a worker.

    python -m bench.kafka --world DIR [--workers 1 2] [--rate 200] [--seconds 60]

Everything runs on this machine: a real broker (needs Java 17 and Maven), an embedded PostgreSQL, the workers as the
processes that operators start. Freshness is what `mdm_freshness_seconds` shows: from the source's commit to the hub's.
"""

import argparse
import json
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.stack.broker import Broker
from deploy.stack.hub import HubProcesses
from deploy.stack.maven import StackUnavailable, fetch
from deploy.stack.processes import Program, free_port
from mdm.bootstrap import Hub, open_hub
from mdm.hub.process import BatchReport, Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message
from mdm.settings import read_settings
from mdm.store.positions import stored_positions
from mdm.streams.file import FileFeed
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.workers.ingest import Watch, drain

_BUNDLED = Path(__file__).parent.parent / "mdm" / "demo" / "world"
_ACCOUNTS = "crm.public.account"
#: Beyond every position of the captured world, so that what is sent is news.
_LATER = 10**12


def main(arguments: Sequence[str]) -> int:
    """Run the measurement and print it; `--json` for machines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, default=_BUNDLED, help="folder with events/ (default: the sample world)")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rate", type=int, default=200, help="changes per second of the freshness run")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the freshness run; 0 leaves it out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda signum, _frame: sys.exit(128 + signum))
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        try:
            broker = Broker(fetch(), Path(folder) / "broker", free_port(), free_port())
        except StackUnavailable as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
        broker.start()
        try:
            result = _measure(options, broker, Path(folder))
        finally:
            broker.program.stop()
    for line in [json.dumps(result, indent=2)] if options.json else [f"{k:<28} {v}" for k, v in result.items()]:
        print(line)  # noqa: T201
    return 0


def _measure(options: argparse.Namespace, broker: Broker, folder: Path) -> dict[str, object]:
    feed = FileFeed(options.world / "events")
    accounts: dict[bytes, Message] = {}
    topics: set[str] = set()
    result: dict[str, object] = {}
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=20, batch_size=256 * 1024)) as producer:
        while messages := feed.poll(10_000, 0):
            new = {message.place.topic for message in messages} - topics
            _create(broker, new)
            topics |= new
            for message in messages:
                _send(producer, message)
                if message.place.topic == _ACCOUNTS and message.key and message.value:
                    accounts[message.key] = message
        producer.flush()
    ends = _ends(broker, topics)
    result["events"] = sum(ends.values())
    for number in options.workers:
        result |= _throughput(broker, folder / f"workers-{number}", number, ends)
    if options.seconds:
        live = [message for message in accounts.values() if orjson.loads(message.value or b"")["after"] is not None]
        result |= _freshness(options, broker, folder / f"workers-{options.workers[-1]}", live)
    return result


def _throughput(broker: Broker, home: Path, number: int, ends: dict[tuple[str, int], int]) -> dict[str, object]:
    """Seconds from the first committed unit of work to the last, and the memory of the first worker meanwhile."""
    hub = HubProcesses(home, broker.bootstrap, 0, group=home.name)
    hub.run("db", "upgrade")
    workers = [hub.worker(each) for each in range(1, number + 1)]
    memory: list[int] = []
    with open_hub(read_settings(hub.settings)) as opened:
        try:
            for worker in workers:
                worker.start()
            began, before, done, total = 0.0, 0, 0, sum(ends.values())
            while done < total:
                time.sleep(0.25)
                done = sum(stored_positions(opened.engine, f"kafka:{home.name}").values())
                if done and not began:
                    began, before = time.monotonic(), done
                memory.append(_memory(workers[0]))
                if not any(worker.process() for worker in workers):
                    raise RuntimeError(f"The workers ended:\n{workers[0].end_of_log()}")
            seconds = time.monotonic() - began
        finally:
            for worker in workers:
                worker.stop()
    quarters = [max(memory[len(memory) * n // 4 : len(memory) * (n + 1) // 4] or [0]) for n in range(4)]
    return {
        f"events_per_second_{number}": round((total - before) / seconds),
        f"memory_mib_by_quarter_{number}": quarters,
    }


def _freshness(options: argparse.Namespace, broker: Broker, home: Path, live: list[Message]) -> dict[str, object]:
    """One worker, and changes of accounts at a steady rate from another process."""
    ages: list[float] = []
    settings = HubProcesses(home, broker.bootstrap, 0).settings
    with open_hub(read_settings(settings)) as hub:
        catalogue = load_catalogue(None)
        pipeline = Pipeline(hub.engine, hub.clock, catalogue, load_rules(catalogue))
        source = KafkaSource(broker.bootstrap, "^crm[.]public[.]account$", home.name)
        feed = KafkaFeed(source, partial(stored_positions, hub.engine, f"kafka:{home.name}"))
        arguments = (broker.bootstrap, [_plain(message) for message in live], options.rate, options.seconds)
        sender = multiprocessing.get_context("spawn").Process(target=change_steadily, args=arguments, daemon=True)
        wanted = int(options.rate * options.seconds)
        sender.start()
        drain(
            pipeline,
            feed,
            batch_size=1000,
            dead_letter_limit=0,
            watch=Watch(on_commit=partial(_note, hub, ages)),
            stop=lambda: len(ages) >= wanted,
        )
        feed.close()
        sender.join(30)
    # The first seconds belong to joining the group and warming caches; they would be nobody's steady state.
    steady = sorted(ages[int(options.rate * min(5.0, options.seconds / 4)) :])
    return {
        "freshness_rate": options.rate,
        "freshness_changes": len(steady),
        "freshness_p50_seconds": round(steady[len(steady) // 2], 3),
        "freshness_p99_seconds": round(steady[int(len(steady) * 0.99)], 3),
        "freshness_max_seconds": round(steady[-1], 3),
    }


def _note(hub: Hub, ages: list[float], messages: Sequence[Message], report: BatchReport) -> None:
    del messages
    now = hub.clock()
    ages += [(now - changed_at).total_seconds() for _, _, changed_at in report.changed_at]


def _plain(message: Message) -> tuple[int, bytes, bytes]:
    return message.place.partition, message.key or b"", message.value or b""


def change_steadily(bootstrap: str, rows: list[tuple[int, bytes, bytes]], rate: int, seconds: float) -> None:
    """Change accounts one after the other, `rate` times a second, as their source would say it."""
    decoded = [(partition, key, orjson.loads(value)) for partition, key, value in rows]
    time.sleep(3)  # the worker joins meanwhile
    with closing(KafkaProducer(bootstrap_servers=bootstrap, linger_ms=2)) as producer:
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            ahead = began + number / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            partition, key, event = decoded[number % len(decoded)]
            now = datetime.now(UTC)
            milliseconds = int(now.timestamp() * 1000)
            event["op"] = "u"
            event["after"]["number_of_employees"] = number
            event["source"] |= {
                "snapshot": "false",
                "sequence": json.dumps([str(_LATER + number), str(_LATER + number)]),
                "lsn": _LATER + number,
                "ts_ms": milliseconds,
                "ts_us": int(now.timestamp() * 1_000_000),
            }
            producer.send(_ACCOUNTS, partition=partition, key=key, value=orjson.dumps(event), timestamp_ms=milliseconds)
        producer.flush()


def _create(broker: Broker, topics: set[str]) -> None:
    if topics:
        with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
            admin.create_topics([NewTopic(name, 3, 1) for name in sorted(topics)])


def _send(producer: KafkaProducer, message: Message) -> None:
    topic, partition, _ = message.place
    producer.send(
        topic, partition=partition, key=message.key, value=message.value, headers=list(message.headers),
        timestamp_ms=message.timestamp_ms,
    )  # fmt: skip


def _ends(broker: Broker, topics: set[str]) -> dict[tuple[str, int], int]:
    with closing(KafkaConsumer(bootstrap_servers=broker.bootstrap)) as consumer:
        logs = [TopicPartition(topic, number) for topic in topics for number in range(3)]
        return {(log.topic, log.partition): end for log, end in consumer.end_offsets(logs).items() if end}


def _memory(worker: Program) -> int:
    """The resident memory of a worker in MiB; 0 when it is gone."""
    with suppress(psutil.Error):
        process: Any = worker.process()
        return 0 if process is None else int(process.memory_info().rss >> 20)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
