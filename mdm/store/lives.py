"""Which life of each topic the hub reads (see `mdm.model.lives`)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from mdm.model.lives import Life
from mdm.store.reading import transient_failures
from mdm.store.tables import topic_life


@dataclass(frozen=True, slots=True)
class StoredLives:
    """Lives as all workers of the hub know them."""

    engine: Engine

    def known(self, topics: Collection[str]) -> Mapping[str, Life]:
        """The life in which each topic was met last; topics never met are absent.

        Raises:
            TransientError: the database cannot be reached now.
        """
        query = select(topic_life.c.topic, topic_life.c.life, topic_life.c.topic_id)
        with transient_failures(), self.engine.connect() as connection:
            rows = connection.execute(query.where(topic_life.c.topic.in_(topics)))
            return {row[0]: Life(row[1], row[2]) for row in rows}

    def begin(self, topic: str, life: Life) -> int:
        """Note that a topic is in this life, or a later one when another worker has seen it; returns which.

        Raises:
            TransientError: the database cannot be reached now.
        """
        new = insert(topic_life).values(topic=topic, life=life.number, topic_id=life.topic_id)
        noted = new.on_conflict_do_update(
            index_elements=[topic_life.c.topic],
            set_={
                "life": func.greatest(topic_life.c.life, new.excluded.life),
                "topic_id": new.excluded.topic_id,
            },
        ).returning(topic_life.c.life)
        with transient_failures(), self.engine.begin() as connection:
            return int(connection.execute(noted).scalar_one())
