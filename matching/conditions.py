"""Conditions on a pair of records: what comparison levels, vetoes and cannot-links are written in.

Every condition is symmetric, is built from normalised columns only, and has an exact SQL form, so that a model can be
handed to Splink unchanged. Truth has three values, as in SQL: a column that is missing makes a condition unknown.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.features.values import Kind
from matching.frequencies import Frequencies

Truth: TypeAlias = NDArray[np.int8]
Indices: TypeAlias = NDArray[np.intp]

#: Kleene logic as numbers: AND is the minimum, OR the maximum, NOT is 2 - x.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)
_UNASKED = np.int8(-1)


#: Columns that a condition reads, with the kind that each must have; None for any.
Uses: TypeAlias = frozenset[tuple[str, Kind | None]]


class Columns(Protocol):
    """The columns of a batch of records, encoded once. Texts share one dictionary of codes; -1 is missing."""

    def codes(self, column: str) -> NDArray[np.int32]:
        """The code of each record's text."""
        ...

    def texts(self, codes: NDArray[np.int32]) -> list[bytes]:
        """The texts behind codes, as UTF-8 (Splink's engine compares bytes)."""
        ...

    def jaro_winkler(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.float64]:
        """The similarity of texts given by their codes (none missing), each distinct pair computed once."""
        ...

    def lists(self, column: str) -> NDArray[np.int32]:
        """A matrix of codes, one row per record, distinct within a row, padded with -1; all -1 is missing."""
        ...

    def information(self, column: str, frequencies: Frequencies) -> NDArray[np.int32]:
        """What each value of `lists` tells, in hundredths of bits; 0 where there is none."""
        ...

    def shares(self, column: str, frequencies: Frequencies) -> NDArray[np.float64]:
        """How frequent each record's text is; NaN where it is missing or was never counted."""
        ...

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The number of each record; NaN is missing."""
        ...

    def present(self, column: str) -> NDArray[np.bool_]:
        """Whether each record has a value, whatever the kind of the column."""
        ...


class Pairs:
    """Pairs of records of a batch, and what is already known to be true of them.

    Comparisons share conditions (whether the names agree decides what a shared phone is worth), so each condition is
    evaluated at most once per pair, and only for the pairs that somebody asks about.
    """

    def __init__(self, columns: Columns, left: Indices, right: Indices) -> None:
        self.columns = columns
        self.left = left
        self.right = right
        self._known: dict[int, Truth] = {}

    @property
    def all_rows(self) -> Indices:
        return np.arange(len(self.left), dtype=np.intp)

    def truth(self, condition: "Condition", rows: Indices) -> Truth:
        """The truth of a condition for these pairs. Equal conditions of one model are one object (see parsing)."""
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = np.full(len(self.left), _UNASKED, dtype=np.int8)
        new = rows[known[rows] == _UNASKED]
        if len(new):
            known[new] = condition.evaluate(self, new)
        return known[rows]


class Condition(Protocol):
    """A statement about a pair of records that is true, false or unknown."""

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        """The truth for the pairs at these rows; ask through `Pairs.truth`, which remembers."""
        ...

    def columns(self) -> Uses:
        """The columns that the statement reads, each with the kind it must have (None: any)."""
        ...

    def sql(self) -> str:
        """The statement as a SQL expression over `<column>_l` and `<column>_r`."""
        ...


@dataclass(frozen=True, slots=True)
class Missing:
    """At least one side has no value in any of these columns. Never unknown."""

    names: tuple[str, ...]

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        present = columns.present(self.names[0])
        for name in self.names[1:]:
            present = present | columns.present(name)
        return np.where(present[left] & present[right], FALSE, TRUE).astype(np.int8, copy=False)

    def columns(self) -> Uses:
        return frozenset((name, None) for name in self.names)

    def sql(self) -> str:
        sides = (" AND ".join(f"{name}_{side} IS NULL" for name in self.names) for side in "lr")
        return "(" + " OR ".join(f"({side})" for side in sides) + ")"


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        result = pairs.truth(self.parts[0], rows)
        for part in self.parts[1:]:
            open_rows = np.flatnonzero(result != FALSE)
            result[open_rows] = np.minimum(result[open_rows], pairs.truth(part, rows[open_rows]))
        return result

    def columns(self) -> Uses:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " AND ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        result = pairs.truth(self.parts[0], rows)
        for part in self.parts[1:]:
            open_rows = np.flatnonzero(result != TRUE)
            result[open_rows] = np.maximum(result[open_rows], pairs.truth(part, rows[open_rows]))
        return result

    def columns(self) -> Uses:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " OR ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false; unknown stays unknown."""

    part: Condition

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        return (TRUE - pairs.truth(self.part, rows)).astype(np.int8, copy=False)

    def columns(self) -> Uses:
        return self.part.columns()

    def sql(self) -> str:
        return f"NOT ({self.part.sql()})"
