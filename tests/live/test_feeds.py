"""The promises of every feed, asked of Kafka: the same tests as for files and memory, on a real broker.

With `MDM_LIVE=mock`, or where Java or Maven is missing, on librdkafka's mock cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from deploy.stack.broker import Broker
from mdm.model.events import Message
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.streams.kafka_settings import KafkaSecurity
from mdm.streams.protocol import Consumer
from tests.harness.live import create_topics, produce
from tests.harness.mock_broker import CLIENT_OPTIONS, MockBroker
from tests.live.conftest import wants_mock
from tests.unit.mdm.streams import test_feeds as promises
from tests.unit.mdm.streams.test_feeds import MESSAGES, MakeFeed

_groups = count(1)


class Patient(KafkaFeed):
    """Polls until it has what was asked for or the end is reached, as a file would, partition by partition."""

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:
        messages: list[Message] = []
        while len(messages) < max_messages and not self.at_end():
            messages += super().poll(max_messages - len(messages), 0.2)
        return sorted(messages, key=lambda message: message.place[:2])

    def at_end(self) -> bool:
        return super().at_end() or self._consumer_closed

    _consumer_closed = False

    def close(self) -> None:
        super().close()
        self._consumer_closed = True


@dataclass(frozen=True, slots=True)
class Filled:
    """A broker that holds the suite's messages, and what a client needs to be told about it."""

    bootstrap: str
    options: Mapping[str, Any]


@pytest.fixture(scope="session")
def filled(request: pytest.FixtureRequest) -> Iterator[Filled]:
    topics = {message.place.topic for message in MESSAGES}
    if wants_mock():
        pytest.importorskip("confluent_kafka", reason="neither Java and Maven nor confluent-kafka is there")
        mock = MockBroker()
        produce(mock.bootstrap, MESSAGES, options=CLIENT_OPTIONS)
        yield Filled(mock.bootstrap, CLIENT_OPTIONS)
        del mock
        return
    broker: Broker = request.getfixturevalue("broker")
    create_topics(broker.bootstrap, topics)
    produce(broker.bootstrap, MESSAGES)
    yield Filled(broker.bootstrap, {})


@pytest.fixture
def make_feed(filled: Filled) -> MakeFeed:
    def make(messages: Sequence[Message]) -> Consumer:
        assert messages == MESSAGES
        group = f"suite-{next(_groups)}"
        source = KafkaSource(
            filled.bootstrap, "^crm[.]public[.]account$", group, KafkaSecurity(filled.options), until_end=True
        )
        return Patient(source)

    return make


test_messages_come_whole_and_in_order = promises.test_messages_come_whole_and_in_order
test_a_poll_returns_no_more_than_asked_for = promises.test_a_poll_returns_no_more_than_asked_for
test_a_finite_feed_ends_when_a_poll_found_nothing_more = promises.test_a_finite_feed_ends_when_a_poll_found_nothing_more
test_seeking_the_start_changes_nothing = promises.test_seeking_the_start_changes_nothing
test_committing_and_closing_are_harmless = promises.test_committing_and_closing_are_harmless
