"""The relay against a real database and a broker in memory: complete, in order, recognisable when repeated."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from sqlalchemy import text

from api.asyncapi import DOCUMENT, SCHEMAS, main
from mdm.access import FORMER_STEWARD
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.core.announce import check_announcements
from mdm.errors import InvariantViolated, TransientError
from mdm.hub import steward
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.steward import NO_POLICY, Actor
from mdm.intake.catalogue import load_catalogue
from mdm.model.delta import Announcement
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.model.stewardship import JudgePair, Merge, Verdict
from mdm.store import migrate, outbox
from mdm.store.embedded import EmbeddedServer
from mdm.store.outbox import open_outbox
from mdm.store.reading import snapshot
from mdm.streams.publisher import MemoryPublisher, Record
from mdm.workers.relay import RelayOptions, run_relay
from tests.harness.consumer_view import ConsumerView
from tests.integration.hub.conftest import world_messages
from tests.integration.workers.turns import turns_at_the_end

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: Products of three platforms and the CRM's accounts: they found, change, merge and retire.
TOPICS = ("crm.public.product2", "billing.public.product", "erp.public.item", "crm.public.account")
#: The JSON Schema of AsyncAPI 3.0.0 documents, as its authors publish it (@asyncapi/specs, Apache-2.0).
ASYNCAPI = Path(__file__).with_name("asyncapi-3.0.0.schema.json.gz")
MESSAGES = tuple(message for message in world_messages() if message.place.topic in TOPICS)


class FailingPublisher(MemoryPublisher):
    """A broker that writes and then cannot say so, once."""

    def __init__(self) -> None:
        super().__init__()
        self._fails = True

    def flush(self) -> None:
        super().flush()
        if self._fails:
            self._fails = False
            raise TransientError("The broker went away.")


def take_in(pipeline: Pipeline) -> None:
    for start in range(0, len(MESSAGES), 200):
        process(pipeline, "test", MESSAGES[start : start + 200])


def judge(hub: Pipeline) -> None:
    """Decisions of stewards: one that changes nothing, a merge, and each of them taken back."""
    with snapshot(hub.engine) as work:
        (one, its), (other, others) = (
            (EntityId(row[0]), CrosswalkKey(*row[1:]))
            for row in work.query(
                """select min(entity_id), system, type, key from crosswalk join source_record using (rec_id)
                   where domain = 'customer' group by rec_id, system, type, key order by key limit 2"""
            )
        )
    for command in (JudgePair(its, others, Verdict.NOT_SAME), Merge((one, other), supersede=True)):
        steward.decide(hub, Actor("anna", FORMER_STEWARD), command, policy=NO_POLICY)
    for _ in range(2):
        steward.undo_last(hub, Actor("anna", FORMER_STEWARD), policy=NO_POLICY)


def publish(pipeline: Pipeline, publisher: MemoryPublisher) -> int:
    return run_relay(pipeline.engine, system_clock, publisher, RelayOptions(once=True), lambda: False)


def headers(record: Record) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def outbox_rows(pipeline: Pipeline) -> Sequence[tuple[str, bool]]:
    with pipeline.engine.connect() as connection:
        rows = connection.execute(text("select id::text, published_at is not null from outbox order by seq"))
        return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class World:
    """A hub that has published everything, and what it published."""

    hub: Pipeline
    records: tuple[Record, ...]


@pytest.fixture(scope="module")
def world(postgres_server: EmbeddedServer) -> Iterator[World]:
    postgres_server.create_database("relay_world")
    engine = make_engine(postgres_server.url("relay_world"))
    migrate.upgrade(engine)
    catalogue = load_catalogue(None)
    hub = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    take_in(hub)
    judge(hub)
    publisher = MemoryPublisher()
    publish(hub, publisher)
    yield World(hub, tuple(publisher.records))
    engine.dispose()


def test_everything_is_published_once_in_the_order_of_commit(world: World) -> None:
    rows = outbox_rows(world.hub)

    assert [headers(record)["ce_id"] for record in world.records] == [event_id for event_id, _ in rows]
    assert all(done for _, done in rows)
    assert len(rows) > 100
    turns = turns_at_the_end(world.hub.engine, outbox._RELAY_LOCK)
    assert publish(world.hub, MemoryPublisher()) == 0
    assert turns == [0], "whoever publishes next finds its turn free"


def test_a_view_built_from_the_events_alone_equals_the_hub(world: World) -> None:
    view = ConsumerView().read(world.records)

    with world.hub.engine.connect() as connection:
        golden = {
            row[0]: row[1]
            for row in connection.execute(text('select entity_id, "values" from golden where known_to is null'))
        }
        redirects = {
            row[0]: row[1]
            for row in connection.execute(text("select entity_id, merged_into from entity where status = 'merged'"))
        }
    assert view.golden == golden
    assert {entity: view.leads_to(entity) for entity in view.redirects} == redirects
    assert view.gaps == []
    times = Counter(decision for decision, _ in view.decisions)
    assert (len(times), set(times.values())) == (4, {2}), "each of the four, of both customers"


def test_what_was_sent_before_a_failure_is_recognised_when_it_comes_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mdm.workers.patience._FIRST_WAIT", 0.01)
    take_in(pipeline)
    publisher = FailingPublisher()
    publish(pipeline, publisher)

    view = ConsumerView().read(publisher.records)
    assert view.repeated > 0
    assert view.taken == len(outbox_rows(pipeline))
    assert view.gaps == []


def test_one_relay_publishes_at_a_time(pipeline: Pipeline) -> None:
    with open_outbox(pipeline.engine) as first, open_outbox(pipeline.engine) as second:
        assert first.is_mine()
        assert not second.is_mine()
    with open_outbox(pipeline.engine) as third:
        assert third.is_mine()


def test_events_fit_the_committed_documents(world: World) -> None:
    described = json.loads(DOCUMENT.read_text("utf-8"))
    messages = {each["name"]: (name, each) for name, each in described["components"]["messages"].items()}
    topics = {each["address"] for each in described["channels"].values()}

    schemas = {
        name: json.loads((SCHEMAS / f"{name}.v1.schema.json").read_text("utf-8")) for name, _ in messages.values()
    }
    validators = {name: Draft202012Validator(schema) for name, schema in schemas.items()}

    for record in world.records:
        told = headers(record)
        name, message = messages[told["ce_type"]]
        assert Draft202012Validator(message["headers"]).is_valid(told)
        assert told["ce_dataschema"] == schemas[name]["$id"]
        assert record.topic in topics
        assert record.key.decode() == told["ce_subject"] == json.loads(record.value)["entity_id"]
    # Every kind of event, each a few times: the writer has checked all of them with another implementation.
    kinds = Counter(headers(record)["ce_type"] for record in world.records)
    assert {kind.split(".")[2] for kind in kinds} >= {"created", "changed", "merged", "decided"}
    for kind in kinds:
        some = [record for record in world.records if headers(record)["ce_type"] == kind][:20]
        for record in some:
            validators[messages[kind][0]].validate(json.loads(record.value))


def test_the_document_is_valid_asyncapi() -> None:
    described = json.loads(DOCUMENT.read_text("utf-8"))
    asyncapi = Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))

    assert [(list(each.absolute_path), each.message) for each in asyncapi.iter_errors(described)] == []
    described["operations"]["publish_customer"]["action"] = "shout"
    assert not asyncapi.is_valid(described)


def test_every_message_that_a_channel_names_is_described() -> None:
    described = json.loads(DOCUMENT.read_text("utf-8"))
    named = {each["$ref"] for channel in described["channels"].values() for each in channel["messages"].values()}

    assert named == {f"#/components/messages/{each}" for each in described["components"]["messages"]}


def test_the_committed_documents_are_what_the_hub_publishes() -> None:
    assert main(["--check"]) == 0


def test_an_event_carries_the_trace_of_the_change_that_caused_it(pipeline: Pipeline) -> None:
    changed = replace(MESSAGES[0], headers=(*MESSAGES[0].headers, ("traceparent", TRACE.encode())))
    process(pipeline, "test", [changed, *MESSAGES[1:3]])
    publisher = MemoryPublisher()
    publish(pipeline, publisher)

    traces = [headers(record).get("traceparent") for record in publisher.records]
    assert traces.count(TRACE) == 1
    (traced,) = (record for record in publisher.records if "traceparent" in headers(record))
    assert headers(traced)["ce_traceparent"] == TRACE


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("customer.changed", {"entity_id": "cus_1"}),
        ("customer.retired", {"entity_id": "cus_" + "0" * 26, "domain": "product", "status": "retired"}),
        ("customer.celebrated", {}),
    ],
)
def test_what_breaks_the_promise_is_never_written(event: str, payload: dict[str, object]) -> None:
    with pytest.raises(InvariantViolated):
        check_announcements([Announcement(Domain.CUSTOMER, EntityId("cus_1"), event, payload)])


def test_schemas_say_whose_data_it_is_and_how_far_it_may_travel() -> None:
    schema = json.loads((Path(SCHEMAS) / "customer.changed.v1.schema.json").read_text("utf-8"))
    values = schema["properties"]["values"]["properties"]

    assert (values["payment_terms"]["x-owner"], values["payment_terms"]["x-data-class"]) == (
        "finance-master-data",
        "confidential",
    )
