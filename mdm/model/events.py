"""What a platform said: messages as a feed delivers them, and change events as the hub understands them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from mdm.model.ids import CrosswalkKey

Row: TypeAlias = Mapping[str, Any]


class TopicPartition(NamedTuple):
    """One ordered log of a feed."""

    topic: str
    partition: int


class Place(NamedTuple):
    """Where a message stands in its feed; identifies the message."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Message:
    """One broker message, undecoded. `key` and `value` are None for a Kafka null."""

    place: Place
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...]
    key: bytes | None
    value: bytes | None


class Operation(StrEnum):
    """Debezium's operation codes for rows and tables."""

    READ = "r"
    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    TRUNCATE = "t"


class SourcePosition(NamedTuple):
    """What is newer in one source, compared element by element.

    PostgreSQL: last commit LSN, LSN (the two integers of `source.sequence`; a missing commit LSN counts as the LSN),
    then `transaction.total_order` (0 when absent). MySQL: binlog file number, position, row.
    `rank` is 0 for a snapshot read and 1 for a change, so a read never overrides a change at the same position.
    """

    major: int
    minor: int
    order: int
    rank: int


#: Older than anything a source can say.
BEGINNING = SourcePosition(-1, -1, -1, -1)


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One decoded row change or truncate. Nothing source-specific is left above this type.

    `row` is the row after the change with values in canonical JSON form (see `mdm.intake.debezium`); columns that the
    event did not mention are absent (unknown, not null); columns listed in `unavailable` were not sent because they did
    not change. It is None for a delete and a truncate. `key` is None only for a truncate.
    """

    place: Place
    system: str
    type: str
    operation: Operation
    key: CrosswalkKey | None
    row: Row | None
    unavailable: frozenset[str]
    position: SourcePosition
    event_time: datetime
    snapshot: bool
    transaction: str | None = None
    lsn: int | None = None
    #: On the create of a primary-key change: the row's key before.
    previous_key: CrosswalkKey | None = None
    #: On the delete of a primary-key change: the row's key after.
    next_key: CrosswalkKey | None = None
    #: W3C trace context of the source message, carried on to the outbox.
    traceparent: str | None = None


class Outcome(StrEnum):
    """What became of a consumed message. Every message has exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that carries no row: tombstone, heartbeat, transaction marker, schema change, logical message."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message with everything needed to understand, fix and replay it."""

    message: Message
    code: str
    reason: str
    #: What the operator should do, in one sentence.
    action: str
    owner: str
    system: str | None = None
    type: str | None = None
    #: Primary key of the row it is about, where the message key could be read.
    row_key: str | None = None
    #: How critical its table is, and within how many hours it should be dealt with.
    tier: int = 2
    mend_within: int = 72
    #: The refused message that it waits for, where nothing is wrong with itself.
    behind: Place | None = None

    @property
    def row(self) -> CrosswalkKey | None:
        """The row it is about, where that could be read."""
        if self.system is None or self.type is None or self.row_key is None:
            return None
        return CrosswalkKey(self.system, self.type, self.row_key)


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between what a table's contract says and what an event carried, in mode `evolve`."""

    place: Place
    system: str
    type: str
    code: str
    column: str
    detail: str
    owner: str
