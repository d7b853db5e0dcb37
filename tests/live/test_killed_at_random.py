"""The sample world lived in four platform databases, through real Debezium and a real broker, and everything is killed.

Workers, relay, broker, Connect and the hub's database die at random, -9. It ends as if nothing had happened: the golden
state of a quiet run over the same topics, the rows of the source tables, every message accounted for, and everything
said to consumers, in order. `MDM_LIVE_SEED` and `MDM_LIVE_KILLS` choose another story or a longer one.
"""

import contextlib
import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from kafka import KafkaConsumer
from sqlalchemy import Engine, text

from deploy.stack.hub import HubProcesses
from deploy.stack.platform_sql import PLATFORMS
from deploy.stack.processes import free_port
from deploy.stack.stack import Ports, Stack
from mdm.bootstrap import Hub, open_hub
from mdm.cli.open_feed import topics_of
from mdm.clock import system_clock
from mdm.errors import TransientError
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.ids import Domain
from mdm.settings import read_settings
from mdm.store.positions import stored_positions
from mdm.store.read_status import status_summary
from mdm.store.scratch import PREFIX, scratch_engine
from mdm.streams.cloud_events import topic_of
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.workers.rebuilding import rebuild_from_feed
from tests.harness.consumer_view import ConsumerView
from tests.harness.live import end_offsets, read_topics, wait_until
from tests.harness.mirrored import differing_rows
from tests.harness.platform_story import history, living, start_over
from tests.harness.victims import Victims, deaths

SEED = int(os.environ.get("MDM_LIVE_SEED", "20240601"))
KILLS = int(os.environ.get("MDM_LIVE_KILLS", "20"))
#: A kill comes when something has moved since the last one: killing faster would test only how processes start.
LONGEST_WAIT_SECONDS = 20.0
#: What has not arrived after that never will; a busy machine takes its time.
PATIENCE_SECONDS = 600.0
GOLDEN_TOPICS = [topic_of(domain) for domain in Domain]
#: Tables that are changed at random beside the story: the key, and a text column in which anything may stand.
CHANGED = {
    ("crm", "account"): ("id", "industry"),
    ("crm", "contact"): ("id", "title"),
    ("crm", "contract"): ("id", "billing_frequency"),
    ("crm", "product2"): ("id", "family"),
    ("erp", "business_partner"): ("bp_number", "city"),
    ("erp", "item"): ("item_code", "description"),
    ("erp", "sales_contract"): ("contract_no", "external_ref"),
}


@pytest.fixture
def catalogue() -> Catalogue:
    return load_catalogue(None)


@pytest.fixture
def stack(tmp_path: Path, catalogue: Catalogue) -> Iterator[Stack]:
    ports = Ports(*(free_port() for _ in range(6)))
    stack = Stack(tmp_path, ports, workers=2, worker_options=("--session-timeout", "3", "--batch-size", "200"))
    stack.platforms.start()
    start_over(stack.platforms, catalogue)
    stack.up()
    yield stack
    stack.down()


def test_twenty_deaths_change_nothing(stack: Stack, catalogue: Catalogue) -> None:
    choice = random.Random(SEED)
    victims, story = Victims(stack, choice), history(catalogue)
    with open_hub(read_settings(stack.hub.settings)) as opened:
        for number, kind in enumerate(deaths(KILLS, choice)):
            part = story[len(story) * number // KILLS : len(story) * (number + 1) // KILLS]
            before = taken_in(opened.engine, stack.hub)
            with living(stack.platforms, part, seconds=2.0):
                wait_for_progress(opened.engine, stack.hub, before)
                time.sleep(choice.uniform(0, 1.0))
                victims.kill(kind)
            change_rows(stack, choice)
            victims.revive()
        for platform in PLATFORMS:
            wait_until(
                lambda p=platform: differing_rows(stack.platforms, opened.engine, catalogue, p) == [],
                PATIENCE_SECONDS,
                f"{platform} arriving",
                lambda p=platform: str(differing_rows(stack.platforms, opened.engine, catalogue, p)[:10]),
            )
        # Nothing new from here on, heartbeats neither.
        stack.connect.program.stop()
        topics = captured_topics(stack, catalogue)
        ends = end_offsets(stack.broker.bootstrap, topics)
        wait_until(lambda: positions(opened.engine, stack.hub) == ends, PATIENCE_SECONDS, "catching up with the topics")
        assert [program.name for program in stack.programs() if program.process() is None] == ["connect"]
        for program in (*stack.ingest, stack.calendar):  # whoever announces something
            program.stop()
        wait_until(lambda: unpublished(opened.engine) == 0, PATIENCE_SECONDS, "publishing everything")
        stack.relay.stop()
        assert sum(victims.kills.values()) == KILLS
        assert victims.own_deaths == []

        check_account(opened.engine, sum(ends.values()))
        check_quiet_run(opened, catalogue, stack.broker.bootstrap)
        view = ConsumerView().read(read_topics(stack.broker.bootstrap, GOLDEN_TOPICS))
        check_view(view, opened.engine)
        check_api(view, stack.hub)
    verified = json.loads(stack.hub.run("verify", "--json"))
    assert verified["agrees"] is True, verified


def check_quiet_run(hub: Hub, catalogue: Catalogue, bootstrap: str) -> None:
    """The same topics, read again with nothing happening to anybody, give the same golden state.

    What the hub had published when a row of ERP changed is a fact of the story, as is who decided what: the marks of
    what only repeated the hub are carried over.
    """
    pipeline = Pipeline(hub.engine, system_clock, catalogue, load_rules(catalogue))
    feed = KafkaFeed(KafkaSource(bootstrap, topics_of(catalogue), "quiet", until_end=True))
    quiet = rebuild_from_feed(pipeline, feed, dead_letter_limit=0, keep=True)
    assert quiet.differences == ()
    scratch = scratch_engine(hub.engine.url, f"{PREFIX}rebuild")
    assert state_digest(scratch) == state_digest(hub.engine)
    scratch.dispose()


def change_rows(stack: Stack, choice: random.Random) -> None:
    """What the story has too little of: copied rows, changed primary keys, deletes, each its own transaction."""
    for (platform, table), (key, column) in choice.sample(sorted(CHANGED.items()), 4):
        with stack.platforms.connect(platform) as connection:
            change_one(connection, table, key, column, choice)


def change_one(connection: "psycopg.Connection[Any]", table: str, key: str, column: str, choice: random.Random) -> None:
    keys = [row[0] for row in connection.execute(f"select {key} from {table} order by {key}".encode()).fetchall()]
    one = choice.choice(keys)
    match choice.choice(("update", "copy", "delete", "rename")):
        case "update":
            change = (f"update {table} set {column} = %s where {key} = %s", f"n{choice.randrange(99)}")
        case "copy":
            change = (
                f"""insert into {table}
                    select (jsonb_populate_record(t, jsonb_build_object('{key}', %s::text))).*
                    from {table} t where {key} = %s""",
                f"C{choice.randrange(10**8):08d}",
            )
        case "rename":
            change = (f"update {table} set {key} = %s where {key} = %s", f"R{choice.randrange(10**8):08d}")
        case _:
            change = (f"delete from {table} where %s <> {key} and {key} = %s", "")
    connection.execute(change[0].encode(), (change[1], one))


def taken_in(engine: Engine, hub: HubProcesses) -> int:
    """Messages that the hub has taken in so far; 0 while its database does not answer."""
    with contextlib.suppress(TransientError):
        return sum(positions(engine, hub).values())
    return 0


def positions(engine: Engine, hub: HubProcesses) -> dict[tuple[str, int], int]:
    """Where the hub stands in each partition."""
    return {tuple(log): offset for log, offset in stored_positions(engine, f"kafka:{hub.group}").items()}


def wait_for_progress(engine: Engine, hub: HubProcesses, before: int) -> None:
    """Until something was taken in; not for ever, because the victims may have to be revived first."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while taken_in(engine, hub) <= before and time.monotonic() < deadline:
        time.sleep(0.1)


def captured_topics(stack: Stack, catalogue: Catalogue) -> Sequence[str]:
    """Everything that Debezium wrote: tables, heartbeats, transactions."""
    wanted = re.compile(topics_of(catalogue))
    with closing(KafkaConsumer(bootstrap_servers=stack.broker.bootstrap, metrics_enabled=False)) as consumer:
        return sorted(topic for topic in consumer.topics() if wanted.search(topic))


def unpublished(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("select count(*) from outbox where published_at is null")) or 0)


def check_account(engine: Engine, written: int) -> None:
    """Every message of the broker has one outcome, and the two counts of them agree."""
    with engine.connect() as connection:
        ledgered = connection.scalar(text("select count(*) from event_ledger"))
        messages = status_summary(connection)["messages"]
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
    """The API shows the very golden records of the view, and leads absorbed ids where the view leads them."""
    headers = {"Authorization": f"Bearer {hub.issue_key('admin')}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{hub.api_port}", headers=headers, timeout=30) as api:
        listed: list[str] = []
        for domain in Domain:
            cursor = {}
            while True:
                page = api.get(f"/v1/{domain.plural}", params={"limit": 200, **cursor}).raise_for_status().json()
                listed += [item["id"] for item in page["items"]]
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        assert sorted(listed) == sorted(view.golden)
        for entity, values in view.golden.items():
            record = api.get(f"/v1/{_plural(entity)}/{entity}").raise_for_status().json()
            assert without_lookups(record["values"]) == values
        for absorbed in sorted(view.redirects):
            record = api.get(f"/v1/{_plural(absorbed)}/{absorbed}", follow_redirects=True).raise_for_status().json()
            assert record["id"] == view.leads_to(absorbed)


def without_lookups(value: Any) -> Any:
    """Values as they are stored: the API adds to a reference the entity that it leads to now."""
    if isinstance(value, dict):
        kept = value.keys() - {"entity_id"} if value.keys() >= {"system", "type", "key"} else value.keys()
        return {name: without_lookups(value[name]) for name in kept}
    return [without_lookups(each) for each in value] if isinstance(value, list) else value


def _plural(entity: str) -> str:
    return {"cus": "customers", "con": "contracts", "prd": "products"}[entity.split("_")[0]]
