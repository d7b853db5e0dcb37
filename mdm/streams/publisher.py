"""What a relay publishes to: takes records in their order, and answers when all of them are safe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be published. Records with one key keep their order.

    No value is a tombstone: compaction lets go of all earlier records of the key, and later of the tombstone.
    """

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


class Publisher(Protocol):
    """A broker to write to."""

    def send(self, records: Sequence[Record]) -> None:
        """Hand records over; returns before they are safe.

        Raises:
            TransientError: the broker cannot be reached; any of the records may have been written.
            OperatorError: the broker refuses.
        """
        ...

    def flush(self) -> None:
        """Wait until everything that was handed over is safe.

        Raises:
            TransientError: the broker failed; any of the records may have been written.
            OperatorError: the broker refuses.
        """
        ...

    def close(self) -> None:
        """Release what the publisher holds. What was not flushed may or may not be written."""
        ...


class MemoryPublisher:
    """Keeps what was published, for tests."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._open: list[Record] = []

    def send(self, records: Sequence[Record]) -> None:
        self._open += records

    def flush(self) -> None:
        self.records += self._open
        self._open = []

    def close(self) -> None:
        self._open = []
