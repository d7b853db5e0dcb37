"""When refused messages are too many to be bad data: a bad release, which must not empty a topic into the dead letters.

Each partition has a bucket. A refused message fills it by one; ten others drain it by one. So a partition that only has
refused messages stops after `limit` of them, and one with less than a tenth of them never does, however long it runs.

What is open in the hub's dead letters counts when a partition is taken up: a worker that a service manager starts again
and again would otherwise take a unit of work each time, and empty the topic all the same.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from mdm.errors import OperatorError
from mdm.model.events import Message, TopicPartition

Lately: TypeAlias = Callable[[TopicPartition, int], Sequence[bool]]

#: Messages that were taken in and make up for one that was refused.
_DRAIN = 10


class TooManyDeadLetters(OperatorError):
    """A partition has almost only messages that cannot be read: a bad release, not bad data. Nothing more is taken."""

    code = "DEAD_LETTER_LIMIT"


class DeadLetterLimit:
    """The buckets of one worker's partitions.

    Args:
        lately: of the last so many messages of a partition, whether each is a dead letter that is still open.
    """

    def __init__(self, limit: int, lately: Lately = lambda _log, _last: ()) -> None:
        self._limit = limit
        self._lately = lately
        #: In tenths of a message, so that sums are exact.
        self._level: dict[TopicPartition, int] = {}
        self._next: dict[TopicPartition, int] = {}

    def admit(self, messages: Sequence[Message]) -> None:
        """Look at the partitions of a unit of work that nothing is known of, before it is taken in.

        Raises:
            TooManyDeadLetters: a bucket is full from before. Nothing was taken.
        """
        logs: dict[TopicPartition, list[int]] = {}
        for message in messages:
            topic, partition, offset = message.place
            logs.setdefault(TopicPartition(topic, partition), []).append(offset)
        for log, offsets in logs.items():
            # Another place than where it was left: another worker had the partition meanwhile.
            if self._next.get(log) != offsets[0]:
                self._level[log] = self._before(log)
            self._next[log] = offsets[-1] + 1
            if self._level[log] > self._limit * _DRAIN:
                raise TooManyDeadLetters(
                    f"{log.topic}/{log.partition} has more than {self._limit} open dead letters that are not made up "
                    "for by good messages; nothing more is taken from it.",
                    action="Mend the contract or the source, then `mdm exceptions replay` or `discard` them, and start "
                    "again; raise MDM_DEAD_LETTER_LIMIT only when the messages are known to be worthless.",
                )

    def _before(self, partition: TopicPartition) -> int:
        level = 0
        for refused in self._lately(partition, self._limit * (_DRAIN + 1)):
            level = level + _DRAIN if refused else max(level - 1, 0)
        return level

    def count(self, messages: Sequence[Message], refused: Mapping[TopicPartition, int]) -> None:
        """Count a committed unit of work.

        Raises:
            TooManyDeadLetters: a bucket is full. What was committed stays; later messages are untouched.
        """
        taken = Counter(TopicPartition(message.place.topic, message.place.partition) for message in messages)
        for partition, number in taken.items():
            bad = refused.get(partition, 0)
            level = max(self._level.get(partition, 0) - (number - bad), 0) + bad * _DRAIN
            self._level[partition] = level
            if bad and level > self._limit * _DRAIN:
                raise TooManyDeadLetters(
                    f"{partition.topic}/{partition.partition} has almost only messages that cannot be read: "
                    f"{bad} of the last {number}, more than {self._limit} not made up for by good ones.",
                    action="Look at `mdm exceptions list`, mend the contract or the source, and start again; raise "
                    "MDM_DEAD_LETTER_LIMIT only when the messages are known to be worthless.",
                )
