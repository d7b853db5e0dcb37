"""Reading ahead changes when messages are decoded, not what is consumed, in which order, or what a failure costs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mdm.errors import OperatorError, TransientError
from mdm.hub.process import Pipeline
from mdm.model.events import Message
from mdm.streams.memory import MemoryFeed
from mdm.workers.ahead import ReadAhead, reading_ahead
from mdm.workers.ingest import drain
from mdm.workers.patience import Patience
from mdm.workers.preparing import in_thread
from tests.integration.hub.conftest import world_messages

MESSAGES = tuple(message for message in world_messages() if message.place.topic == "crm.public.product2")
_ONCE = Patience(1)


class Failing(MemoryFeed):
    """Fails once, when it has handed out so many messages."""

    def __init__(self, messages: Sequence[Message], after: int, failure: Exception) -> None:
        super().__init__("memory:crm", messages)
        self._after, self._failure, self._given = after, failure, 0

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:
        if self._given >= self._after:
            self._after = 10**9
            raise self._failure
        messages = super().poll(max_messages, timeout_seconds)
        self._given += len(messages)
        return messages


def taken(ahead: ReadAhead) -> list[Message]:
    messages: list[Message] = []
    while not ahead.at_end():
        if ahead.poll(0, held=False):
            messages += ahead.take(_ONCE).messages
    return messages


def test_every_message_comes_once_and_in_order(pipeline: Pipeline) -> None:
    with reading_ahead(pipeline, MemoryFeed("memory:crm", MESSAGES), 7) as ahead:
        assert taken(ahead) == list(MESSAGES)


class Trickling(MemoryFeed):
    """Has only so many messages at a time, as a feed has with which a worker is level."""

    def __init__(self, messages: Sequence[Message], at_a_time: int) -> None:
        super().__init__("memory:crm", messages)
        self._at_a_time, self.polls = at_a_time, 0

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:
        self.polls += 1
        return super().poll(min(max_messages, self._at_a_time), timeout_seconds)


@pytest.mark.parametrize(("at_a_time", "polls"), [(2, 1), (5, 2), (20, 2)])
def test_only_who_is_behind_the_feed_reads_ahead(pipeline: Pipeline, at_a_time: int, polls: int) -> None:
    """What is read while another batch is written waits for that one too."""
    feed = Trickling(MESSAGES, at_a_time)
    with reading_ahead(pipeline, feed, 20) as ahead:
        assert len(ahead.poll(0, held=False)) == at_a_time
        ahead.take(_ONCE)
        assert feed.polls == polls
        assert len(ahead.poll(0, held=False)) == at_a_time
        assert feed.polls == 2


def test_rows_are_standardised_as_the_newest_event_of_the_batch_has_them(pipeline: Pipeline) -> None:
    with reading_ahead(pipeline, MemoryFeed("memory:crm", MESSAGES), len(MESSAGES)) as ahead:
        assert ahead.poll(0, held=False)
        prepared = ahead.take(_ONCE)
    newest = {}
    for event in sorted(prepared.decoded.events, key=lambda each: each.position):
        if event.key is not None and event.row is not None:
            newest[event.key] = event.row
    assert {key: row for key, (row, _) in prepared.standard.items()} == newest
    assert all(record.key == key for key, (_, record) in prepared.standard.items())


def test_what_was_read_before_a_feed_breaks_is_written_before_the_worker_stops(pipeline: Pipeline) -> None:
    feed = Failing(MESSAGES, 20, OperatorError("the file is damaged"))
    done: list[int] = []
    with pytest.raises(OperatorError, match="damaged"):
        drain(pipeline, feed, batch_size=20, dead_letter_limit=10, on_batch=lambda each: done.append(each.messages))
    assert done == [20]


def test_a_feed_that_fails_for_a_moment_loses_nothing(pipeline: Pipeline) -> None:
    feed = Failing(MESSAGES, 20, TransientError("the broker is away"))
    assert drain(pipeline, feed, batch_size=20, dead_letter_limit=10).messages == len(MESSAGES)


def test_a_held_feed_keeps_what_was_read_ahead(pipeline: Pipeline) -> None:
    with reading_ahead(pipeline, MemoryFeed("memory:crm", MESSAGES), 20) as ahead:
        ahead.poll(0, held=False)
        first = ahead.take(_ONCE).messages
        assert sum(ahead.waiting().values()) == 20
        assert ahead.poll(0, held=True) == ()
        assert not ahead.at_end()
        assert [*first, *taken(ahead)] == list(MESSAGES)


def test_a_registry_that_was_away_when_read_ahead_is_asked_again(pipeline: Pipeline) -> None:
    answers = iter([TransientError("away"), None])

    def plain(message: Message) -> Message:
        if failure := next(answers, None):
            raise failure
        return message

    asking = replace(pipeline, plain=plain)
    with in_thread(asking) as preparing:
        ahead = ReadAhead(asking, MemoryFeed("memory:crm", MESSAGES), 20, preparing)
        assert len(ahead.poll(0, held=False)) == 20
        assert len(ahead.take(_ONCE).messages) == 20
