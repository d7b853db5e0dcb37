"""The mirror of the source tables as values: current versions of rows, their history, and what a batch changes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mdm.model.events import ChangeEvent, Operation, Outcome, Place, Row, SourcePosition
from mdm.model.ids import CrosswalkKey, RecordId

#: A source table: platform and table.
TableName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """The current version of a source row.

    A deleted row keeps its last values: a primary-key change may need them. `unresolved` names columns that were
    announced as unchanged before any event brought their value.
    """

    rec_id: RecordId
    key: CrosswalkKey
    position: SourcePosition
    operation: Operation
    row: Row | None
    deleted: bool
    place: Place
    event_time: datetime
    lsn: int | None = None
    transaction: str | None = None
    previous_key: str | None = None
    unresolved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Version:
    """One event of a row as history keeps it."""

    position: SourcePosition
    operation: Operation
    row: Row | None
    unavailable: frozenset[str]
    place: Place
    event_time: datetime
    lsn: int | None
    transaction: str | None
    previous_key: str | None
    next_key: str | None = None


@dataclass(frozen=True, slots=True)
class KnownMirror:
    """What the store knows about the rows of a batch.

    `rec_ids` covers every key of the batch, new ones included. `histories` holds the stored versions of rows that must
    be folded anew: rows with late events, rows that still wait for a column, and rows that others take columns from.
    """

    rec_ids: Mapping[CrosswalkKey, RecordId]
    heads: Mapping[CrosswalkKey, Head]
    histories: Mapping[CrosswalkKey, Sequence[Version]] = field(default_factory=dict)
    #: Every truncate of each table that was ever truncated.
    truncations: Mapping[TableName, Sequence[SourcePosition]] = field(default_factory=dict)
    #: Rows without events in this batch that must be folded anew: the row they were re-keyed from changed, or a
    #: truncate came late and parts what was before it from what came after.
    waiting: frozenset[CrosswalkKey] = frozenset()
    #: Live rows of tables that this batch truncates.
    exposed: Mapping[CrosswalkKey, Head] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a table as an event at a position had them."""

    position: SourcePosition
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MirrorDelta:
    """Rows and history to write, and the outcome of every row event."""

    heads: tuple[Head, ...]
    versions: tuple[tuple[RecordId, Version], ...]
    outcomes: tuple[tuple[Place, Outcome], ...]
    truncations: tuple[tuple[TableName, ChangeEvent], ...]
    shapes: Mapping[TableName, Shape]


def former_key(key: CrosswalkKey, previous_key: str | None) -> CrosswalkKey | None:
    """The key that a row had before, if it had another one."""
    return None if previous_key is None else CrosswalkKey(key.system, key.type, previous_key)


def donors_of(histories: Mapping[CrosswalkKey, Iterable[Version]]) -> set[CrosswalkKey]:
    """The keys under which these rows had columns that they were re-keyed without."""
    found = {
        former_key(key, version.previous_key)
        for key, versions in histories.items()
        for version in versions
        if version.unavailable
    }
    return {key for key in found if key is not None}


def with_donors(
    histories: Mapping[CrosswalkKey, Sequence[Version]],
    read: Callable[[set[CrosswalkKey]], Mapping[CrosswalkKey, Sequence[Version]]],
) -> dict[CrosswalkKey, Sequence[Version]]:
    """These histories, with those of all keys that the rows were re-keyed from without some of their columns.

    Args:
        read: the versions of keys; a key without any need not be there.
    """
    found = dict(histories)
    while missing := donors_of(found) - found.keys():
        found |= dict.fromkeys(missing, ())
        found |= read(missing)
    return found


def needs_donor(event: ChangeEvent) -> bool:
    """True when a re-keyed row must take columns from the row it was before."""
    return event.previous_key is not None and bool(event.unavailable)
