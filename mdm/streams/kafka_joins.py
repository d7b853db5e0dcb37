"""Attempts to join a consumer group that outlive the poll that began them.

kafka-python (3.0.12) goes on with an attempt when a poll ends before it does, and awaits it again in the next poll. An
attempt that is answered between two polls, though, it takes for none: it throws the assignment away and joins anew.
When the leader does so, every other member has to as well. Members that poll briefly may go on like this for ever.

It also forgets an attempt that was begun because topics had come or gone: once the leader has dealt out the partitions,
it sees no reason to rejoin any more. Where a poll ends before the attempt does, nobody takes the assignment, and the
member waits for ever without a heartbeat.
"""

from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer


class KeptJoin:
    """An attempt that looks unfinished until its result is taken."""

    #: What the library asks before it throws an attempt away.
    is_done: Final = False

    def __init__(self, attempt: Any) -> None:  # Any: kafka-python has no types
        self._attempt = attempt

    def add_callback(self, take: Callable[[bytes], None]) -> None:
        """Called with the assignment: at once when it is there."""
        self._attempt.add_callback(take)

    def add_errback(self, take: Callable[[BaseException], None]) -> None:
        """Called with the error: at once when the attempt failed."""
        self._attempt.add_errback(take)


def keep_join(consumer: KafkaConsumer) -> None:
    """Let the next poll take the result of the attempt that this one left in flight. Call it after every poll."""
    coordinator = consumer._coordinator
    attempt = coordinator._join_task
    if attempt is None:
        return
    coordinator.request_rejoin()  # until the result is taken, which resets this
    if not isinstance(attempt, KeptJoin):
        coordinator._join_task = KeptJoin(attempt)
