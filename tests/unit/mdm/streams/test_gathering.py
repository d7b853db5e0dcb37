"""A unit of work takes what is ready, and does not wait for a steady feed to have nothing more."""

import time

import pytest

from mdm.model.events import Message, Place
from mdm.streams.kafka import KafkaFeed, KafkaSource


def messages(count: int) -> list[Message]:
    return [Message(Place("crm.public.account", 0, number), 0, (), None, None) for number in range(count)]


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> KafkaFeed:
    feed = KafkaFeed(KafkaSource("broker:9092", "crm", "test"))
    monkeypatch.setattr(feed, "_opened", object)
    return feed


def test_what_trickles_in_is_taken_soon(feed: KafkaFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(consumer: object, most: int, seconds: float) -> list[Message]:
        time.sleep(0.003)
        return messages(1)

    monkeypatch.setattr(feed, "_take", one_more)

    # A thousand would take three seconds.
    assert 1 < len(feed.poll(1000, 1.0)) < 100


def test_a_feed_that_is_behind_fills_the_unit_of_work_however_long_that_takes(
    feed: KafkaFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(consumer: object, most: int, seconds: float) -> list[Message]:
        time.sleep(0.01)
        return messages(min(most, 50))

    monkeypatch.setattr(feed, "_take", many)

    assert len(feed.poll(1000, 1.0)) == 1000


def test_what_is_ready_in_several_partitions_is_one_unit_of_work(
    feed: KafkaFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = [messages(3), messages(2), messages(0), messages(7)]
    monkeypatch.setattr(feed, "_take", lambda consumer, most, seconds: ready.pop(0))

    assert len(feed.poll(1000, 1.0)) == 5
