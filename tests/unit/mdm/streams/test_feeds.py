"""What every feed promises, asked of the file feed and of the feed in memory alike."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mdm.model.events import Message, Place, TopicPartition
from mdm.streams.file import FileFeed
from mdm.streams.memory import MemoryFeed
from mdm.streams.protocol import Consumer

MakeFeed = Callable[[Sequence[Message]], Consumer]

MESSAGES = (
    Message(Place("crm.public.account", 0, 0), 5, (("h", b'"x"'),), b'{"id":"a"}', b'{"op":"c"}'),
    Message(Place("crm.public.account", 0, 1), 6, (), b'{"id":"a"}', None),
    Message(Place("crm.public.account", 1, 0), 7, (), None, b'{"op":"t"}'),
)


def written(messages: Sequence[Message], file: Path) -> Path:
    def line(message: Message) -> str:
        key, value = ("null" if part is None else part.decode() for part in (message.key, message.value))
        headers = json.dumps([[name, content.decode()] for name, content in message.headers])
        topic, partition, offset = message.place
        return (
            f'{{"topic":"{topic}","partition":{partition},"offset":{offset},"timestamp":{message.timestamp_ms},'
            f'"headers":{headers},"key":{key},"value":{value}}}\n'
        )

    file.write_text("".join(line(message) for message in messages))
    return file


@pytest.fixture(params=["file", "memory"])
def make_feed(request: pytest.FixtureRequest, tmp_path: Path) -> MakeFeed:
    def make(messages: Sequence[Message]) -> Consumer:
        if request.param == "memory":
            return MemoryFeed("test", messages)
        return FileFeed(written(messages, tmp_path / "capture.jsonl"))

    return make


def test_messages_come_whole_and_in_order(make_feed: MakeFeed) -> None:
    assert tuple(make_feed(MESSAGES).poll(10, 0.0)) == MESSAGES


def test_a_poll_returns_no_more_than_asked_for(make_feed: MakeFeed) -> None:
    feed = make_feed(MESSAGES)

    assert [len(feed.poll(2, 0.0)), len(feed.poll(2, 0.0)), len(feed.poll(2, 0.0))] == [2, 1, 0]


def test_a_finite_feed_ends_when_a_poll_found_nothing_more(make_feed: MakeFeed) -> None:
    feed = make_feed(MESSAGES)
    assert not feed.at_end()

    while feed.poll(2, 0.0):
        pass

    assert feed.at_end()


def test_seeking_the_start_changes_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed(MESSAGES)
    feed.seek({TopicPartition("crm.public.account", 0): 0})

    assert tuple(feed.poll(10, 0.0)) == MESSAGES


def test_committing_and_closing_are_harmless(make_feed: MakeFeed) -> None:
    feed = make_feed(MESSAGES)
    feed.poll(1, 0.0)
    feed.commit({TopicPartition("crm.public.account", 0): 1})
    feed.close()

    assert feed.at_end()
    assert list(feed.poll(10, 0.0)) == []


def test_a_feed_has_a_stable_name(make_feed: MakeFeed) -> None:
    assert make_feed(MESSAGES).name == make_feed(MESSAGES).name != ""


def test_an_empty_feed_is_at_its_end_after_one_poll(make_feed: MakeFeed) -> None:
    feed = make_feed(())

    assert list(feed.poll(10, 0.0)) == []
    assert feed.at_end()
