"""The operators that conditions are built from: each compares columns of two records, and has an exact SQL form."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

from matching.conditions import FALSE, TRUE, Columns, Indices, Judged, Pairs, Truth, Uses
from matching.features.values import Features, Kind
from matching.frame import NARROW, Lists
from matching.likeness import MARGIN, ListsBeside, Similarities, alike, utf8

_Codes = NDArray[np.int32]
#: Values in common beyond this number are not counted.
MANY = 127


def truth_of(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> Truth:
    """Where not `known`: unknown; otherwise whether it holds. Arithmetic, because masked writes are slow."""
    truth: Truth = (holds & known).view(np.int8) << np.int8(1) | (~known).view(np.int8)
    return truth


def _one(holds: bool) -> int:
    return 2 if holds else 0


def _either_way(first: str, second: str, form: str) -> str:
    forward = form.format(a=f"{first}_l", b=f"{second}_r")
    return forward if first == second else f"({forward} OR {form.format(a=f'{second}_l', b=f'{first}_r')})"


@dataclass(frozen=True, slots=True)
class Equal:
    """Both sides hold the same text; with two columns, one side's first equals the other side's second."""

    first: str
    second: str

    def evaluate(self, pairs: Pairs) -> Truth:
        (a, b), (c, d) = pairs.codes(self.first), pairs.codes(self.second)
        result = self._one_way(a, d)
        return result if self.first == self.second else np.maximum(result, self._one_way(c, b))

    def _one_way(self, a: _Codes, b: _Codes) -> Truth:
        return truth_of(a == b, (a >= 0) & (b >= 0))

    def judge(self, pair: Judged) -> int:
        result = self._judge(pair.left, pair.right)
        return result if self.first == self.second else max(result, self._judge(pair.right, pair.left))

    def _judge(self, left: Features, right: Features) -> int:
        a, b = left.get(self.first), right.get(self.second)
        return 1 if a is None or b is None else _one(a == b)

    def columns(self) -> Uses:
        return frozenset(((self.first, Kind.TEXT), (self.second, Kind.TEXT)))

    def sql(self) -> str:
        return _either_way(self.first, self.second, "{a} = {b}")


def _in_common(pairs: Pairs, first: str, second: str) -> tuple[Indices, NDArray[np.int8]]:
    """The pairs of which both sides have a list, and how many values each of them shares: the first list of the left
    side with the second of the right. Most pairs lack most lists.
    """
    rows = pairs.rows_with(first, second)
    if not len(rows):
        return rows, np.zeros(0, dtype=np.int8)
    all_of_them = len(rows) == len(pairs)
    left, right = (pairs.left, pairs.right) if all_of_them else (pairs.left.take(rows), pairs.right.take(rows))
    x, y = pairs.columns.lists(first), pairs.columns.lists(second)
    common = (x.narrow[0].take(left) == y.narrow[0].take(right)).view(np.int8)
    # Most lists have one value.
    longer = (x.many.take(left) | y.many.take(right)).nonzero()[0]
    if len(longer):
        common[longer] = _in_long(x, y, left[longer], right[longer])
    return rows, common


def _in_long(x: Lists, y: Lists, a: Indices, b: Indices) -> NDArray[np.int8]:
    """How many of the values of `a` in `x` are among those of `b` in `y`; none is empty."""
    long_a, long_b = x.lengths[a], y.lengths[b]
    found = np.zeros(len(a), dtype=np.int8)
    theirs = [y.narrow[place].take(b) for place in range(min(int(long_b.max()), NARROW))]
    for place in range(min(int(long_a.max()), NARROW)):
        value = x.narrow[place].take(a)
        if place:
            value[long_a <= place] = -2  # past the end, and equal to no end on the other side
        for other in theirs:
            found += value == other
    for row in (np.maximum(long_a, long_b) > NARROW).nonzero()[0].tolist():
        at_a, at_b = int(x.starts[a[row]]), int(y.starts[b[row]])
        values = set(x.flat[at_a : at_a + int(long_a[row])].tolist())
        found[row] = min(len(values.intersection(y.flat[at_b : at_b + int(long_b[row])].tolist())), MANY)
    return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two lists have at least `at_least` values in common; with two columns, in either direction."""

    first: str
    second: str
    at_least: int = 1

    def evaluate(self, pairs: Pairs) -> Truth:
        result = self._one_way(pairs, self.first, self.second)
        return (
            result if self.first == self.second else np.maximum(result, self._one_way(pairs, self.second, self.first))
        )

    def _one_way(self, pairs: Pairs, first: str, second: str) -> Truth:
        key = "in common", first, second
        if key not in pairs.memory:
            pairs.memory[key] = _in_common(pairs, first, second)
        rows, common = cast("tuple[Indices, NDArray[np.int8]]", pairs.memory[key])
        if not len(rows):
            return pairs.nothing_known
        found: Truth = (common >= self.at_least).view(np.int8) << np.int8(1)
        if len(rows) == len(pairs):
            return found
        truth = pairs.nothing_known.copy()
        truth[rows] = found
        return truth

    def judge(self, pair: Judged) -> int:
        result = self._judge(pair.left, pair.right)
        return result if self.first == self.second else max(result, self._judge(pair.right, pair.left))

    def _judge(self, left: Features, right: Features) -> int:
        a, b = left.get(self.first), right.get(self.second)
        if a is None or b is None:
            return 1
        return _one(len(set(cast("tuple[str, ...]", a)).intersection(cast("tuple[str, ...]", b))) >= self.at_least)

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

    def evaluate(self, pairs: Pairs) -> Truth:
        key = "similarities", self.column
        if key not in pairs.memory:
            pairs.memory[key] = Similarities(pairs, self.column)
        found = cast("Similarities", pairs.memory[key])
        return truth_of(found.at_least(self.threshold), found.known)

    def judge(self, pair: Judged) -> int:
        a, b = pair.left.get(self.column), pair.right.get(self.column)
        if a is None or b is None:
            return 1
        return _one(a == b or alike(cast("str", a), cast("str", b)) >= self.threshold - MARGIN)

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.TEXT),))

    def sql(self) -> str:
        return f"jaro_winkler_similarity({self.column}_l, {self.column}_r) >= {self.threshold - MARGIN!r}"


@dataclass(frozen=True, slots=True)
class LevenshteinAtMost:
    """A text column differs by at most this many edits."""

    column: str
    edits: int

    def evaluate(self, pairs: Pairs) -> Truth:
        a, b = pairs.codes(self.column)
        result = truth_of(a == b, (a >= 0) & (b >= 0))
        differing = (result == FALSE).nonzero()[0]
        if len(differing):
            columns = pairs.columns
            texts = columns.texts(self.column, a[differing]), columns.texts(self.column, b[differing])
            near = np.asarray(cpdist(*texts, scorer=Levenshtein.distance, dtype=np.int32)) <= self.edits
            result[differing[near]] = TRUE
        return result

    def judge(self, pair: Judged) -> int:
        a, b = pair.left.get(self.column), pair.right.get(self.column)
        if a is None or b is None:
            return 1
        return _one(Levenshtein.distance(utf8(cast("str", a)), utf8(cast("str", b))) <= self.edits)

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

    def evaluate(self, pairs: Pairs) -> Truth:
        key = "lists", self.column
        if key not in pairs.memory:
            pairs.memory[key] = ListsBeside(pairs, self.column)
        lists = cast("ListsBeside", pairs.memory[key])
        alone_a, alone_b = lists.alone(self.near)
        alone = np.minimum(alone_a, alone_b) if self.fewer else np.maximum(alone_a, alone_b)
        return truth_of(alone <= self.at_most, lists.known)

    def judge(self, pair: Judged) -> int:
        a, b = pair.left.get(self.column), pair.right.get(self.column)
        if a is None or b is None:
            return 1
        sides = cast("tuple[str, ...]", a), cast("tuple[str, ...]", b)
        alone = [self._alone(one, other) for one, other in (sides, sides[::-1])]
        return _one((min if self.fewer else max)(alone) <= self.at_most)

    def _alone(self, one: tuple[str, ...], other: tuple[str, ...]) -> int:
        threshold = self.near - MARGIN
        return sum(1 for x in one if x not in other and not any(alike(x, y) >= threshold for y in other))

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.LIST),))

    def sql(self) -> str:
        def alone(one: str, other: str) -> str:
            near = f"jaro_winkler_similarity(x, y) >= {self.near - MARGIN!r}"
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

    def evaluate(self, pairs: Pairs) -> Truth:
        result = self._one_way(pairs.columns, pairs.left, pairs.right)
        if self.first == self.second:
            return result
        return np.maximum(result, self._one_way(pairs.columns, pairs.right, pairs.left))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        gap = np.abs(columns.numbers(self.first)[left] - columns.numbers(self.second)[right])
        return truth_of(gap <= self.distance, ~np.isnan(gap))

    def judge(self, pair: Judged) -> int:
        result = self._judge(pair.left, pair.right)
        return result if self.first == self.second else max(result, self._judge(pair.right, pair.left))

    def _judge(self, left: Features, right: Features) -> int:
        a, b = left.get(self.first), right.get(self.second)
        return 1 if a is None or b is None else _one(abs(cast("float", a) - cast("float", b)) <= self.distance)

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

    def evaluate(self, pairs: Pairs) -> Truth:
        columns, left, right = pairs.columns, pairs.left, pairs.right
        return np.maximum(self._one_way(columns, left, right), self._one_way(columns, right, left))

    def judge(self, pair: Judged) -> int:
        return max(self._judge(pair.left, pair.right), self._judge(pair.right, pair.left))

    def _judge(self, left: Features, right: Features) -> int:
        first, last = left.get(self.inner[0]), left.get(self.inner[1])
        opening, closing = right.get(self.outer[0]), right.get(self.outer[1])
        return min(_not_before(first, opening, self.slack), _not_before(closing, last, self.slack))

    def _one_way(self, columns: Columns, left: Indices, right: Indices) -> Truth:
        after = columns.numbers(self.inner[0])[left] - columns.numbers(self.outer[0])[right]
        before = columns.numbers(self.outer[1])[right] - columns.numbers(self.inner[1])[left]
        return np.minimum(
            truth_of(after >= -self.slack, ~np.isnan(after)), truth_of(before >= -self.slack, ~np.isnan(before))
        )

    def columns(self) -> Uses:
        return frozenset((name, Kind.NUMBER) for name in (*self.inner, *self.outer))

    def sql(self) -> str:
        def one_way(inner: str, outer: str) -> str:
            after = f"{self.inner[0]}_{inner} - {self.outer[0]}_{outer} >= {-self.slack!r}"
            return f"({after} AND {self.outer[1]}_{outer} - {self.inner[1]}_{inner} >= {-self.slack!r})"

        return f"({one_way('l', 'r')} OR {one_way('r', 'l')})"


def _not_before(later: object, earlier: object, slack: float) -> int:
    if later is None or earlier is None:
        return 1
    return _one(cast("float", later) - cast("float", earlier) >= -slack)
