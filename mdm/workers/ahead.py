"""Reading one unit of work ahead: where a worker is behind its feed, the next messages are decoded while the database
works on those in hand.

Only the thread that drains touches the feed; the other one computes values from values (see `mdm.hub.process.prepare`).
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mdm.errors import MdmError
from mdm.hub.process import Pipeline, Prepared, prepare
from mdm.model.events import Message, TopicPartition
from mdm.streams.protocol import Consumer
from mdm.workers.patience import Patience
from mdm.workers.preparing import Awaited, Preparing, Where, in_thread

#: While both threads compute, the one that the database has answered should not wait long for its turn, in seconds.
_TURN_SECONDS = 0.0005
#: Whoever was given this part of a full batch is behind the feed, and more waits there.
_BEHIND = 4


class ReadAhead:
    """The batches of a feed in order, each prepared; at most one more than the caller has is in memory."""

    def __init__(self, pipeline: Pipeline, feed: Consumer, batch_size: int, preparing: Preparing) -> None:
        self._pipeline, self._feed, self._batch_size, self._preparing = pipeline, feed, batch_size, preparing
        self._coming: tuple[Sequence[Message], Awaited] | None = None
        self._failure: MdmError | None = None

    def poll(self, timeout_seconds: float, *, held: bool) -> Sequence[Message]:
        """The next messages; none while the feed is held, though it is polled: that keeps what it holds.

        Raises:
            TransientError: the feed failed; nothing was skipped, poll again.
        """
        if held:
            waiting = self._coming[0] if self._coming is not None else ()
            # A paused feed delivers nothing; should it deliver all the same, that waits for the end of the pause too.
            if more := self._feed.poll(self._batch_size, timeout_seconds):
                self._start([*waiting, *more])
            return ()
        if self._coming is not None:
            return self._coming[0]
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        messages = self._feed.poll(self._batch_size, timeout_seconds)
        if messages:
            self._start(messages)
        return messages

    def take(self, patience: Patience) -> Prepared:
        """What `poll` returned last, prepared; where that was much, the feed is read ahead meanwhile."""
        if self._coming is None:
            raise ValueError("nothing was polled")
        messages, awaited = self._coming
        self._coming = None
        try:
            prepared = awaited()
        except MdmError:
            # For example a schema registry that was away for a moment.
            prepared = patience.run(lambda: prepare(self._pipeline, messages))
        # Who is level with the feed would only make what comes next wait for two units of work instead of one.
        if len(messages) * _BEHIND >= self._batch_size:
            self._look_ahead()
        return prepared

    def waiting(self) -> Mapping[TopicPartition, int]:
        """Messages of each partition that were read ahead; the feed no longer counts them as lag, the hub does."""
        messages = self._coming[0] if self._coming is not None else ()
        return Counter(TopicPartition(message.place.topic, message.place.partition) for message in messages)

    def at_end(self) -> bool:
        """True when the feed ends and everything it gave was taken."""
        return self._coming is None and self._failure is None and self._feed.at_end()

    def _look_ahead(self) -> None:
        try:
            messages = self._feed.poll(self._batch_size, 0)
        except MdmError as failure:
            # What is in hand comes first: it is whole, and must be written before anybody hears of this.
            self._failure = failure
            return
        if messages:
            self._start(messages)

    def _start(self, messages: Sequence[Message]) -> None:
        self._coming = (messages, self._preparing.start(messages))


@contextmanager
def reading_ahead(
    pipeline: Pipeline,
    feed: Consumer,
    batch_size: int,
    where: Where = in_thread,
) -> Iterator[ReadAhead]:
    """A feed that is read ahead within the block; what was read and not taken is read again by whoever starts next.

    Args:
        where: batches are prepared (`mdm.workers.preparing`).
    """
    turn = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        with where(pipeline) as preparing:
            yield ReadAhead(pipeline, feed, batch_size, preparing)
    finally:
        sys.setswitchinterval(turn)
