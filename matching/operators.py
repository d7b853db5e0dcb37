"""The operators that conditions are built from: each compares columns of two records, and has an exact SQL form."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from matching.conditions import FALSE, TRUE, UNKNOWN, Columns, Indices, Pairs, Truth, Uses
from matching.features.values import Kind
from matching.frequencies import Frequencies

# Similarities are compared with the threshold less this margin: one unit in the last place between two
# implementations of Jaro-Winkler otherwise flips a level (.92 is such a value).
_MARGIN = 1e-9


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


def _near_values(
    columns: Columns, a: NDArray[np.int32], b: NDArray[np.int32], threshold: float | None
) -> NDArray[np.bool_]:
    """Which value of one list is near which value of the other: (pairs, values, values). None: equal only."""
    shape = (*a.shape, b.shape[1])
    first, second = np.broadcast_to(a[:, :, None], shape), np.broadcast_to(b[:, None, :], shape)
    near: NDArray[np.bool_] = (first == second) & (first >= 0)
    if threshold is not None:
        cells = np.nonzero((first >= 0) & (second >= 0) & ~near)
        near[cells] = columns.jaro_winkler(first[cells], second[cells]) >= threshold - _MARGIN
    return near


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
            near = _near_values(columns, a, b, self.near)
            alone_a = ((a >= 0) & ~near.any(axis=2)).sum(axis=1)
            alone_b = ((b >= 0) & ~near.any(axis=1)).sum(axis=1)
            alone[both] = np.minimum(alone_a, alone_b) if self.fewer else np.maximum(alone_a, alone_b)
        return _truth(alone <= self.at_most, known)

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


class Side(StrEnum):
    """Which of two lists a share is taken of: the one that tells more, or less."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Shared:
    """What two lists have in common tells enough: at least `bits`, and at least `percent` of what one side tells.

    A value tells log2 of how rare it is, by the model's frozen frequencies: one rare word says more than three frequent
    ones. With `near`, values that are spelt nearly alike (Jaro-Winkler) count as shared.
    """

    column: str
    frequencies: Frequencies
    bits: float = 0.0
    percent: int = 0
    of: Side = Side.MORE
    near: float | None = None

    def evaluate(self, pairs: Pairs, rows: Indices) -> Truth:
        columns, left, right = pairs.columns, pairs.left[rows], pairs.right[rows]
        lists, worth = columns.lists(self.column), columns.information(self.column, self.frequencies)
        known = columns.present(self.column)[left] & columns.present(self.column)[right]
        both = np.flatnonzero(known)
        holds = np.zeros(len(left), dtype=np.bool_)
        if len(both):
            at_a, at_b = left[both], right[both]
            near = _near_values(columns, lists[at_a], lists[at_b], self.near)
            worth_a, worth_b = worth[at_a], worth[at_b]
            shared = np.minimum((worth_a * near.any(axis=2)).sum(axis=1), (worth_b * near.any(axis=1)).sum(axis=1))
            pick = np.maximum if self.of is Side.MORE else np.minimum
            whole = pick(worth_a.sum(axis=1), worth_b.sum(axis=1))
            holds[both] = (shared >= round(self.bits * 100)) & (shared * 100 >= whole * self.percent)
        return _truth(holds, known)

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.LIST),))

    def sql(self) -> str:
        a, b = f"{self.column}_l", f"{self.column}_r"
        worth_a, worth_b = f"{self.column}_worth_l", f"{self.column}_worth_r"

        def shared(one: str, worth: str, other: str) -> str:
            alike = f"list_contains({other}, z[1])"
            if self.near is not None:
                similar = f"jaro_winkler_similarity(z[1], y) >= {self.near - _MARGIN!r}"
                alike = f"({alike} OR len(list_filter({other}, lambda y: {similar})) > 0)"
            kept = f"list_filter(list_zip({one}, {worth}), lambda z: {alike})"
            return f"coalesce(list_sum(list_transform({kept}, lambda z: z[2])), 0)"

        common = f"least({shared(a, worth_a, b)}, {shared(b, worth_b, a)})"
        pick = "greatest" if self.of is Side.MORE else "least"
        whole = f"{pick}(list_sum({worth_a}), list_sum({worth_b}))"
        holds = f"{common} >= {round(self.bits * 100)} AND {common} * 100 >= {whole} * {self.percent}"
        return f"CASE WHEN {a} IS NOT NULL AND {b} IS NOT NULL THEN ({holds}) END"


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
