"""How the last messages of a partition fared, for whoever starts to read on in it."""

from collections.abc import Sequence

from sqlalchemy import Engine, text

from mdm.model.events import TopicPartition
from mdm.store.reading import transient_failures


def refused_lately(engine: Engine, log: TopicPartition, last: int) -> Sequence[bool]:
    """Of the last so many messages of a partition in their order, whether each is a dead letter that is still open.

    Raises:
        TransientError: the database cannot be reached now.
    """
    query = text(
        """select d.dead_letter_id is not null
           from (select topic, partition, "offset" from event_ledger
                 where topic = :topic and partition = :partition order by "offset" desc limit :last) l
           left join dead_letter d on (d.topic, d.partition, d."offset") = (l.topic, l.partition, l."offset")
               and d.status = 'open' and d.behind is null
           order by l."offset" """
    )
    with transient_failures(), engine.connect() as connection:
        rows = connection.execute(query, {"topic": log.topic, "partition": log.partition, "last": last})
        return [bool(row[0]) for row in rows]
