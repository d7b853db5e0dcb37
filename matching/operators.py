"""The operators that conditions are built from: each compares columns of two records, and has an exact SQL form."""

from dataclasses import dataclass
from typing import cast

from rapidfuzz.distance import Levenshtein

from matching.conditions import Judged, Uses
from matching.features.values import Features, Kind
from matching.likeness import MARGIN, alike, utf8

#: More values in common than this no profile asks for.
MANY = 127


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


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two lists have at least `at_least` values in common; with two columns, in either direction."""

    first: str
    second: str
    at_least: int = 1

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

    def judge(self, pair: Judged) -> int:
        return max(self._judge(pair.left, pair.right), self._judge(pair.right, pair.left))

    def _judge(self, left: Features, right: Features) -> int:
        first, last = left.get(self.inner[0]), left.get(self.inner[1])
        opening, closing = right.get(self.outer[0]), right.get(self.outer[1])
        return min(_not_before(first, opening, self.slack), _not_before(closing, last, self.slack))

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
