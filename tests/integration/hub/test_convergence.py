"""Any order, any duplication and any crash end in the same golden state."""

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.core.identity import settle
from mdm.hub import resolve
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.verify import verify
from mdm.intake.catalogue import load_catalogue
from mdm.model.delta import IdentityDelta
from mdm.model.events import Message, Outcome
from mdm.model.ids import Domain, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.store.neighbourhood import load_comparisons
from mdm.store.unit_of_work import UnitOfWork
from tests.integration.hub.conftest import Feed, world_messages

_seen: dict[str, str] = {}
#: More seeds, and more workers, by `make race`.
_SEEDS = [int(seed) for seed in os.environ.get("MDM_RACE_SEEDS", "1").split(",")]


def assert_the_quiet_state(engine: Engine) -> None:
    """The digest equals that of every other run in this session: they all fed the same facts."""
    digest = state_digest(engine).state
    assert _seen.setdefault("digest", digest) == digest


def by_platform(messages: Sequence[Message]) -> list[list[Message]]:
    platforms: dict[str, list[Message]] = {}
    for message in messages:
        platforms.setdefault(message.place.topic.split(".")[0], []).append(message)
    return list(platforms.values())


def test_a_quiet_run_agrees_with_its_recomputation(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    report = feed(world_messages())

    found = verify(engine, pipeline.catalogue, pipeline.rules)

    assert found.differences == ()
    assert report.messages == len(world_messages())
    assert sum(report.outcomes.values()) == report.messages
    assert {outcome for _, outcome in report.outcomes} <= {Outcome.APPLIED, Outcome.IGNORED}
    assert_the_quiet_state(engine)


def test_feeding_the_same_messages_again_changes_nothing(engine: Engine, feed: Feed) -> None:
    feed(world_messages())
    with engine.connect() as connection:
        before = connection.execute(text("select count(*), max(version) from golden")).one()

    again = feed(world_messages())

    assert {outcome for _, outcome in again.outcomes} == {Outcome.DUPLICATE}
    with engine.connect() as connection:
        assert connection.execute(text("select count(*), max(version) from golden")).one() == before
    assert_the_quiet_state(engine)


def test_candidates_in_small_parts_end_in_the_same_state(
    engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    settled: list[int] = []

    def load(work: UnitOfWork, domain: Domain, ids: Collection[RecordId]) -> dict[RecordId, dict[str, Any]]:
        asked.append(len(ids))
        return load_comparisons(work, domain, ids)

    def settle_part(hood: Neighbourhood, *others: Any, **more: Any) -> IdentityDelta:
        settled.append(len(hood.records))
        return settle(hood, *others, **more)

    monkeypatch.setattr(resolve, "_AT_A_TIME", 20)
    monkeypatch.setattr(resolve.neighbourhood, "load_comparisons", load)
    monkeypatch.setattr(resolve, "settle", settle_part)
    feed(world_messages())

    # A part holds more only when one record has as many candidates by itself.
    assert max(asked) <= 100
    assert len(asked) > 100
    # What hangs together is settled together, however much it is.
    assert len(settled) > 50
    assert max(settled) <= 40
    assert_the_quiet_state(engine)


def test_platforms_in_another_order_end_in_the_same_state(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    platforms = by_platform(world_messages())
    random.Random(7).shuffle(platforms)

    feed(list(chain.from_iterable(reversed(platforms))))

    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    assert_the_quiet_state(engine)


def test_every_event_doubled_ends_in_the_same_state(engine: Engine, feed: Feed) -> None:
    report = feed([message for message in world_messages() for _ in range(2)])

    duplicates = sum(number for (_, outcome), number in report.outcomes.items() if outcome is Outcome.DUPLICATE)
    assert duplicates == len(world_messages())
    assert_the_quiet_state(engine)


def test_messages_in_any_order_at_all_end_in_the_same_state(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    messages = list(world_messages())
    random.Random(11).shuffle(messages)

    report = feed(messages)

    assert any(outcome is Outcome.STALE for _, outcome in report.outcomes)
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    assert_the_quiet_state(engine)


def test_batches_of_any_size_end_in_the_same_state(engine: Engine, pipeline: Pipeline) -> None:
    messages, sizes, start = world_messages(), random.Random(3), 0
    while start < len(messages):
        size = sizes.choice((17, 140, 900, 2500))
        process(pipeline, "test", messages[start : start + size])
        start += size

    assert_the_quiet_state(engine)


@cache
def _command() -> list[str]:
    return [sys.executable, "-m", "mdm.cli", "ingest", "--json", "--batch-size", "400"]


@pytest.mark.parametrize("seed", _SEEDS)
def test_killed_at_any_moment_and_started_again_ends_in_the_same_state(fresh_database_url: str, seed: int) -> None:
    events = Path(__file__).parents[3] / "mdm" / "demo" / "world" / "events"
    environment = os.environ | {"MDM_DATABASE_URL": fresh_database_url}
    moments, engine = random.Random(seed), make_engine(fresh_database_url)
    command = [*_command(), "--batch-size", "200", "--feed", f"file:{events}"]
    kills = []
    for number in range(4):
        before = committed(engine)
        process_ = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = before + 6 * number + moments.randint(1, 6)  # what is read again counts too
        while committed(engine) < wanted and process_.poll() is None:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 0.4))  # somewhere in the next unit of work
        process_.send_signal(signal.SIGKILL)
        kills.append((process_.wait(), committed(engine) > before))
    assert kills == [(-signal.SIGKILL, True)] * 4, "every death came in the middle, after something was committed"

    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    assert_the_quiet_state(engine)
    engine.dispose()


def committed(engine: Engine) -> int:
    """Units of work of ingest that are committed; 0 before there are tables."""
    with engine.connect() as connection:
        if connection.scalar(text("select to_regclass('batch')")) is None:
            return 0
        return int(connection.scalar(text("select count(*) from batch where cause = 'ingest'")) or 0)


def split_capture(folder: Path, workers: int, seed: int) -> list[Path]:
    """The sample world's capture in as many folders, each partition in one of them, as the seed says."""
    events = Path(__file__).parents[3] / "mdm" / "demo" / "world" / "events"
    dice, owners = random.Random(seed), dict[tuple[str, int], int]()
    lines: list[list[bytes]] = [[] for _ in range(workers)]
    for path in sorted(events.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True):
            message = orjson.loads(line)
            place = (message["topic"], message["partition"])
            lines[owners.setdefault(place, dice.randrange(workers))].append(line)
    folders = [folder / f"worker{number}" for number in range(workers)]
    for place, content in zip(folders, lines, strict=True):
        place.mkdir()
        (place / "events.jsonl").write_bytes(b"".join(content))
    return folders


@pytest.mark.parametrize("seed", _SEEDS)
def test_workers_beside_each_other_end_in_the_same_state(fresh_database_url: str, tmp_path: Path, seed: int) -> None:
    environment = os.environ | {"MDM_DATABASE_URL": fresh_database_url}
    workers = [
        subprocess.Popen([*_command(), "--feed", f"file:{folder}"], env=environment, stdout=subprocess.DEVNULL)
        for folder in split_capture(tmp_path, 2 + seed % 2, seed)
    ]
    assert [worker.wait() for worker in workers] == [0] * len(workers)

    engine = make_engine(fresh_database_url)
    catalogue = load_catalogue(None)
    assert verify(engine, catalogue, load_rules(catalogue)).differences == ()
    assert_the_quiet_state(engine)
    engine.dispose()
