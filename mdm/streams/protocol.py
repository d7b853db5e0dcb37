"""What a feed is: an ordered source of messages that can say where it stands.

Kafka, a file capture and memory implement the same protocol, so a use case never knows which it reads.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeAlias

from mdm.model.events import Message, TopicPartition
from mdm.model.lives import Life

Positions: TypeAlias = Mapping[TopicPartition, int]


class Lives(Protocol):
    """Where it is kept which life of each topic the hub reads (see `mdm.model.lives`)."""

    def known(self, topics: Collection[str]) -> Mapping[str, Life]:
        """The life in which each topic was met last; topics never met are absent."""
        ...

    def begin(self, topic: str, life: Life) -> int:
        """Note that a topic is in this life, or a later one when somebody else has seen it; returns which."""
        ...


class Consumer(Protocol):
    """A feed to read from. The hub, not the broker, remembers the position (in the transaction of the effect)."""

    @property
    def name(self) -> str:
        """A stable name of the feed, under which positions are stored."""
        ...

    def seek(self, positions: Positions) -> None:
        """Continue at these next offsets; partitions not named start at their beginning."""
        ...

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `max_messages` messages, in order within a partition; empty when there are none now.

        Raises:
            TransientError: the broker failed; nothing was skipped, poll again.
        """
        ...

    def commit(self, positions: Positions) -> None:
        """Tell the broker how far the hub has come. Advisory: called after the hub's own commit, may be lost."""
        ...

    def pause(self) -> None:
        """Deliver nothing until `resume`, and keep what the feed holds (membership of a group, open files)."""
        ...

    def resume(self) -> None:
        """Deliver again, from where it was paused."""
        ...

    def lag(self) -> Mapping[TopicPartition, int]:
        """Messages between here and the end of each partition, as far as the feed knows; empty when it cannot know."""
        ...

    def at_end(self) -> bool:
        """True when a finite feed (a file) has nothing left; a broker feed never ends, unless it was asked to."""
        ...

    def close(self) -> None:
        """Release what the feed holds."""
        ...
