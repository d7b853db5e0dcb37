"""Reading a comparison form: every reader returns nothing rather than an empty or mistyped value."""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

#: One record's columns: a text, a sorted tuple of distinct texts, or a number.
Features: TypeAlias = Mapping[str, str | tuple[str, ...] | float]
Columns: TypeAlias = dict[str, str | tuple[str, ...] | float]


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    LIST = "list of text"
    NUMBER = "number"


def kinds(*, texts: str, lists: str, numbers: str = "") -> Mapping[str, Kind]:
    """A declaration of columns: names by kind, separated by blanks."""
    return {
        **dict.fromkeys(texts.split(), Kind.TEXT),
        **dict.fromkeys(lists.split(), Kind.LIST),
        **dict.fromkeys(numbers.split(), Kind.NUMBER),
    }


def text(comparison: Mapping[str, Any], key: str) -> str | None:
    value = comparison.get(key)
    return str(value) if value else None


def texts(comparison: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list value as sorted distinct texts; a single text counts as a list of one."""
    value = comparison.get(key)
    return texts_of(value) if value else ()


def texts_of(value: str | Sequence[str]) -> tuple[str, ...]:
    """The same of a value that is there."""
    if isinstance(value, str):
        return (value,)
    if len(value) == 1:
        return tuple(value) if value[0] else ()
    return distinct(value)


def number(comparison: Mapping[str, Any], key: str) -> float | None:
    return number_of(comparison.get(key))


def number_of(value: object) -> float | None:
    """A number that can be compared, which one that is none, endless or beyond what a float holds cannot."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Sorted, each once, without empty texts."""
    found = set(values)
    found.discard("")
    return tuple(sorted(found)) if len(found) > 1 else tuple(found)


def put(columns: Columns, name: str, value: str | tuple[str, ...] | float | None) -> None:
    """Keep a value unless it says nothing; so does a number that is none or endless."""
    if isinstance(value, float) and not math.isfinite(value):
        return
    if value is not None and value != "" and value != ():
        columns[name] = value


def given_features(comparison: Mapping[str, Any]) -> Features:
    """The values of a comparison form as columns of the same names."""
    columns: Columns = {}
    for name, value in comparison.items():
        if isinstance(value, list | tuple):
            put(columns, name, distinct(str(item) for item in value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            put(columns, name, number_of(value))
        elif value is not None:
            put(columns, name, str(value))
    return columns
