"""Conditions on a pair of records: what comparison levels, vetoes and cannot-links are written in.

Every condition is symmetric, is built from normalised columns only, and has an exact SQL form, so that a model can be
handed to Splink unchanged. Truth has three values, as in SQL: a column that is missing makes a condition unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import JaroWinkler, Levenshtein
from rapidfuzz.process import cpdist

Truth: TypeAlias = NDArray[np.int8]
Indices: TypeAlias = NDArray[np.intp]

#: Kleene logic as numbers: AND is the minimum, OR the maximum, NOT is 2 - x.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)

# Similarities are compared with the threshold less this margin: one unit in the last place between two
# implementations of Jaro-Winkler otherwise flips a level (.92 is such a value).
_MARGIN = 1e-9


class Columns(Protocol):
    """The columns of a batch of records, encoded once. Texts share one dictionary of codes; -1 is missing."""

    def codes(self, column: str) -> NDArray[np.int32]:
        """The code of each record's text."""
        ...

    def texts(self, codes: NDArray[np.int32]) -> list[bytes]:
        """The texts behind codes, as UTF-8 (Splink's engine compares bytes)."""
        ...

    def lists(self, column: str) -> NDArray[np.int32]:
        """A matrix of codes, one row per record, distinct within a row, padded with -1; all -1 is missing."""
        ...

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The number of each record; NaN is missing."""
        ...

    def present(self, column: str) -> NDArray[np.bool_]:
        """Whether each record has a value, whatever the kind of the column."""
        ...


class Condition(Protocol):
    """A statement about a pair of records that is true, false or unknown."""

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth: ...

    def columns(self) -> frozenset[str]:
        """The columns that the statement reads."""
        ...

    def sql(self) -> str:
        """The statement as a SQL expression over `<column>_l` and `<column>_r`."""
        ...


def _truth(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> Truth:
    return np.where(known, np.where(holds, TRUE, FALSE), UNKNOWN).astype(np.int8, copy=False)


def _either_way(first: str, second: str, form: str) -> str:
    forward = form.format(a=f"{first}_l", b=f"{second}_r")
    return forward if first == second else f"({forward} OR {form.format(a=f'{second}_l', b=f'{first}_r')})"


@dataclass(frozen=True, slots=True)
class Equal:
    """Both sides hold the same text; with two columns, one side's first equals the other side's second."""

    first: str
    second: str

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        a, b = columns.codes(self.first)[left], columns.codes(self.second)[right]
        return _truth(a == b, (a >= 0) & (b >= 0))

    def columns(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def sql(self) -> str:
        return _either_way(self.first, self.second, "{a} = {b}")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two lists have at least `at_least` values in common; with two columns, in either direction."""

    first: str
    second: str
    at_least: int = 1

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        a, b = columns.lists(self.first)[left], columns.lists(self.second)[right]
        known = (a[:, 0] >= 0) & (b[:, 0] >= 0)
        common = np.zeros(len(left), dtype=np.int32)
        for i in range(a.shape[1]):
            value = a[:, i]
            if not (value >= 0).any():
                break
            for j in range(b.shape[1]):
                common += (value == b[:, j]) & (value >= 0)
        return _truth(common >= self.at_least, known)

    def columns(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def sql(self) -> str:
        return _either_way(self.first, self.second, f"len(list_intersect({{a}}, {{b}})) >= {self.at_least}")


@dataclass(frozen=True, slots=True)
class JaroWinklerAtLeast:
    """The Jaro-Winkler similarity of a text column reaches a threshold."""

    column: str
    threshold: float

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        return _by_texts(
            columns,
            self.column,
            left,
            right,
            lambda a, b: (
                np.asarray(cpdist(a, b, scorer=JaroWinkler.similarity, dtype=np.float64)) >= self.threshold - _MARGIN
            ),
        )

    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def sql(self) -> str:
        return f"jaro_winkler_similarity({self.column}_l, {self.column}_r) >= {self.threshold - _MARGIN!r}"


@dataclass(frozen=True, slots=True)
class LevenshteinAtMost:
    """A text column differs by at most this many edits."""

    column: str
    edits: int

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        return _by_texts(
            columns,
            self.column,
            left,
            right,
            lambda a, b: np.asarray(cpdist(a, b, scorer=Levenshtein.distance, dtype=np.int32)) <= self.edits,
        )

    def columns(self) -> frozenset[str]:
        return frozenset((self.column,))

    def sql(self) -> str:
        return f"levenshtein({self.column}_l, {self.column}_r) <= {self.edits}"


def _by_texts(
    columns: Columns,
    column: str,
    left: Indices,
    right: Indices,
    holds: Callable[[list[bytes], list[bytes]], NDArray[np.bool_]],
) -> Truth:
    """Equal codes are equal texts, so only differing ones are compared letter by letter."""
    codes = columns.codes(column)
    a, b = codes[left], codes[right]
    result = _truth(a == b, (a >= 0) & (b >= 0))
    differing = np.flatnonzero(result == FALSE)
    if len(differing):
        near = holds(columns.texts(a[differing]), columns.texts(b[differing]))
        result[differing[near]] = TRUE
    return result


@dataclass(frozen=True, slots=True)
class Within:
    """Two numbers are at most `distance` apart; with two columns, in either direction."""

    first: str
    second: str
    distance: float

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        gap = np.abs(columns.numbers(self.first)[left] - columns.numbers(self.second)[right])
        return _truth(gap <= self.distance, ~np.isnan(gap))

    def columns(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def sql(self) -> str:
        return _either_way(self.first, self.second, f"abs({{a}} - {{b}}) <= {self.distance!r}")


@dataclass(frozen=True, slots=True)
class AtMost:
    """One side's first number does not exceed the other side's second, in both directions (two terms overlap)."""

    first: str
    second: str

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        return np.minimum(self._one_way(columns, left, right), self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        gap = columns.numbers(self.second)[right] - columns.numbers(self.first)[left]
        return _truth(gap >= 0, ~np.isnan(gap))

    def columns(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def sql(self) -> str:
        return f"({self.first}_l <= {self.second}_r AND {self.first}_r <= {self.second}_l)"


@dataclass(frozen=True, slots=True)
class Missing:
    """At least one side has no value in any of these columns. Never unknown."""

    names: tuple[str, ...]

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        present = columns.present(self.names[0])
        for name in self.names[1:]:
            present = present | columns.present(name)
        return np.where(present[left] & present[right], FALSE, TRUE).astype(np.int8, copy=False)

    def columns(self) -> frozenset[str]:
        return frozenset(self.names)

    def sql(self) -> str:
        sides = (" AND ".join(f"{name}_{side} IS NULL" for name in self.names) for side in "lr")
        return "(" + " OR ".join(f"({side})" for side in sides) + ")"


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        result = self.parts[0].evaluate(columns, left, right)
        for part in self.parts[1:]:
            open_rows = np.flatnonzero(result != FALSE)
            result[open_rows] = np.minimum(result[open_rows], part.evaluate(columns, left[open_rows], right[open_rows]))
        return result

    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " AND ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        result = self.parts[0].evaluate(columns, left, right)
        for part in self.parts[1:]:
            open_rows = np.flatnonzero(result != TRUE)
            result[open_rows] = np.maximum(result[open_rows], part.evaluate(columns, left[open_rows], right[open_rows]))
        return result

    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " OR ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false; unknown stays unknown."""

    part: Condition

    def evaluate(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        return (TRUE - self.part.evaluate(columns, left, right)).astype(np.int8, copy=False)

    def columns(self) -> frozenset[str]:
        return self.part.columns()

    def sql(self) -> str:
        return f"NOT ({self.part.sql()})"
