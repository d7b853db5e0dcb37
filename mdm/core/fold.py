"""From change events to the current version of a source row, whatever order they arrive in.

The version of a row is a fold over its events in source order. The fast path continues from the stored head; when an
event arrives late, the row is folded anew from its history, so that late and timely arrival end in the same version.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from mdm.model.events import BEGINNING, ChangeEvent, Operation, Outcome, Place, Row, SourcePosition
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import Head, Version, former_key

#: Stands for a value that no event has brought yet.
_UNKNOWN: Mapping[str, Any] = {}

#: The versions of the rows under any key.
Past: TypeAlias = Callable[[CrosswalkKey], Iterable[Version]]


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of a row and of each event about it."""

    head: Head
    changed: bool
    outcomes: tuple[tuple[Place, Outcome], ...]
    #: Versions that history does not hold yet.
    versions: tuple[Version, ...]


def version_of(event: ChangeEvent) -> Version:
    """The event as history keeps it."""
    return Version(
        event.position,
        event.operation,
        event.row,
        event.unavailable,
        event.place,
        event.event_time,
        event.lsn,
        event.transaction,
        event.previous_key.key if event.previous_key else None,
        event.next_key.key if event.next_key else None,
    )


def is_late(head: Head | None, events: Iterable[ChangeEvent]) -> bool:
    """True when history is needed: an event is older than what the hub already applied."""
    return head is not None and any(event.position < head.position for event in events)


def fold(
    rec_id: RecordId,
    key: CrosswalkKey,
    head: Head | None,
    events: Sequence[ChangeEvent],
    *,
    history: Sequence[Version] | None,
    inherited: Mapping[str, Row],
    truncates: Sequence[SourcePosition] = (),
    truncated_before: SourcePosition = BEGINNING,
) -> Folded:
    """Fold the events of one row into its version.

    Args:
        head: what is stored, or None for a row never seen.
        events: the batch's events of this key, in any order.
        history: all stored versions, to fold the row anew; None continues from `head`, which must then be older than
            every event (`is_late`).
        inherited: by previous key, the row that a primary-key change took its unchanged columns from.
        truncates: every truncate of the table. What was there before one is gone, and whoever is written after it has
            nothing of what was there under its key.
        truncated_before: the newest one consumed before these events, which therefore come too late.
    """
    known = {_identity(version) for version in history or ()}
    if head is not None:
        known.add(_identity(head))
    newest = head.position if head else BEGINNING
    outcomes: list[tuple[Place, Outcome]] = []
    fresh: list[Version] = []
    for event in sorted(events, key=lambda each: (each.position, each.place)):
        identity = _identity(event)
        if identity in known:
            outcomes.append((event.place, Outcome.DUPLICATE))
            continue
        known.add(identity)
        fresh.append(version_of(event))
        timely = event.position > newest and event.position > truncated_before
        outcomes.append((event.place, Outcome.APPLIED if timely else Outcome.STALE))
    truncated_at = max(truncates, default=BEGINNING)
    if not fresh and head is not None and history is None:
        return Folded(_buried(head, truncated_at), _is_buried(head, truncated_at), tuple(outcomes), ())
    base, versions = (None, _in_order([*history, *fresh])) if history is not None else (_unburied(head), fresh)
    for version in versions:
        if base is not None:
            base = _buried(base, _newest_before(version.position, truncates))
        base = _advance(rec_id, key, base, version, inherited)
    if base is None:
        raise ValueError(f"no event to fold for {key}")
    return Folded(_buried(base, truncated_at), True, tuple(outcomes), tuple(fresh))


def _identity(change: ChangeEvent | Version | Head) -> tuple[object, ...]:
    """What makes two deliveries the same change of one row.

    After a restart PostgreSQL connectors send the same change with another commit LSN, so LSN and operation decide;
    sources without LSN are identified by their whole position.
    """
    if change.lsn is not None:
        return (change.lsn, change.operation)
    return (*change.position, change.operation)


def inherited_rows(key: CrosswalkKey, versions: Iterable[Version], past: Past) -> dict[str, Row]:
    """By previous key, the row that each re-keyed one of these versions took its unchanged columns from.

    Args:
        past: the versions of any other key; a row may have been re-keyed more than once.
    """
    return {
        version.previous_key: donor_row(key, version, past)
        for version in versions
        if version.previous_key is not None and version.unavailable
    }


def donor_row(key: CrosswalkKey, rekeyed: Version, past: Past) -> Row:
    """The row as it was under its key before, through all keys that it had."""
    lives: list[list[Version]] = []
    while (former := former_key(key, rekeyed.previous_key)) is not None:
        lives.append(_last_life(past(former), rekeyed.position))
        first = next(iter(lives[-1]), None)
        if first is None or not first.unavailable or first.position >= rekeyed.position:
            break
        key, rekeyed = former, first
    row: Row = _UNKNOWN
    for life in reversed(lives):
        row = _last_row(life, row)
    return row


def _last_life(versions: Iterable[Version], until: SourcePosition) -> list[Version]:
    """The versions up to a position, in order, since the key was last given to a row."""
    ordered = _in_order(version for version in versions if version.position <= until)
    starts = [at for at, version in enumerate(ordered) if version.row is not None and version.previous_key is not None]
    return ordered[starts[-1] :] if starts else ordered


def _last_row(life: Iterable[Version], donor: Row) -> Row:
    rows = rows_of(life, lambda _: donor)
    return rows[-1][1] if rows else _UNKNOWN


def rows_of(versions: Iterable[Version], donors: Callable[[Version], Row] | None = None) -> list[tuple[Version, Row]]:
    """The versions of a row that have values, in order, with all its values then; unknown is not null.

    Args:
        donors: the row that a re-keyed version takes its unchanged columns from; without it they stay unknown.
    """
    rows: list[tuple[Version, Row]] = []
    before: Row = _UNKNOWN
    for version in _in_order(versions):
        if version.row is not None:
            if version.previous_key is not None:
                donor = donors(version) if donors is not None and version.unavailable else _UNKNOWN
                before = {column: donor[column] for column in version.unavailable if column in donor}
            rows.append((version, {**before, **version.row}))
        before = rows[-1][1] if rows and version.operation is not Operation.DELETE else _UNKNOWN
    return rows


def _in_order(versions: Iterable[Version]) -> list[Version]:
    return sorted(versions, key=lambda each: (each.position, each.place))


def bury(head: Head, truncates: Sequence[SourcePosition]) -> Head | None:
    """The head after the truncates of its table, or None when they change nothing."""
    truncated_at = max(truncates, default=BEGINNING)
    return _buried(head, truncated_at) if _is_buried(head, truncated_at) else None


def _is_buried(head: Head, truncated_at: SourcePosition) -> bool:
    return not head.deleted and head.position < truncated_at


def _unburied(head: Head | None) -> Head | None:
    """The head as its own events left it: a truncate that is known already may come after those that come now."""
    return None if head is None else replace(head, deleted=head.operation is Operation.DELETE)


def _newest_before(position: SourcePosition, truncates: Sequence[SourcePosition]) -> SourcePosition:
    return max((at for at in truncates if at < position), default=BEGINNING)


def _buried(head: Head, truncated_at: SourcePosition) -> Head:
    return replace(head, deleted=True) if _is_buried(head, truncated_at) else head


def _advance(
    rec_id: RecordId, key: CrosswalkKey, head: Head | None, version: Version, inherited: Mapping[str, Row]
) -> Head:
    if version.operation is Operation.DELETE:
        row = head.row if head else None
        unresolved = head.unresolved if head else frozenset[str]()
        previous_key = head.previous_key if head else None
    else:
        row, unresolved = _complete(head, version, inherited)
        previous_key = version.previous_key or (head.previous_key if head and not head.deleted else None)
    return Head(
        rec_id=rec_id,
        key=key,
        position=version.position,
        operation=version.operation,
        row=row,
        deleted=version.operation is Operation.DELETE,
        place=version.place,
        event_time=version.event_time,
        lsn=version.lsn,
        transaction=version.transaction,
        previous_key=previous_key,
        unresolved=unresolved,
    )


def _complete(head: Head | None, version: Version, inherited: Mapping[str, Row]) -> tuple[Row, frozenset[str]]:
    """The row with unchanged and unmentioned columns carried over: unknown is not null."""
    row = dict(version.row or _UNKNOWN)
    continues = head is not None and not head.deleted and version.previous_key is None
    before = (head.row or _UNKNOWN) if continues and head is not None else _UNKNOWN
    donor = inherited.get(version.previous_key, _UNKNOWN) if version.previous_key is not None else before
    unresolved = set()
    for column in sorted(version.unavailable):
        if column in donor:
            row[column] = donor[column]
        else:
            unresolved.add(column)
    for column, value in before.items():
        if column not in row and column not in unresolved:
            row[column] = value
    return row, frozenset(unresolved)
