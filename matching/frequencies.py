"""How often values occur: what agreeing on a rare one is worth more than agreeing on a frequent one.

A table is frozen when a model is released, because a model whose frequencies follow the store would score the same two
records differently every day. Information is kept in hundredths of bits, as whole numbers, so that sums are exact.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from mdm.errors import ConfigurationInvalid

_UNIT = 100


class Frequencies:
    """How often each value of one column occurs among `total` values. Values that were never seen are the rarest."""

    __slots__ = ("_bits", "_unseen", "column", "counts", "fingerprint", "total")

    def __init__(self, column: str, total: int, counts: Mapping[str, int]) -> None:
        self.column = column
        self.total = total
        self.counts = dict(counts)
        self.fingerprint = hashlib.sha256(json.dumps([column, total, sorted(self.counts.items())]).encode()).hexdigest()
        self._bits = {value: _information(count, total) for value, count in self.counts.items()}
        self._unseen = _information(0.5, total)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frequencies) and other.fingerprint == self.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Frequencies({self.column!r}, {self.fingerprint[:8]})"

    def information(self, value: str) -> int:
        """How much a value tells, in hundredths of bits."""
        return self._bits.get(value, self._unseen)

    def share(self, value: str) -> float | None:
        """The share of all values that are this one; None for a value that was never seen."""
        count = self.counts.get(value)
        return None if count is None else count / self.total


def _information(count: float, total: int) -> int:
    return round(_UNIT * math.log2(max(total, 1) / count)) if total > count else 0


def count_values(column: str, values: Iterable[str], at_least: int = 1) -> Frequencies:
    """The table of a column; values that occur less than `at_least` times are left to be unseen."""
    counts: dict[str, int] = {}
    total = 0
    for value in values:
        counts[value] = counts.get(value, 0) + 1
        total += 1
    return Frequencies(column, total, {value: count for value, count in sorted(counts.items()) if count >= at_least})


def dump_frequencies(tables: Mapping[str, Frequencies]) -> str:
    """The document of a model's tables, values of one count together."""
    document: dict[str, Any] = {}
    for column, table in sorted(tables.items()):
        by_count: dict[int, list[str]] = {}
        for value, count in sorted(table.counts.items()):
            by_count.setdefault(count, []).append(value)
        document[column] = {
            "total": table.total,
            "values": {str(count): values for count, values in sorted(by_count.items())},
        }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")) + "\n"


def read_frequencies(text: str) -> dict[str, Frequencies]:
    """The tables of a document.

    Raises:
        ConfigurationInvalid: the document is no table of frequencies.
    """
    try:
        return {
            str(column): Frequencies(
                str(column),
                int(table["total"]),
                {value: _count(count) for count, values in table["values"].items() for value in values},
            )
            for column, table in json.loads(text).items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ConfigurationInvalid(f"A table of term frequencies cannot be read: {error}") from error


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(f"a value that occurs {count} times")
    return count


def fingerprint_of(tables: Mapping[str, Frequencies]) -> str:
    """One number for all tables of a model; a model's weights name the tables that they were trained with."""
    parts = sorted(table.fingerprint for table in tables.values())
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
