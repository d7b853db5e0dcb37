"""How alike texts are, letter by letter: found out only where a cheap bound allows it, and once for all thresholds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

from matching.conditions import Columns, Indices, Pairs
from matching.frame import NARROW

# Similarities are compared with the threshold less this margin: one unit in the last place between two
# implementations of Jaro-Winkler otherwise flips a level (.92 is such a value).
MARGIN = 1e-9

_Codes = NDArray[np.int32]


def alike(a: str, b: str) -> float:
    return float(JaroWinkler.similarity(utf8(a), utf8(b)))


def utf8(text: str) -> Any:  # Any: the library takes bytes, its types know only str
    return text if text.isascii() else text.encode()


def _jaro_winkler(columns: Columns, column: str, a: _Codes, b: _Codes) -> NDArray[np.float64]:
    texts = columns.texts(column, a), columns.texts(column, b)
    return np.asarray(cpdist(*texts, scorer=JaroWinkler.similarity, dtype=np.float64))


class Similarities:
    """Similarities of the texts of a column that differ, each computed when a threshold first needs it."""

    def __init__(self, pairs: Pairs, column: str) -> None:
        self._columns, self._column = pairs.columns, column
        self._a, self._b = pairs.codes(column)
        self.known = (self._a >= 0) & (self._b >= 0)
        self.equal = (self._a == self._b) & self.known
        self._rows = (self.known & ~self.equal).nonzero()[0]
        self._a, self._b = self._a[self._rows], self._b[self._rows]
        self._bound = pairs.columns.sketches(column).bound(self._a, self._b)
        self._found = np.full(len(self._rows), np.nan)

    def at_least(self, threshold: float) -> NDArray[np.bool_]:
        """Where both texts are known and that similar."""
        likely = (self._bound >= threshold).nonzero()[0]
        new = likely[np.isnan(self._found[likely])]
        if len(new):
            self._found[new] = _jaro_winkler(self._columns, self._column, self._a[new], self._b[new])
        result: NDArray[np.bool_] = self.equal.copy()
        result[self._rows[likely[self._found[likely] >= threshold - MARGIN]]] = True
        return result


class Lonely:
    """Which values of two lists have no equal and no near value on the other side, for any nearness that is asked.

    Conditions of one model ask about the same list with several thresholds. Which values have an equal one, which
    others could be near one another, and how alike those are, is found out once.
    """

    def __init__(self, columns: Columns, column: str, a: _Codes, b: _Codes) -> None:
        """
        Args:
            a: the codes of a side's values, one row per place in the list, padded with -1; `b` of the other side.
        """
        self._columns, self._column = columns, column
        self._a, self._b = a, b
        alone_a, alone_b = a >= 0, b >= 0
        for place in range(len(a)):
            for other in range(len(b)):
                differ = a[place] != b[other]
                alone_a[place] &= differ
                alone_b[other] &= differ
        self.unequal = alone_a, alone_b
        self._likeness: _Likeness | None = None

    def beside(self, near: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which values of each side have no equal and no near value on the other."""
        alone_a, alone_b = (side.copy() for side in self.unequal)
        if self._likeness is None:
            self._likeness = _Likeness(self._columns, self._column, self._a, self._b, self.unequal)
        places, others, rows = self._likeness.near(near)
        alone_a[places, rows] = False
        alone_b[others, rows] = False
        return alone_a, alone_b


class _Likeness:
    """How alike values are that have no equal one, each pair of them compared when a threshold first needs it."""

    def __init__(
        self, columns: Columns, column: str, a: _Codes, b: _Codes, alone: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    ) -> None:
        self._columns, self._column = columns, column
        has_a, has_b = a >= 0, b >= 0
        # Only where a value is still without an equal one can a near one make a difference.
        cells = [
            (place, other, rows)
            for place in range(len(a))
            for other in range(len(b))
            if len(rows := ((alone[0][place] | alone[1][other]) & has_a[place] & has_b[other]).nonzero()[0])
        ]
        self._a = _joined([a[place][rows] for place, _, rows in cells])
        self._b = _joined([b[other][rows] for _, other, rows in cells])
        self._bound = columns.sketches(column).bound(self._a, self._b)
        self._found = np.full(len(self._a), np.nan)
        # Where in the lists of which row each of these stands.
        sizes = [len(rows) for _, _, rows in cells]
        self._places = np.repeat(np.array([place for place, _, _ in cells], dtype=np.intp), sizes)
        self._others = np.repeat(np.array([other for _, other, _ in cells], dtype=np.intp), sizes)
        self._rows = np.concatenate([np.zeros(0, dtype=np.intp), *(rows for _, _, rows in cells)])

    def near(self, threshold: float) -> tuple[Indices, Indices, Indices]:
        """Places in the lists of both sides, and rows, where the values are that similar."""
        likely = (self._bound >= threshold).nonzero()[0]
        new = likely[np.isnan(self._found[likely])]
        if len(new):
            self._found[new] = _jaro_winkler(self._columns, self._column, self._a[new], self._b[new])
        similar = likely[self._found[likely] >= threshold - MARGIN]
        return self._places[similar], self._others[similar], self._rows[similar]


def _joined(parts: list[_Codes]) -> _Codes:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)


class ListsBeside:
    """The lists of a column on both sides of all pairs; short ones apart, so that few long ones cost little."""

    def __init__(self, pairs: Pairs, column: str) -> None:
        lists = pairs.columns.lists(column)
        long_a, long_b = lists.lengths.take(pairs.left), lists.lengths.take(pairs.right)
        self.known = np.minimum(long_a, long_b) > 0
        longest = np.maximum(long_a, long_b)
        self._parts: list[tuple[Indices, Lonely]] = []
        for which in (longest <= NARROW, longest > NARROW):
            rows = (self.known & which).nonzero()[0]
            if len(rows):
                left, right = pairs.left[rows], pairs.right[rows]
                if longest[rows[0]] <= NARROW:
                    a = lists.narrow[: int(long_a[rows].max())][:, left]
                    b = lists.narrow[: int(long_b[rows].max())][:, right]
                else:
                    a, b = lists.wide(left), lists.wide(right)
                self._parts.append((rows, Lonely(pairs.columns, column, a, b)))

    def alone(self, near: float) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Per side, how many values have no near value on the other side."""
        alone_a, alone_b = np.zeros((2, len(self.known)), dtype=np.int32)
        for rows, part in self._parts:
            alone_a[rows], alone_b[rows] = map(_total, part.beside(near))
        return alone_a, alone_b


def lonely(
    columns: Columns, column: str, a: _Codes, b: _Codes, near: float | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which values of each side have no equal value on the other, and no near one unless `near` is None."""
    found = Lonely(columns, column, a, b)
    return found.unequal if near is None else found.beside(near)


def _total(rows: NDArray[np.bool_]) -> NDArray[np.int32]:
    total: NDArray[np.int32] = rows[0].astype(np.int32)
    for row in rows[1:]:
        total += row
    return total
