"""Topics consumed from their beginning give what the hub holds, or say where they do not."""

from sqlalchemy import Engine

from mdm.hub.process import Pipeline
from mdm.streams.memory import MemoryFeed
from mdm.workers.rebuilding import rebuild_from_feed
from tests.integration.hub.conftest import Feed
from tests.integration.hub.test_exceptions import accounts, at


def test_the_topics_and_the_hub_hold_the_same(pipeline: Pipeline, feed: Feed) -> None:
    messages = [*accounts(20), at(accounts(1)[0], 10**6, 10**12, name="Renamed Holding")]
    feed(messages)

    done = rebuild_from_feed(pipeline, MemoryFeed("topics", list(reversed(messages))), dead_letter_limit=10)

    assert done.differences == ()
    assert done.rows == 20


def test_what_the_topics_have_and_the_hub_has_not_is_named(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    messages = accounts(20)
    feed(messages[:-1])

    done = rebuild_from_feed(pipeline, MemoryFeed("topics", messages), dead_letter_limit=10)

    assert "row" in {each.kind for each in done.differences}
