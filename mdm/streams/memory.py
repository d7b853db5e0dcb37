"""A feed from values in memory, for tests and for messages that are put back from the dead letters."""

from collections.abc import Sequence

from mdm.model.events import Message, TopicPartition
from mdm.streams.protocol import Positions


class MemoryFeed:
    """The given messages in their order, once."""

    def __init__(self, name: str, messages: Sequence[Message]) -> None:
        self._name = name
        self._messages = tuple(messages)
        self._next = 0
        self._skip: dict[TopicPartition, int] = {}
        self._paused = False
        #: What the hub last reported through `commit`.
        self.committed: dict[TopicPartition, int] = {}

    @property
    def name(self) -> str:
        return self._name

    def seek(self, positions: Positions) -> None:
        """Start over and leave out what stands before these offsets."""
        self._next = 0
        self._skip = dict(positions)

    def poll(self, max_messages: int, timeout_seconds: float) -> Sequence[Message]:  # noqa: ARG002 - never waits
        """The next messages; fewer than `max_messages` only at the end. Never waits."""
        messages: list[Message] = []
        while not self._paused and self._next < len(self._messages) and len(messages) < max_messages:
            message = self._messages[self._next]
            self._next += 1
            topic, partition, offset = message.place
            if offset >= self._skip.get(TopicPartition(topic, partition), 0):
                messages.append(message)
        return messages

    def commit(self, positions: Positions) -> None:
        self.committed.update(positions)

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def lag(self) -> Positions:
        """Messages of each partition that were not handed out yet."""
        left: dict[TopicPartition, int] = {}
        for message in self._messages[self._next :]:
            topic, partition, offset = message.place
            log = TopicPartition(topic, partition)
            left[log] = left.get(log, 0) + (offset >= self._skip.get(log, 0))
        return left

    def at_end(self) -> bool:
        return self._next >= len(self._messages)

    def close(self) -> None:
        self._next = len(self._messages)

    def progress(self) -> float:
        """The share of the messages that was handed out, from 0 to 1."""
        return self._next / len(self._messages) if self._messages else 1.0
