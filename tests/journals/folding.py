"""Folds change events into rows the way a store must: by position per key, with truncates as a watermark per table."""

from collections.abc import Iterable
from typing import Any

from mdm.model.events import BEGINNING, ChangeEvent, SourcePosition
from mdm.model.ids import CrosswalkKey

Table = tuple[str, str]


class Folded:
    """The rows of every table after the events, in any order of arrival."""

    def __init__(self) -> None:
        self.rows: dict[CrosswalkKey, dict[str, Any]] = {}
        self._positions: dict[CrosswalkKey, SourcePosition] = {}
        self._emptied: dict[Table, SourcePosition] = {}
        #: Last rows of keys that were given up for another key: unchanged columns of the new key come from there.
        self._left: dict[CrosswalkKey, dict[str, Any]] = {}
        self._waiting: list[tuple[CrosswalkKey, str, CrosswalkKey]] = []

    def table(self, system: str, table: str) -> list[dict[str, Any]]:
        return [row for key, row in self.rows.items() if (key.system, key.type) == (system, table)]

    def add(self, event: ChangeEvent) -> None:
        if event.key is None:
            self._truncate(event)
            return
        if event.position < self._emptied.get((event.system, event.type), BEGINNING):
            return
        if event.position < self._positions.get(event.key, BEGINNING):
            return
        self._positions[event.key] = event.position
        if event.row is None:
            row = self.rows.pop(event.key, None)
            if event.next_key is not None and row is not None:
                self._left[event.key] = row
            return
        before = self.rows.get(event.key, {})
        origin = event.previous_key or event.key
        carried = before if event.previous_key is None else self._left.get(origin) or self.rows.get(origin) or {}
        self.rows[event.key] = {**event.row, **{name: carried[name] for name in event.unavailable if name in carried}}
        self._waiting += [(event.key, name, origin) for name in event.unavailable if name not in carried]

    def _truncate(self, event: ChangeEvent) -> None:
        table = (event.system, event.type)
        self._emptied[table] = max(self._emptied.get(table, BEGINNING), event.position)
        for key in [key for key in self.rows if (key.system, key.type) == table]:
            if self._positions[key] < event.position:
                del self.rows[key]

    def finish(self) -> None:
        """Fill columns whose old row came later than the new one."""
        for key, name, origin in self._waiting:
            if key in self.rows and name not in self.rows[key] and name in self._left.get(origin, {}):
                self.rows[key][name] = self._left[origin][name]


def fold(events: Iterable[ChangeEvent]) -> Folded:
    folded = Folded()
    for event in events:
        folded.add(event)
    folded.finish()
    return folded
