"""The promises of every feed, asked of Kafka: the same tests as for files and memory, on a real broker."""

from collections.abc import Sequence
from itertools import count

import pytest

from deploy.stack.broker import Broker
from mdm.model.events import Message
from mdm.streams.kafka import KafkaFeed, KafkaSource
from mdm.streams.protocol import Consumer
from tests.harness.live import create_topics, produce
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


@pytest.fixture(scope="session")
def filled(broker: Broker) -> Broker:
    create_topics(broker.bootstrap, (message.place.topic for message in MESSAGES))
    produce(broker.bootstrap, MESSAGES)
    return broker


@pytest.fixture
def make_feed(filled: Broker) -> MakeFeed:
    def make(messages: Sequence[Message]) -> Consumer:
        assert messages == MESSAGES
        source = KafkaSource(filled.bootstrap, "^crm[.]public[.]account$", f"suite-{next(_groups)}", until_end=True)
        return Patient(source)

    return make


test_messages_come_whole_and_in_order = promises.test_messages_come_whole_and_in_order
test_a_poll_returns_no_more_than_asked_for = promises.test_a_poll_returns_no_more_than_asked_for
test_a_finite_feed_ends_when_a_poll_found_nothing_more = promises.test_a_finite_feed_ends_when_a_poll_found_nothing_more
test_seeking_the_start_changes_nothing = promises.test_seeking_the_start_changes_nothing
test_committing_and_closing_are_harmless = promises.test_committing_and_closing_are_harmless
