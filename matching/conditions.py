"""Conditions on a pair of records: what comparison levels, vetoes and cannot-links are written in.

Every condition is symmetric, is built from normalised columns only, and has an exact SQL form, so that a model can be
handed to Splink unchanged. Truth has three values, as in SQL: a column that is missing makes a condition unknown.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from matching.features.values import Kind

Truth: TypeAlias = NDArray[np.int8]
Indices: TypeAlias = NDArray[np.intp]

#: Kleene logic as numbers: AND is the minimum, OR the maximum, NOT is 2 - x.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)
_UNASKED = np.int8(-1)

# Similarities are compared with the threshold less this margin: one unit in the last place between two
# implementations of Jaro-Winkler otherwise flips a level (.92 is such a value).
_MARGIN = 1e-9


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

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        a, b = columns.codes(self.first)[left], columns.codes(self.second)[right]
        return _truth(a == b, (a >= 0) & (b >= 0))

    def columns(self) -> Uses:
        return frozenset(((self.first, Kind.TEXT), (self.second, Kind.TEXT)))

    def sql(self) -> str:
        return _either_way(self.first, self.second, "{a} = {b}")


# Lists up to this length are compared place by place for all pairs at once; longer ones (an account with hundreds of
# invoices) pair by pair, because most of their padded matrix is empty.
_SHORT_LISTS = 8


def _values_in_common(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many values each row of `a` shares with the row of `b`; rows are distinct codes padded with -1."""
    common = np.zeros(len(a), dtype=np.int32)
    short = (a[:, _SHORT_LISTS:] < 0).all(axis=1) & (b[:, _SHORT_LISTS:] < 0).all(axis=1)
    for i in range(min(a.shape[1], _SHORT_LISTS)):
        value = a[:, i]
        if not (value >= 0).any():
            break
        for j in range(min(b.shape[1], _SHORT_LISTS)):
            common += (value == b[:, j]) & (value >= 0)
    for row in np.flatnonzero(~short).tolist():
        values = set(a[row].tolist())
        values.discard(-1)
        common[row] = len(values.intersection(b[row].tolist()))
    return common


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two lists have at least `at_least` values in common; with two columns, in either direction."""

    first: str
    second: str
    at_least: int = 1

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        known = columns.present(self.first)[left] & columns.present(self.second)[right]
        both = np.flatnonzero(known)
        common = np.zeros(len(left), dtype=np.int32)
        if len(both):
            a, b = columns.lists(self.first)[left[both]], columns.lists(self.second)[right[both]]
            common[both] = _values_in_common(a, b)
        return _truth(common >= self.at_least, known)

    def columns(self) -> Uses:
        return frozenset(((self.first, Kind.LIST), (self.second, Kind.LIST)))

    def sql(self) -> str:
        common = f"len(list_intersect({{a}}, {{b}})) >= {self.at_least}"
        return _either_way(
            self.first, self.second, f"CASE WHEN {{a}} IS NOT NULL AND {{b}} IS NOT NULL THEN {common} END"
        )


@dataclass(frozen=True, slots=True)
class JaroWinklerAtLeast:
    """The Jaro-Winkler similarity of a text column reaches a threshold."""

    column: str
    threshold: float

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        codes = columns.codes(self.column)
        a, b = codes[left], codes[right]
        result = _truth(a == b, (a >= 0) & (b >= 0))
        differing = np.flatnonzero(result == FALSE)
        near = columns.jaro_winkler(a[differing], b[differing]) >= self.threshold - _MARGIN
        result[differing[near]] = TRUE
        return result

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.TEXT),))

    def sql(self) -> str:
        return f"jaro_winkler_similarity({self.column}_l, {self.column}_r) >= {self.threshold - _MARGIN!r}"


@dataclass(frozen=True, slots=True)
class LevenshteinAtMost:
    """A text column differs by at most this many edits."""

    column: str
    edits: int

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        codes = columns.codes(self.column)
        a, b = codes[left], codes[right]
        result = _truth(a == b, (a >= 0) & (b >= 0))
        differing = np.flatnonzero(result == FALSE)
        if len(differing):
            texts = columns.texts(a[differing]), columns.texts(b[differing])
            near = np.asarray(cpdist(*texts, scorer=Levenshtein.distance, dtype=np.int32)) <= self.edits
            result[differing[near]] = TRUE
        return result

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.TEXT),))

    def sql(self) -> str:
        return f"levenshtein({self.column}_l, {self.column}_r) <= {self.edits}"


@dataclass(frozen=True, slots=True)
class Covered:
    """Values of two lists that have no near value (Jaro-Winkler) on the other side are few.

    `fewer` looks at the side with fewer such values (0: one list is contained in the other but for spelling),
    otherwise at the side with more (0: both say the same but for spelling).
    """

    column: str
    near: float
    at_most: int
    fewer: bool

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        lists = columns.lists(self.column)
        known = columns.present(self.column)[left] & columns.present(self.column)[right]
        both = np.flatnonzero(known)
        alone = np.zeros(len(left), dtype=np.int64)
        if len(both):
            a, b = lists[left[both]], lists[right[both]]
            near = self._near(columns, a, b)
            alone_a = ((a >= 0) & ~near.any(axis=2)).sum(axis=1)
            alone_b = ((b >= 0) & ~near.any(axis=1)).sum(axis=1)
            alone[both] = np.minimum(alone_a, alone_b) if self.fewer else np.maximum(alone_a, alone_b)
        return _truth(alone <= self.at_most, known)

    def _near(self, columns: Columns, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which value of one list is near which value of the other: (pairs, values, values)."""
        shape = (*a.shape, b.shape[1])
        first, second = np.broadcast_to(a[:, :, None], shape), np.broadcast_to(b[:, None, :], shape)
        near: NDArray[np.bool_] = (first == second) & (first >= 0)
        cells = np.nonzero((first >= 0) & (second >= 0) & ~near)
        near[cells] = columns.jaro_winkler(first[cells], second[cells]) >= self.near - _MARGIN
        return near

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.LIST),))

    def sql(self) -> str:
        def alone(one: str, other: str) -> str:
            near = f"jaro_winkler_similarity(x, y) >= {self.near - _MARGIN!r}"
            return f"len(list_filter({one}, lambda x: len(list_filter({other}, lambda y: {near})) = 0))"

        sides = (f"{self.column}_l", f"{self.column}_r")
        pick = "least" if self.fewer else "greatest"
        few = f"{pick}({alone(*sides)}, {alone(*reversed(sides))}) <= {self.at_most}"
        return f"CASE WHEN {sides[0]} IS NOT NULL AND {sides[1]} IS NOT NULL THEN {few} END"


@dataclass(frozen=True, slots=True)
class Within:
    """Two numbers are at most `distance` apart; with two columns, in either direction."""

    first: str
    second: str
    distance: float

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        result = self._one_way(columns, left, right)
        return result if self.first == self.second else np.maximum(result, self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        gap = np.abs(columns.numbers(self.first)[left] - columns.numbers(self.second)[right])
        return _truth(gap <= self.distance, ~np.isnan(gap))

    def columns(self) -> Uses:
        return frozenset(((self.first, Kind.NUMBER), (self.second, Kind.NUMBER)))

    def sql(self) -> str:
        return _either_way(self.first, self.second, f"abs({{a}} - {{b}}) <= {self.distance!r}")


@dataclass(frozen=True, slots=True)
class Inside:
    """One side's interval lies inside the other side's, give or take `slack`, in either direction."""

    inner: tuple[str, str]
    outer: tuple[str, str]
    slack: float

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        return np.maximum(self._one_way(columns, left, right), self._one_way(columns, right, left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        after = columns.numbers(self.inner[0])[left] - columns.numbers(self.outer[0])[right]
        before = columns.numbers(self.outer[1])[right] - columns.numbers(self.inner[1])[left]
        return np.minimum(
            _truth(after >= -self.slack, ~np.isnan(after)), _truth(before >= -self.slack, ~np.isnan(before))
        )

    def columns(self) -> Uses:
        return frozenset((name, Kind.NUMBER) for name in (*self.inner, *self.outer))

    def sql(self) -> str:
        def one_way(inner: str, outer: str) -> str:
            after = f"{self.inner[0]}_{inner} - {self.outer[0]}_{outer} >= {-self.slack!r}"
            return f"({after} AND {self.outer[1]}_{outer} - {self.inner[1]}_{inner} >= {-self.slack!r})"

        return f"({one_way('l', 'r')} OR {one_way('r', 'l')})"


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
