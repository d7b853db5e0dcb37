"""The whole sample world through a real broker, while workers, relay, broker and database are killed at random.

It ends as if nothing had happened: the same golden state, every message accounted for, and everything said to
consumers, in order. `MDM_LIVE_SEED` and `MDM_LIVE_KILLS` choose another story or a longer one.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from deploy.stack.broker import Broker
from deploy.stack.hub import HubProcesses
from deploy.stack.maven import Artifacts
from deploy.stack.processes import Program, accepts, free_port
from mdm.bootstrap import open_hub
from mdm.clock import system_clock
from mdm.errors import TransientError
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import Domain
from mdm.settings import read_settings
from mdm.store.positions import stored_positions
from mdm.store.read_status import status_summary
from mdm.streams.cloud_events import topic_of
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import drain
from tests.harness.consumer_view import ConsumerView
from tests.harness.live import create_topics, end_offsets, producing, read_topics, wait_until
from tests.integration.hub.conftest import world_messages

SEED = int(os.environ.get("MDM_LIVE_SEED", "20240601"))
KILLS = int(os.environ.get("MDM_LIVE_KILLS", "20"))
#: A kill comes when something has moved since the last one: killing faster would test only how processes start.
LONGEST_WAIT_SECONDS = 20.0
TOPICS = sorted({message.place.topic for message in world_messages()})
GOLDEN_TOPICS = [topic_of(domain) for domain in Domain]


@dataclass(slots=True)
class Victims:
    """What can be killed, and how each comes back."""

    hub: HubProcesses
    broker: Broker
    workers: list[Program]
    kills: dict[str, int] = field(default_factory=dict)
    #: Deaths that nobody caused: a worker waits out what happens to the others, it does not die of it.
    own_deaths: list[str] = field(default_factory=list)

    def kill_one(self, choice: random.Random) -> None:
        kind = choice.choices(("worker", "relay", "broker", "postgres"), weights=(5, 2, 2, 3))[0]
        {"worker": self._worker, "relay": self._relay, "broker": self._broker, "postgres": self._postgres}[kind](choice)
        self.kills[kind] = self.kills.get(kind, 0) + 1

    def _worker(self, choice: random.Random) -> None:
        worker = choice.choice(self.workers[:2])
        worker.kill()
        time.sleep(choice.uniform(0, 0.5))
        worker.start()

    def _relay(self, choice: random.Random) -> None:
        self.workers[2].kill()
        time.sleep(choice.uniform(0, 0.5))
        self.workers[2].start()

    def _broker(self, choice: random.Random) -> None:
        self.broker.program.kill()
        time.sleep(choice.uniform(0, 1.0))
        self.broker.start()

    def _postgres(self, choice: random.Random) -> None:
        # Its keeper starts it again, as an operating system's service manager would.
        pid_file = self.hub.directory / "hub" / "postgres" / "cluster" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)

    def revive(self) -> None:
        """Start workers that died of themselves, as a service manager would, and note it."""
        for worker in self.workers:
            if worker.process() is None:
                self.own_deaths.append(worker.name)
                worker.start()


@pytest.fixture
def quiet_state(engine: Engine) -> str:
    """The state after a quiet run."""
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    drain(pipeline, MemoryFeed("quiet", world_messages()), batch_size=1000, dead_letter_limit=0)
    return state_digest(engine).state


@pytest.fixture
def victims(artifacts: Artifacts, tmp_path: Path) -> Iterator[Victims]:
    broker = Broker(artifacts, tmp_path / "broker", free_port(), free_port())
    broker.start()
    hub = HubProcesses(tmp_path, broker.bootstrap, free_port())
    hub.run("db", "upgrade")
    workers = [hub.worker(number, "--session-timeout", "3", "--batch-size", "200") for number in (1, 2)]
    found = Victims(hub, broker, [*workers, hub.relay()])
    for program in found.workers:
        program.start()
    yield found
    for program in [*found.workers, hub.api(), broker.program]:
        program.stop(5)


def test_twenty_deaths_change_nothing(quiet_state: str, victims: Victims) -> None:
    hub, bootstrap, choice = victims.hub, victims.broker.bootstrap, random.Random(SEED)
    create_topics(bootstrap, TOPICS)
    # As the platforms said it, side by side; a partition keeps its order.
    messages = sorted(world_messages(), key=lambda message: message.timestamp_ms)
    with open_hub(read_settings(hub.settings)) as opened:
        for number in range(KILLS):
            part = messages[len(messages) * number // KILLS : len(messages) * (number + 1) // KILLS]
            before = taken_in(opened.engine, hub)
            with producing(bootstrap, part, seconds=1.0):
                wait_for_progress(opened.engine, hub, before)
                time.sleep(choice.uniform(0, 1.0))
                victims.kill_one(choice)
                victims.revive()
        wait_until(caught_up(opened.engine, bootstrap, victims), 120, "catching up with the topics")
        wait_until(lambda: unpublished(opened.engine) == 0, 60, "publishing everything")
        for worker in victims.workers:
            worker.stop()
        assert sum(victims.kills.values()) == KILLS
        assert victims.own_deaths == []

        assert state_digest(opened.engine).state == quiet_state
        check_account(opened.engine, bootstrap)
        view = ConsumerView().read(read_topics(bootstrap, GOLDEN_TOPICS))
        check_view(view, opened.engine)
        check_api(view, hub)


def taken_in(engine: Engine, hub: HubProcesses) -> int:
    """Messages that the hub has taken in so far; 0 while its database does not answer."""
    with contextlib.suppress(TransientError):
        return sum(stored_positions(engine, f"kafka:{hub.group}").values())
    return 0


def wait_for_progress(engine: Engine, hub: HubProcesses, before: int) -> None:
    """Until something was taken in; not for ever, because the victims may have to be revived first."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while taken_in(engine, hub) <= before and time.monotonic() < deadline:
        time.sleep(0.1)


def caught_up(engine: Engine, bootstrap: str, victims: Victims) -> Callable[[], bool]:
    def asked() -> bool:
        victims.revive()
        stored = stored_positions(engine, f"kafka:{victims.hub.group}")
        return {tuple(log): offset for log, offset in stored.items()} == end_offsets(bootstrap, TOPICS)

    return asked


def unpublished(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("select count(*) from outbox where published_at is null")) or 0)


def check_account(engine: Engine, bootstrap: str) -> None:
    """Every message of the broker has one outcome, and the two counts of them agree."""
    written = sum(end_offsets(bootstrap, TOPICS).values())
    with engine.connect() as connection:
        ledgered = connection.scalar(text("select count(*) from event_ledger"))
        messages = status_summary(connection)["messages"]
    assert written >= len(world_messages())
    assert ledgered == written
    assert messages["add_up"]
    assert all(topic["quarantined"] == 0 for topic in messages["topics"])


def check_view(view: ConsumerView, engine: Engine) -> None:
    """A consumer that has read only the events knows what the hub knows, and has missed nothing on the way."""
    with engine.connect() as connection:
        golden = {
            row[0]: row[1]
            for row in connection.execute(text('select entity_id, "values" from golden where known_to is null'))
        }
        announced = connection.scalar(text("select count(*) from outbox"))
    assert view.gaps == []
    assert view.taken == announced
    assert view.golden == golden


def check_api(view: ConsumerView, hub: HubProcesses) -> None:
    """The API lists the very entities of the view, and leads absorbed ids where the view leads them."""
    hub.start_api()
    headers = {"Authorization": f"Bearer {hub.issue_key('admin')}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.api_port}", headers=headers, timeout=30) as api:
        listed: dict[str, str] = {}
        for domain in Domain:
            cursor = {}
            while True:
                answer = api.get(f"/v1/{domain.plural}", params={"limit": 200, **cursor})
                assert answer.is_success, hub.api().end_of_log()
                page = answer.json()
                listed |= {item["id"]: item["name"] for item in page["items"]}
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        assert listed.keys() == view.golden.keys()
        for entity, values in view.golden.items():
            if "name" in values:
                assert listed[entity] == values["name"]
        for absorbed in sorted(view.redirects)[:20]:
            kind = {"cus": "customers", "con": "contracts", "prd": "products"}[absorbed.split("_")[0]]
            record = api.get(f"/v1/{kind}/{absorbed}", follow_redirects=True).raise_for_status().json()
            assert record["id"] == view.leads_to(absorbed)
    assert accepts(hub.api_port)
