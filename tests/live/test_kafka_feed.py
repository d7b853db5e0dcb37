"""What a Kafka feed promises beyond other feeds: groups, positions of the hub, lost positions, operators' pauses."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from kafka import TopicPartition as BrokerPartition

from deploy.stack.broker import Broker
from mdm.errors import TransientError
from mdm.model.events import Message, Place, TopicPartition
from mdm.model.lives import Life, in_life
from mdm.streams.kafka import KafkaFeed, KafkaSource, PositionLost, wait_for_assignment
from tests.harness.live import create_topics, drop_records, produce, recreate_topic

_numbers = count(1)


def numbered(topic: str, messages: int, partitions: int = 3) -> list[Message]:
    return [
        Message(Place(topic, number % partitions, number // partitions), 1_700_000_000_000, (), b"k%d" % number, b"{}")
        for number in range(messages)
    ]


@pytest.fixture
def topic(broker: Broker) -> str:
    name = f"feed{next(_numbers)}.public.thing"
    create_topics(broker.bootstrap, [name])
    produce(broker.bootstrap, numbered(name, 30))
    return name


def feed_of(
    broker: Broker, topic: str, stored: dict[TopicPartition, int] | None = None, **settings: object
) -> KafkaFeed:
    source = KafkaSource(broker.bootstrap, f"^{topic}$", f"group-{topic}", session_timeout_ms=3_000, **settings)  # type: ignore[arg-type]
    return KafkaFeed(source, None if stored is None else lambda: stored)


def take(feed: KafkaFeed, number: int, seconds: float = 20, poll_seconds: float = 0.2) -> list[Message]:
    messages: list[Message] = []
    deadline = time.monotonic() + seconds
    while len(messages) < number and time.monotonic() < deadline:
        messages += feed.poll(number - len(messages), poll_seconds)
    return messages


def places(messages: Sequence[Message]) -> list[Place]:
    return sorted(message.place for message in messages)


def test_the_hub_says_where_to_continue_whatever_the_broker_believes(broker: Broker, topic: str) -> None:
    first = feed_of(broker, topic)
    assert len(take(first, 30)) == 30
    first.commit({TopicPartition(topic, number): 10 for number in range(3)})
    first.close()

    second = feed_of(broker, topic, {TopicPartition(topic, 0): 7, TopicPartition(topic, 1): 10})
    messages = take(second, 13)
    second.close()

    assert places(messages) == [Place(topic, 0, each) for each in (7, 8, 9)] + [
        Place(topic, 2, each) for each in range(10)
    ]


def test_members_share_the_partitions_and_take_over(broker: Broker, topic: str) -> None:
    first, second = feed_of(broker, topic), feed_of(broker, topic)
    wait_for_assignment(first, 20)
    deadline = time.monotonic() + 30
    while not (first.assignment() and second.assignment()) and time.monotonic() < deadline:
        first.poll(1, 0.1)
        second.poll(1, 0.1)
    assert first.assignment()
    assert second.assignment()
    assert not first.assignment() & second.assignment()

    second.close()
    while len(first.assignment()) < 3 and time.monotonic() < deadline:
        first.poll(1, 0.2)
    assert len(first.assignment()) == 3
    first.close()


def test_an_assignment_that_comes_between_two_polls_counts(broker: Broker, topic: str) -> None:
    """The first member leads: were its answer thrown away, it would join anew, and the others with it, for ever."""
    members = [feed_of(broker, topic) for _ in range(3)]
    wait_for_assignment(members[0], 20)
    deadline = time.monotonic() + 40
    while not all(each.assignment() for each in members) and time.monotonic() < deadline:
        for each in members:
            each.poll(1, 0.15)
    shares = [each.assignment() for each in members]
    for each in members:
        each.close()

    assert [len(share) for share in shares] == [1, 1, 1]
    assert len(frozenset.union(*shares)) == 3


def test_a_member_that_is_given_a_partition_asks_the_hub_anew(broker: Broker, topic: str) -> None:
    stored: dict[TopicPartition, int] = {}
    first = feed_of(broker, topic, stored)
    assert len(take(first, 30)) == 30
    stored |= {TopicPartition(topic, number): 10 for number in range(3)}
    produce(broker.bootstrap, numbered(topic, 3))
    first.close()

    second = feed_of(broker, topic, stored)
    assert places(take(second, 3)) == [Place(topic, number, 10) for number in range(3)]
    assert second.poll(10, 0.5) == []
    second.close()


def test_a_position_that_the_broker_does_not_have_stops_the_worker(broker: Broker, topic: str) -> None:
    feed = feed_of(broker, topic, {TopicPartition(topic, 0): 99})

    with pytest.raises(PositionLost, match="from offset 99, but the broker has 0 to 10"):
        take(feed, 1)
    feed.close()


def test_who_says_so_goes_on_from_a_lost_position(broker: Broker, topic: str) -> None:
    feed = feed_of(broker, topic, {TopicPartition(topic, 0): 99}, on_lost_position="continue")

    assert len(take(feed, 30)) == 30
    feed.close()


class KeptLives:
    """Lives that outlast a feed, as the hub keeps them."""

    def __init__(self) -> None:
        self.met: dict[str, Life] = {}

    def known(self, topics: Collection[str]) -> Mapping[str, Life]:
        return dict(self.met)

    def begin(self, topic: str, life: Life) -> int:
        self.met[topic] = life
        return life.number


def living_feed(
    broker: Broker, topic: str, stored: dict[TopicPartition, int], lives: KeptLives, **settings: object
) -> KafkaFeed:
    source = KafkaSource(broker.bootstrap, f"^{topic}$", f"group-{topic}", session_timeout_ms=3_000, **settings)  # type: ignore[arg-type]
    return KafkaFeed(source, lambda: stored, lives)


def test_a_topic_made_anew_is_noticed_even_when_it_has_grown_past_where_the_hub_stood(
    broker: Broker, topic: str
) -> None:
    lives = KeptLives()
    stored = {TopicPartition(topic, number): 5 for number in range(3)}
    first = living_feed(broker, topic, stored, lives)
    assert len(take(first, 15)) == 15
    first.close()
    recreate_topic(broker.bootstrap, topic)
    produce(broker.bootstrap, numbered(topic, 60))

    stopped = living_feed(broker, topic, stored, lives)
    with pytest.raises(PositionLost, match="was made anew"):
        take(stopped, 1)
    stopped.close()
    told = living_feed(broker, topic, stored, lives, on_lost_position="continue")
    messages = take(told, 60)
    stored |= {TopicPartition(topic, number): in_life(1, 20) for number in range(3)}
    told.commit(stored)
    told.close()
    produce(broker.bootstrap, numbered(topic, 3))
    after = living_feed(broker, topic, stored, lives)

    assert places(messages) == [Place(topic, number, in_life(1, each)) for number in range(3) for each in range(20)], (
        "all of it, under places that no message had before"
    )
    assert places(take(after, 3)) == [Place(topic, number, in_life(1, 20)) for number in range(3)]
    after.close()


def test_a_topic_made_anew_under_a_running_worker_stops_it(broker: Broker, topic: str) -> None:
    stored: dict[TopicPartition, int] = {}
    feed = living_feed(broker, topic, stored, KeptLives())
    assert len(take(feed, 30)) == 30
    stored |= {TopicPartition(topic, number): 10 for number in range(3)}
    recreate_topic(broker.bootstrap, topic)
    produce(broker.bootstrap, numbered(topic, 3))

    with pytest.raises(PositionLost, match="was made anew"):
        take(feed, 1, seconds=40)
    feed.close()


def test_messages_that_the_broker_drops_before_a_running_worker_has_read_them_stop_it(
    broker: Broker, topic: str
) -> None:
    stored: dict[TopicPartition, int] = {}
    feed = living_feed(broker, topic, stored, KeptLives())
    assert len(take(feed, 30)) == 30
    stored |= {TopicPartition(topic, number): 10 for number in range(3)}
    feed.pause()
    produce(broker.bootstrap, numbered(topic, 30))
    drop_records(broker.bootstrap, {BrokerPartition(topic, number): 15 for number in range(3)})
    feed.resume()

    with pytest.raises(PositionLost, match="from offset 10, but the broker has 15 to 20: older messages were dropped"):
        take(feed, 1)
    feed.close()


def test_a_held_feed_delivers_nothing_and_stays_in_the_group(broker: Broker, topic: str) -> None:
    feed = feed_of(broker, topic)
    assert len(take(feed, 5)) == 5
    mine = feed.assignment()
    feed.pause()
    deadline = time.monotonic() + 5  # longer than the session
    while time.monotonic() < deadline:
        assert feed.poll(10, 0.2) == []
    assert feed.assignment() == mine

    feed.resume()
    assert len(take(feed, 25)) == 25
    feed.close()


def test_a_pattern_without_topics_is_told(broker: Broker, topic: str) -> None:
    nothing, something = feed_of(broker, "no-such-topic"), feed_of(broker, topic)
    for _ in range(12):
        nothing.poll(1, 0.05)
    take(something, 1)

    assert (nothing.topics(), something.topics()) == (frozenset(), frozenset({topic}))
    nothing.close()
    something.close()


def test_lag_is_what_is_left(broker: Broker, topic: str) -> None:
    feed = feed_of(broker, topic)
    take(feed, 10)

    assert sum(feed.lag().values()) == 20
    feed.close()


def found_later(broker: Broker, name: str, poll_seconds: float) -> int:
    """How many of the three messages of a topic that comes after its reader are read within 40 seconds."""
    feed = KafkaFeed(KafkaSource(broker.bootstrap, f"^{name}[.]", f"group-{name}"))
    assert feed.poll(1, 1.0) == []
    create_topics(broker.bootstrap, [f"{name}.public.thing"])
    produce(broker.bootstrap, numbered(f"{name}.public.thing", 3))
    messages = take(feed, 3, 40, poll_seconds)
    feed.close()
    return len(messages)


def test_topics_that_come_later_are_found(broker: Broker) -> None:
    assert found_later(broker, "later", 0.2) == 3


def test_members_that_poll_briefly_find_topics_that_come_later_too(broker: Broker) -> None:
    """A poll often ends while the group is being joined anew; the next one has to take what came of it."""
    with ThreadPoolExecutor(12) as members:
        read = members.map(lambda number: found_later(broker, f"brief{number}", 0.02), range(12))
        assert list(read) == [3] * 12


def test_tombstones_and_headers_survive(broker: Broker) -> None:
    name = f"odd{next(_numbers)}.public.thing"
    create_topics(broker.bootstrap, [name])
    message = Message(
        Place(name, 0, 0), 1_700_000_000_000, (("__debezium.newkey", b'{"id":1}'), ("empty", b"")), b"k", None
    )
    produce(broker.bootstrap, [message])
    feed = feed_of(broker, name)

    assert take(feed, 1) == [message]
    feed.close()


def test_a_broker_that_is_not_there_is_a_failure_that_may_pass() -> None:
    feed = KafkaFeed(KafkaSource("127.0.0.1:1", "^x$", "g"))

    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1"):
        feed.poll(1, 0.1)
