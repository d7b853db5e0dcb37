"""The mirror of the source tables in memory: what the store does for a batch of events, without the store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mdm.core.fold import is_late
from mdm.core.mirror import mirror
from mdm.model.events import ChangeEvent, Operation, Outcome, Place, SourcePosition
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import Head, KnownMirror, TableName, Version, needs_donor, with_donors

_BATCH = 500


class Journal:
    """Rows folded from events by `mdm.core.mirror`, batch by batch, in the order in which they are delivered."""

    def __init__(self) -> None:
        self._heads: dict[CrosswalkKey, Head] = {}
        #: The rows that were re-keyed from each key.
        self._followers: dict[CrosswalkKey, set[CrosswalkKey]] = {}
        self._histories: dict[CrosswalkKey, list[Version]] = {}
        self._truncations: dict[TableName, tuple[SourcePosition, ...]] = {}
        self._seen: set[Place] = set()
        self._keys: dict[RecordId, CrosswalkKey] = {}
        #: What became of each event.
        self.outcomes: dict[Place, Outcome] = {}

    def take(self, events: Sequence[ChangeEvent]) -> "Journal":
        """Consume events; a place that was seen before is a duplicate. Returns itself."""
        for start in range(0, len(events), _BATCH):
            fresh = {event.place: event for event in events[start : start + _BATCH] if event.place not in self._seen}
            self._seen |= fresh.keys()
            self._fold(list(fresh.values()))
        return self

    def rows(self) -> dict[CrosswalkKey, Mapping[str, Any]]:
        """Every live row."""
        return {key: head.row or {} for key, head in self._heads.items() if not head.deleted}

    def unresolved(self) -> Iterator[tuple[CrosswalkKey, str]]:
        """Columns of live rows that were announced as unchanged and whose value no event has brought."""
        for key, head in self._heads.items():
            if not head.deleted:
                for column in sorted(head.unresolved):
                    yield key, column

    def _fold(self, events: Sequence[ChangeEvent]) -> None:
        delta = mirror(events, self._known(events))
        for rec_id, version in delta.versions:
            self._histories.setdefault(self._keys[rec_id], []).append(version)
        for head in delta.heads:
            self._heads[head.key] = head
            if (donor := _donor(head)) is not None:
                self._followers.setdefault(donor, set()).add(head.key)
        for table, event in delta.truncations:
            self._truncations[table] = (*self._truncations.get(table, ()), event.position)
        self.outcomes.update(delta.outcomes)

    def _known(self, events: Sequence[ChangeEvent]) -> KnownMirror:
        by_key: dict[CrosswalkKey, list[ChangeEvent]] = {}
        for event in events:
            if event.key is not None:
                by_key.setdefault(event.key, []).append(event)
        donors = {event.previous_key for event in events if event.previous_key is not None and needs_donor(event)}
        touched = by_key.keys() | donors
        waiting, reached = set[CrosswalkKey](), touched
        while followers := set[CrosswalkKey]().union(*(self._followers.get(key, ()) for key in reached)):
            reached = followers - waiting
            waiting |= followers
        waiting |= self._parted(events)
        late = {key for key, changes in by_key.items() if is_late(self._heads.get(key), changes)}
        sources = {donor for key in waiting if (donor := _donor(self._heads[key])) is not None}
        truncated = {(event.system, event.type) for event in events if event.operation is Operation.TRUNCATE}
        histories = with_donors(self._past(late | donors | sources | waiting), self._past)
        exposed = {
            key: head for key, head in self._heads.items() if not head.deleted and (key.system, key.type) in truncated
        }
        return KnownMirror(
            rec_ids={key: self._rec_id(key) for key in (*by_key, *waiting, *exposed)},
            heads={key: self._heads[key] for key in {*by_key, *waiting} if key in self._heads},
            histories=histories,
            truncations=dict(self._truncations),
            waiting=frozenset(waiting - by_key.keys()),
            exposed=exposed,
        )

    def _parted(self, events: Sequence[ChangeEvent]) -> set[CrosswalkKey]:
        """Rows with versions before and after a truncate that comes only now."""
        return {
            key
            for event in events
            if event.operation is Operation.TRUNCATE
            for key, head in self._heads.items()
            if (key.system, key.type) == (event.system, event.type)
            and head.position > event.position > min(version.position for version in self._histories[key])
        }

    def _past(self, keys: Iterable[CrosswalkKey]) -> dict[CrosswalkKey, list[Version]]:
        return {key: self._histories.get(key, []) for key in keys}

    def _rec_id(self, key: CrosswalkKey) -> RecordId:
        head = self._heads.get(key)
        if head is not None:
            return head.rec_id
        rec_id = RecordId(len(self._keys) + 1)
        self._keys[rec_id] = key
        return rec_id


def _donor(head: Head) -> CrosswalkKey | None:
    if head.previous_key is None:
        return None
    return CrosswalkKey(head.key.system, head.key.type, head.previous_key)


def differing(
    one: Mapping[CrosswalkKey, Mapping[str, Any]], other: Mapping[CrosswalkKey, Mapping[str, Any]]
) -> list[str]:
    """Rows that the two do not agree on, with the columns; never values."""
    return list(_differing(one, other))


def _differing(
    one: Mapping[CrosswalkKey, Mapping[str, Any]], other: Mapping[CrosswalkKey, Mapping[str, Any]]
) -> Iterable[str]:
    for key in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(key), other.get(key)
        if mine is None or theirs is None:
            yield f"{key} is live in one order of delivery and gone in another"
        elif mine != theirs:
            columns = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
            yield f"{key} depends on the order of delivery in {', '.join(columns)}"
