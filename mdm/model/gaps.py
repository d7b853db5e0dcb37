"""What is noted of a feed to see whether it has lost something, and the signs that it has."""

from collections.abc import Mapping
from dataclasses import dataclass

from mdm.model.events import Place, TopicPartition
from mdm.model.mirror import TableName

#: Commit and write position in a source's log.
LogPosition = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a partition was read: the next offset, and the furthest position of a streamed change."""

    next_offset: int
    position: LogPosition = (-1, -1)


@dataclass(frozen=True, slots=True)
class Known:
    """What was noted of partitions and tables before: marks, and where each table's snapshot was taken."""

    marks: Mapping[TopicPartition, Mark]
    snapshots: Mapping[TableName, LogPosition]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sign. The same question is one exception, however often it shows."""

    code: str
    question: str
    place: Place
    detail: str
    table: TableName | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """The signs of a batch, and what to note for the next one."""

    alarms: tuple[Alarm, ...]
    marks: Mapping[TopicPartition, Mark]
    snapshots: Mapping[TableName, LogPosition]
