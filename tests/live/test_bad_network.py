"""Worker and relay behind proxies that cut, reset, stall and half-open connections: nothing lost, nothing doubled.

One proxy stands before the broker, one before the database.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from deploy.stack.broker import Broker
from deploy.stack.hub import HubProcesses
from deploy.stack.maven import Artifacts
from deploy.stack.processes import Program, free_port
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.store import migrate
from mdm.store.embedded import EmbeddedServer
from mdm.store.positions import stored_positions
from mdm.store.read_status import status_summary
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import drain
from tests.harness.consumer_view import ConsumerView
from tests.harness.fault_proxy import Fault, FaultProxy, misbehaving
from tests.harness.live import create_topics, end_offsets, produce, producing, read_topics, wait_until
from tests.integration.hub.conftest import world_messages
from tests.live.test_killed_at_random import GOLDEN_TOPICS

SEED = int(os.environ.get("MDM_LIVE_SEED", "7"))
SECONDS = float(os.environ.get("MDM_LIVE_SECONDS", "25"))
MESSAGES = tuple(message for message in world_messages() if message.place.topic.startswith(("crm.", "erp.")))[:2500]
TOPICS = sorted({message.place.topic for message in MESSAGES})
PASSWORD = "a-password-of-this-test"


@dataclass(slots=True)
class Site:
    """A hub whose every connection goes through a proxy; `engine` is the test's own, direct one."""

    engine: Engine
    broker: Broker
    programs: list[Program]
    proxies: tuple[FaultProxy, FaultProxy]


@pytest.fixture
def quiet_state(engine: Engine) -> str:
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    drain(pipeline, MemoryFeed("quiet", MESSAGES), batch_size=1000, dead_letter_limit=0)
    return state_digest(engine).state


@pytest.fixture
def site(artifacts: Artifacts, tmp_path: Path) -> Iterator[Site]:
    database_port, behind = free_port(), free_port()
    to_broker, to_database = FaultProxy(behind), FaultProxy(database_port)
    to_broker.start()
    to_database.start()
    broker = Broker(artifacts, tmp_path / "broker", free_port(), free_port(), proxied=(behind, to_broker.port))
    with EmbeddedServer(tmp_path / "postgres", tcp_port=database_port) as server:
        server.create_database("mdm")
        with psycopg.connect(server.url("mdm").replace("+psycopg", "")) as connection:
            connection.execute(f"create role hub login superuser password '{PASSWORD}'")
        engine = make_engine(server.url("mdm"))
        migrate.upgrade(engine)
        broker.start()
        address = f"postgresql://hub:{PASSWORD}@127.0.0.1:{to_database.port}/mdm"
        hub = HubProcesses(tmp_path, f"127.0.0.1:{to_broker.port}", 0, {"MDM_DATABASE_URL": address})
        programs = [hub.worker(1, "--session-timeout", "3", "--batch-size", "100"), hub.relay()]
        for program in programs:
            program.start()
        yield Site(engine, broker, programs, (to_broker, to_database))
        for program in programs:
            program.stop(5)
        broker.program.stop()
        engine.dispose()
    to_broker.stop()
    to_database.stop()


def test_a_bad_network_loses_and_doubles_nothing(quiet_state: str, site: Site) -> None:
    bootstrap = site.broker.bootstrap
    create_topics(bootstrap, TOPICS)
    for proxy in site.proxies:
        proxy.latency = 0.002
    first = len(MESSAGES) // 10
    produce(bootstrap, MESSAGES[:first])
    wait_until(lambda: count(site.engine, "event_ledger") == first, 600, "the first messages on a good network")
    with producing(bootstrap, MESSAGES[first:], SECONDS), misbehaving(*site.proxies, seed=SEED):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until or not all_suffered(site):
            time.sleep(0.5)
            revive(site)
            assert time.monotonic() < until + 120, [proxy.inflicted for proxy in site.proxies]
    ends = end_offsets(bootstrap, TOPICS)
    wait_until(lambda: caught_up(site, ends), 600, "catching up with the topics")
    wait_until(lambda: count(site.engine, "outbox where published_at is null") == 0, 600, "publishing everything")
    for program in site.programs:
        program.stop()

    assert state_digest(site.engine).state == quiet_state
    with site.engine.connect() as connection:
        messages = status_summary(connection)["messages"]
    assert messages["add_up"]
    assert count(site.engine, "event_ledger") == sum(ends.values()) == len(MESSAGES)
    view = ConsumerView().read(read_topics(bootstrap, GOLDEN_TOPICS))
    assert view.gaps == []
    assert view.taken == count(site.engine, "outbox")


def all_suffered(site: Site) -> bool:
    """Whether every fault has befallen connections of both proxies, a few times."""
    return all(proxy.inflicted[fault] >= 2 for proxy in site.proxies for fault in Fault)


def revive(site: Site) -> None:
    """Start again what ended because its first connection already failed, as a service manager would."""
    for program in site.programs:
        if program.process() is None:
            program.start()


def caught_up(site: Site, ends: dict[tuple[str, int], int]) -> bool:
    revive(site)
    return {tuple(log): offset for log, offset in stored_positions(site.engine, "kafka:mdm").items()} == ends


def count(engine: Engine, what: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text(f"select count(*) from {what}")) or 0)
