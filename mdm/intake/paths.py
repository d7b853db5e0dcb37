"""Paths into a row: a column, or a value inside the JSON text of a column.

`name` is a column; `metadata.segment` a key of a JSON object; `line_items[].product_code` a key of every element.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from mdm.model.events import Row


@dataclass(frozen=True, slots=True)
class Path:
    """A column and the steps inside its JSON; the step `[]` stands for every element of a list."""

    column: str
    steps: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The path as a mapping writes it."""
        return ".".join((self.column, *self.steps)).replace(".[]", "[]")


def parse_path(text: str) -> Path:
    column, *steps = text.replace("[]", ".[]").split(".")
    return Path(column, tuple(steps))


def values_at(row: Row, path: Path) -> tuple[Any, ...]:
    """Every value at a path; empty when the column is absent, null, or its JSON has no such place."""
    value = row.get(path.column)
    if value is None:
        return ()
    if not path.steps:
        return (value,)
    found: list[Any] = [_parsed(value)]
    for step in path.steps:
        if step == "[]":
            found = [item for held in found if isinstance(held, list) for item in held]
        else:
            found = [held[step] for held in found if isinstance(held, dict) and step in held]
    return tuple(item for item in found if item is not None)


def value_at(row: Row, path: Path) -> Any:
    """The first value at a path, None when there is none."""
    if not path.steps:
        return row.get(path.column)
    values = values_at(row, path)
    return values[0] if values else None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        # Text that is no JSON has no places inside.
        return None
