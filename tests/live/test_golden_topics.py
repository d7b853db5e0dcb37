"""Topics of golden records on a real broker: how they are made, and that compaction lets go of an erased subject."""

from contextlib import closing
from uuid import uuid4

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

from deploy.stack.broker import Broker
from mdm.clock import system_clock
from mdm.streams.kafka_publisher import GOLDEN_TOPIC, KafkaPublisher
from mdm.streams.publisher import Record
from tests.harness.live import read_topics, wait_until

#: The shipped settings, in minutes instead of weeks; the broker looks every fifteen seconds.
QUICK = GOLDEN_TOPIC | {
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "0",
    "segment.ms": "500",
    "min.cleanable.dirty.ratio": "0.01",
}


def settings_of(bootstrap: str, topic: str) -> dict[str, str]:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        told = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, list(GOLDEN_TOPIC))], config_filter="all"
        )["topic"][topic]
    return {name: str(value["value"]) for name, value in told.items()}


def test_a_topic_that_is_missing_is_made_to_let_old_events_go(broker: Broker) -> None:
    topic, publisher = f"golden-{uuid4().hex}", KafkaPublisher(broker.bootstrap)

    assert publisher.ensure_topics([topic], 2) == []

    assert settings_of(broker.bootstrap, topic) == dict(GOLDEN_TOPIC)
    assert publisher.ensure_topics([topic], 2) == [], "there already, and as it should be"
    publisher.close()


def test_topics_that_keep_everything_are_named_and_left_alone(broker: Broker) -> None:
    names = {"for ever": f"golden-{uuid4().hex}", "a month": f"golden-{uuid4().hex}"}
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        admin.create_topics(
            [
                NewTopic(names["for ever"], 1, 1, topic_configs={"retention.ms": "-1"}),
                NewTopic(names["a month"], 1, 1, topic_configs={"retention.ms": "2592000000"}),
            ]
        )
    publisher = KafkaPublisher(broker.bootstrap)

    assert publisher.ensure_topics(list(names.values()), 1) == [names["for ever"]]

    assert settings_of(broker.bootstrap, names["for ever"])["cleanup.policy"] == "delete"
    publisher.close()


def test_compaction_drops_the_events_before_a_tombstone(broker: Broker) -> None:
    topic, publisher = f"golden-{uuid4().hex}", KafkaPublisher(broker.bootstrap)
    publisher.ensure_topics([topic], 1, QUICK)

    def say(key: str, value: bytes | None) -> None:
        publisher.send([Record(topic, key.encode(), value, (), int(system_clock().timestamp() * 1000))])
        publisher.flush()

    def values() -> list[bytes | None]:
        return [each.value for each in read_topics(broker.bootstrap, [topic])]

    say("cus_1", b"Erika Mustermann")
    say("cus_2", b"Seebad Werke")
    say("cus_1", b"retired")
    say("cus_1", None)
    assert b"Erika Mustermann" in values()

    def compacted() -> bool:
        say("cus_3", b"somebody else")  # the newest segment is never compacted: others go on writing
        found = values()
        return b"Erika Mustermann" not in found and b"retired" not in found

    wait_until(compacted, 180, "compaction", values)
    assert b"Seebad Werke" in values(), "the newest event of everybody else stays"
    publisher.close()
