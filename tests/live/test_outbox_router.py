"""Debezium's outbox event router on the hub's own outbox: an alternative to the relay that needs no process of ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

import deploy
from deploy.stack.broker import Broker
from deploy.stack.connect import Connect
from deploy.stack.maven import Artifacts
from deploy.stack.processes import free_port
from mdm.access import Role
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import load_catalogue
from mdm.model.ids import EntityId
from mdm.model.stewardship import Pin
from mdm.store import migrate
from mdm.store.embedded import EmbeddedServer
from tests.harness.fault_loop import fault_messages
from tests.harness.live import end_offsets, read_topics, wait_until
from tests.integration.hub.steward.alone import decide

EXAMPLE = Path(deploy.__file__).parent / "connectors" / "outbox-router.json.example"
TOPICS = ["mdm.customer.golden.v1", "mdm.product.golden.v1"]
PASSWORD = "a-password-of-this-test"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[Pipeline, dict[str, str]]]:
    """A hub whose database Debezium may read, and how it reaches it."""
    port = free_port()
    with EmbeddedServer(tmp_path / "postgres", tcp_port=port, options={"wal_level": "logical"}) as server:
        server.create_database("mdm")
        with psycopg.connect(server.url("mdm").replace("+psycopg", "")) as connection:
            connection.execute(f"create role router login superuser replication password '{PASSWORD}'")
        engine = make_engine(server.url("mdm"))
        migrate.upgrade(engine)
        catalogue = load_catalogue(None)
        reach = {"hostname": "127.0.0.1", "port": str(port), "dbname": "mdm", "user": "router", "password": PASSWORD}
        yield (
            Pipeline(engine, system_clock, catalogue, load_rules(catalogue)),
            {f"database.{name}": value for name, value in reach.items()},
        )
        engine.dispose()


def pin_a_name(pipeline: Pipeline) -> None:
    """A steward's decision: the golden record changes, and that somebody decided is told as well."""
    with pipeline.engine.connect() as connection:
        entity = connection.scalar(
            text("select min(entity_id) from golden where known_to is null and domain = 'customer'")
        )
    decide(pipeline, Actor("anna", Role.STEWARD), Pin(EntityId(str(entity)), "name", "Pinned Ltd", reason="a test"))


def test_the_router_publishes_the_outbox(
    hub: tuple[Pipeline, dict[str, str]], artifacts: Artifacts, broker: Broker, tmp_path: Path
) -> None:
    pipeline, reach = hub
    process(pipeline, "test", fault_messages()[:100])  # what the router's snapshot finds
    connect = Connect(artifacts, tmp_path, free_port(), broker.bootstrap)
    connect.start()
    try:
        connect.register("mdm-outbox", {**json.loads(EXAMPLE.read_text("utf-8"))["config"], **reach})
        process(pipeline, "test", fault_messages()[100:])  # and what it streams
        pin_a_name(pipeline)
        with pipeline.engine.connect() as connection:
            rows = connection.execute(
                text("select id::text, aggregateid, type, payload from outbox order by seq")
            ).fetchall()
        wait_until(lambda: sum(end_offsets(broker.bootstrap, TOPICS).values()) >= len(rows), 600, "routing everything")
        assert "customer.decided" in {row[2] for row in rows}
    finally:
        connect.program.stop()

    records = read_topics(broker.bootstrap, TOPICS)
    told = [(dict(record.headers), record) for record in records]
    assert sorted(headers["id"].decode().strip('"') for headers, _ in told) == sorted(row[0] for row in rows)
    for entity in {row[1] for row in rows}:
        routed = [
            (headers["type"].decode().strip('"'), json.loads(record.value or b"null"))
            for headers, record in told
            if record.key.decode().strip('"') == entity
        ]
        assert routed == [(row[2], row[3]) for row in rows if row[1] == entity]
