"""What the relay publishes of an erased subject: nothing that compaction of the topic would leave names it."""

from collections.abc import Iterable

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.hub import erase
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.streams.publisher import MemoryPublisher, Record
from mdm.workers.relay import RelayOptions, run_relay
from tests.harness.consumer_view import ConsumerView
from tests.integration.hub.test_erase import a_lonely_customer


def compacted(records: Iterable[Record]) -> list[Record]:
    """What a compacted topic keeps in the end: the newest record of each key, and no tombstone."""
    newest = {(each.topic, each.key): each for each in records}
    return [each for each in newest.values() if each.value is not None]


def mentions(records: Iterable[Record], needles: Iterable[str]) -> int:
    said = [needle.casefold() for needle in needles]
    texts = ((each.value or b"").decode().casefold() for each in records)
    return sum(any(needle in text for needle in said) for text in texts)


@pytest.mark.sample_world
def test_of_an_erased_customer_a_compacted_topic_keeps_nothing(engine: Engine) -> None:
    catalogue = load_catalogue(None)
    hub = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    publisher = MemoryPublisher()

    def publish() -> int:
        return run_relay(engine, system_clock, publisher, RelayOptions(once=True), lambda: False)

    publish()
    entity_id, _, needles = a_lonely_customer(engine)
    assert mentions(compacted(publisher.records), needles) > 0, "the topic names the customer"
    plan = erase.request(engine, system_clock, entity_id, [], {}, "ines", "request of the person")
    erase.carry_out(hub, plan.erasure_id, "otto")
    told = publish()

    assert mentions(publisher.records, needles) > 0, "what was published cannot be edited"
    assert mentions(compacted(publisher.records), needles) == 0
    last = [each for each in publisher.records if each.key.decode() == entity_id][-2:]
    assert (last[0].value is not None, last[1].value) == (True, None)
    assert b'"erased":true' in (last[0].value or b"").replace(b" ", b"")
    view = ConsumerView().read(publisher.records)
    assert entity_id in view.forgotten
    assert entity_id not in view.golden
    assert told < len(publisher.records), "tombstones are no announcements"
    assert publish() == 0
