"""The strings by which a person could be found again, and blotting them out of JSON."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mdm.privacy.policy import Policy

#: Stands where a value was.
ERASED = "[erased]"
#: A text of fewer characters says too little to be looked for by itself.
_SHORTEST = 4
#: A trace that hardly anybody else has by chance: looked for in the whole database.
_TELLING = 7
#: Members of nested values that hold words of the hub, not of the subject.
_WORDS_OF_THE_HUB = frozenset({"type", "state", "checksum"})
_HARMLESS = re.compile(r"\d{4}-\d\d-\d\d.*|true|false|null|none|active|inactive", re.IGNORECASE)


def traces_of(rows: Iterable[Mapping[str, Any]], policy: Policy) -> frozenset[str]:
    """Texts of identifying columns, whole, and names of people put together. Columns that hold JSON are looked into."""
    every = list(rows)
    found = {
        text
        for row in every
        for column, value in row.items()
        if policy.identifies(column)
        for text in _texts(value)
    }  # fmt: skip
    found.update(each for row in every for each in _full_names(row))
    return frozenset(each for each in found if len(each) >= _SHORTEST and not _HARMLESS.fullmatch(each))


def telling(traces: Iterable[str]) -> frozenset[str]:
    """Those that identify by themselves: an address for e-mail, a long number, two words and more, a long word."""
    return frozenset(
        each
        for each in traces
        if "@" in each or sum(map(str.isdigit, each)) >= _TELLING or (len(each) >= 2 * _TELLING and " " in each)
    )


def blot(value: Any, traces: Collection[str]) -> Any:
    """The value with every text that contains a trace replaced; names of members and numbers stay."""
    if isinstance(value, str):
        return ERASED if mentions(value, traces) else value
    if isinstance(value, Mapping):
        return {name: blot(each, traces) for name, each in value.items()}
    if isinstance(value, list):
        return [blot(each, traces) for each in value]
    return value


def mentions(text: str, traces: Collection[str]) -> bool:
    """Whether a text contains a trace, in whatever case."""
    folded = text.casefold()
    return any(trace.casefold() in folded for trace in traces)


def _full_names(row: Mapping[str, Any]) -> Iterator[str]:
    """How people write the name of somebody whose first and last name stand in two columns."""
    first, last = (row.get(column) for column in ("first_name", "last_name"))
    if isinstance(first, str) and isinstance(last, str) and first.strip() and last.strip():
        first, last = first.strip(), last.strip()
        yield from (f"{first} {last}", f"{last} {first}", f"{last}, {first}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        text = value.strip()
        yield text
        # A JSON column of a source arrives as text; its members are traces of their own.
        if text[:1] in "{[" and len(text) > 2:
            yield from (each.strip() for each in re.findall(r'"([^"\\]{4,})"', text))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if name not in _WORDS_OF_THE_HUB:
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
