"""Batches prepared in a process of their own are what they are in a thread, whatever becomes of that process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine

from mdm.errors import TransientError
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, prepare
from mdm.model.events import Message
from mdm.streams.file import FileFeed
from mdm.streams.memory import MemoryFeed
from mdm.workers import preparing
from mdm.workers.ingest import drain
from mdm.workers.preparing import in_process, in_thread, pace_of
from tests.integration.hub.conftest import world_messages

_TOPICS = ("crm.public.product2", "crm.public.account")
MESSAGES = tuple(message for message in world_messages() if message.place.topic in _TOPICS)


class Registry:
    """Makes nothing plain, and is away for whoever is not the process that made it."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def plain(self, message: Message) -> Message:
        if os.getpid() != self.home:
            raise TransientError("away")
        return message


def helpers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())]


def test_it_comes_to_the_same_and_the_helper_ends_with_the_block(pipeline: Pipeline) -> None:
    odd = replace(MESSAGES[0], place=MESSAGES[0].place._replace(offset=10**6), value=b"{")
    messages = [*MESSAGES, odd]

    with in_process(pipeline) as there:
        found = there.start(messages)()
        assert len(helpers()) == 1

    assert helpers() == []
    assert found == prepare(pipeline, messages)
    assert len(found.decoded.dead_letters) == 1


def test_a_helper_that_dies_costs_nothing(pipeline: Pipeline) -> None:
    with in_process(pipeline) as there:
        first = there.start(MESSAGES[:10])
        assert first() == prepare(pipeline, MESSAGES[:10])
        second = there.start(MESSAGES[10:200])
        helpers()[0].kill()
        third = there.start(MESSAGES[200:])

        assert second() == prepare(pipeline, MESSAGES[10:200])
        assert third() == prepare(pipeline, MESSAGES[200:])


def test_what_fails_there_is_tried_here(pipeline: Pipeline) -> None:
    asking = replace(pipeline, plain=Registry().plain)

    with in_process(asking) as there:
        assert there.start(MESSAGES[:20])() == prepare(asking, MESSAGES[:20])


def test_what_cannot_be_carried_is_prepared_in_a_thread(pipeline: Pipeline) -> None:
    with in_process(replace(pipeline, plain=lambda message: message)) as there:
        assert there.start(MESSAGES[:20])() == prepare(pipeline, MESSAGES[:20])
        assert helpers() == []


def test_the_hub_ends_in_the_same_state(pipeline: Pipeline, new_engine: Callable[[], Engine]) -> None:
    other_pipeline = replace(pipeline, engine=new_engine())
    for each, where in ((pipeline, in_thread), (other_pipeline, in_process)):
        drain(each, MemoryFeed("memory:crm", MESSAGES), batch_size=150, dead_letter_limit=0, prepared=where)

    assert state_digest(pipeline.engine) == state_digest(other_pipeline.engine)


def test_only_a_large_capture_gets_a_process_and_larger_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = tmp_path / "events.jsonl"
    capture.write_text("x" * 5000)
    assert pace_of(FileFeed(capture), 1000).prepared is in_thread

    monkeypatch.setattr(preparing, "_LARGE", 5000)
    assert pace_of(FileFeed(capture), 1000) == preparing.Pace(2000, in_process, alone_if_free=True)
    assert pace_of(FileFeed(capture), 1000, 300).batch_size == 300
    assert pace_of(MemoryFeed("memory:crm", ()), 1000) == preparing.Pace(1000, in_thread)


_HOLDER = """
import time
from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.workers.preparing import in_process
if __name__ == "__main__":
    catalogue = load_catalogue(None)
    with in_process(Pipeline(None, system_clock, catalogue, load_rules(catalogue))) as there:
        there.start([])()
        print("ready", flush=True)
        time.sleep(60)
"""


def test_a_killed_worker_leaves_no_helper_behind(tmp_path: Path) -> None:
    script = tmp_path / "holder.py"
    script.write_text(_HOLDER)
    worker = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    children: Sequence[psutil.Process] = psutil.Process(worker.pid).children(recursive=True)
    assert children

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    end = time.monotonic() + 20
    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in children):
        assert time.monotonic() < end, children
        time.sleep(0.05)
