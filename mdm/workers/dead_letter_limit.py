"""When refused messages are too many to be bad data: a bad release, which must not empty a topic into the dead letters.

Each partition has a bucket. A refused message fills it by one; ten others drain it by one. So a partition that only has
refused messages stops after `limit` of them, and one with less than a tenth of them never does, however long it runs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from mdm.errors import OperatorError
from mdm.model.events import Message, TopicPartition

#: Messages that were taken in and make up for one that was refused.
_DRAIN = 10


class TooManyDeadLetters(OperatorError):
    """A partition has almost only messages that cannot be read: a bad release, not bad data. Nothing more is taken."""

    code = "DEAD_LETTER_LIMIT"


class DeadLetterLimit:
    """The buckets of one worker's partitions."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._level: dict[TopicPartition, float] = {}

    def count(self, messages: Sequence[Message], refused: Mapping[TopicPartition, int]) -> None:
        """Count a committed unit of work.

        Raises:
            TooManyDeadLetters: a bucket is full. What was committed stays; later messages are untouched.
        """
        taken = Counter(TopicPartition(message.place.topic, message.place.partition) for message in messages)
        for partition, number in taken.items():
            bad = refused.get(partition, 0)
            level = max(self._level.get(partition, 0.0) - (number - bad) / _DRAIN, 0.0) + bad
            self._level[partition] = level
            if bad and level > self._limit:
                raise TooManyDeadLetters(
                    f"{partition.topic}/{partition.partition} has almost only messages that cannot be read: "
                    f"{bad} of the last {number}, more than {self._limit} not made up for by good ones.",
                    action="Look at `mdm exceptions list`, mend the contract or the source, and start again; raise "
                    "MDM_DEAD_LETTER_LIMIT only when the messages are known to be worthless.",
                )
