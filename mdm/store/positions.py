"""Where each feed stands, as of the last committed unit of work."""

from sqlalchemy import Engine, select

from mdm.model.events import TopicPartition
from mdm.store.reading import transient_failures
from mdm.store.tables import feed_position


def stored_positions(engine: Engine, feed: str) -> dict[TopicPartition, int]:
    """The next offset of every partition of a feed.

    Raises:
        TransientError: the database cannot be reached now.
    """
    query = select(feed_position.c.topic, feed_position.c.partition, feed_position.c.next_offset)
    with transient_failures(), engine.connect() as connection:
        rows = connection.execute(query.where(feed_position.c.feed == feed))
        return {TopicPartition(row[0], row[1]): row[2] for row in rows}
