"""Conditions on a pair of records: what comparison levels, vetoes and cannot-links are written in.

Every condition is symmetric, is built from normalised columns only, and has an exact SQL form, so that a model can be
handed to Splink unchanged. Truth has three values, as in SQL: a column that is missing makes a condition unknown.
A condition is evaluated for many pairs at once (`evaluate`) or for one (`judge`); the two never differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.features.values import Features, Kind
from matching.frame import Dictionary, Lists
from matching.sketches import Sketches

Truth: TypeAlias = NDArray[np.int8]
Indices: TypeAlias = NDArray[np.intp]

#: Kleene logic as numbers: AND is the minimum, OR the maximum, NOT is 2 - x.
FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)


#: Columns that a condition reads, with the kind that each must have; None for any.
Uses: TypeAlias = frozenset[tuple[str, Kind | None]]


class Columns(Protocol):
    """The columns of a batch of records, encoded once: a text is the number of its value in a dictionary, -1 missing.

    Columns that some condition compares with one another share a dictionary.
    """

    def codes(self, column: str) -> NDArray[np.int32]:
        """The code of each record's text."""
        ...

    def texts(self, column: str, codes: NDArray[np.int32]) -> list[bytes]:
        """The texts behind codes of a column, as UTF-8 (Splink's engine compares bytes)."""
        ...

    def sketches(self, column: str) -> Sketches:
        """Sketches of the texts of the column's dictionary."""
        ...

    def dictionaries(self, columns: Sequence[str]) -> list[Dictionary]:
        """The texts of these columns by their codes; columns that share a dictionary are given the same one."""
        ...

    def lists(self, column: str) -> Lists:
        """The list of each record; an empty one is missing."""
        ...

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The number of each record; NaN is missing."""
        ...

    def present(self, column: str) -> NDArray[np.bool_]:
        """Whether each record has a value, whatever the kind of the column."""
        ...


class Pairs:
    """Pairs of records of a batch, and what is already known of them.

    Comparisons share conditions (whether the names agree decides what a shared phone is worth), so each condition is
    evaluated once, and each column is looked up once.
    """

    def __init__(self, columns: Columns, left: Indices, right: Indices) -> None:
        self.columns = columns
        self.left = left
        self.right = right
        self._known: dict[int, Truth] = {}
        #: What operators found out about columns, for others that ask the same; see `matching.operators`.
        self.memory: dict[object, object] = {}
        self._codes: dict[str, tuple[NDArray[np.int32], NDArray[np.int32]]] = {}
        self._present: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}
        self._nothing_known: Truth | None = None

    def __len__(self) -> int:
        return len(self.left)

    @property
    def all_rows(self) -> Indices:
        return np.arange(len(self.left), dtype=np.intp)

    @property
    def nothing_known(self) -> Truth:
        """Unknown for all pairs. Not to be changed; the same array each time, so that who is given it can tell."""
        if self._nothing_known is None:
            self._nothing_known = np.full(len(self.left), UNKNOWN)
        return self._nothing_known

    def rows_with(self, first: str, second: str) -> Indices:
        """The pairs whose left side has a value in the first column, and whose right side has one in the second."""
        return (self.present(first)[0] & self.present(second)[1]).nonzero()[0]

    def truth(self, condition: "Condition", rows: Indices | None = None) -> Truth:
        """The truth of a condition for all pairs, or for those at `rows`. Not to be changed.

        Equal conditions of one model are one object (see parsing), so that each is evaluated once.
        """
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = condition.evaluate(self)
        return known if rows is None else known[rows]

    def only(self, rows: Indices) -> "Pairs":
        """Some of the pairs, with what is known of them."""
        some = Pairs(self.columns, self.left[rows], self.right[rows])
        some._known = {condition: truth[rows] for condition, truth in self._known.items()}
        some._codes = {column: (left[rows], right[rows]) for column, (left, right) in self._codes.items()}
        some._present = {column: (left[rows], right[rows]) for column, (left, right) in self._present.items()}
        return some

    def codes(self, column: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The codes of a text column on both sides."""
        found = self._codes.get(column)
        if found is None:
            codes = self.columns.codes(column)
            found = self._codes[column] = codes.take(self.left), codes.take(self.right)
        return found

    def present(self, column: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether a column has a value on each side."""
        found = self._present.get(column)
        if found is None:
            present = self.columns.present(column)
            found = self._present[column] = present.take(self.left), present.take(self.right)
        return found


class Judged:
    """One pair of records, and what is already known to be true of it."""

    __slots__ = ("_known", "left", "right")

    def __init__(self, left: Features, right: Features) -> None:
        self.left = left
        self.right = right
        self._known: dict[int, int] = {}

    def truth(self, condition: "Condition") -> int:
        """0 for false, 1 for unknown, 2 for true."""
        known = self._known.get(id(condition))
        if known is None:
            known = self._known[id(condition)] = condition.judge(self)
        return known


class Condition(Protocol):
    """A statement about a pair of records that is true, false or unknown."""

    def evaluate(self, pairs: Pairs) -> Truth:
        """The truth for all pairs; ask through `Pairs.truth`, which remembers."""
        ...

    def judge(self, pair: Judged) -> int:
        """The truth for one pair; ask through `Judged.truth`, which remembers."""
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

    def evaluate(self, pairs: Pairs) -> Truth:
        left, right = pairs.present(self.names[0])
        for name in self.names[1:]:
            more = pairs.present(name)
            left, right = left | more[0], right | more[1]
        missing: Truth = TRUE - ((left & right).view(np.int8) << np.int8(1))
        return missing

    def judge(self, pair: Judged) -> int:
        left = any(name in pair.left for name in self.names)
        return 0 if left and any(name in pair.right for name in self.names) else 2

    def columns(self) -> Uses:
        return frozenset((name, None) for name in self.names)

    def sql(self) -> str:
        sides = (" AND ".join(f"{name}_{side} IS NULL" for name in self.names) for side in "lr")
        return "(" + " OR ".join(f"({side})" for side in sides) + ")"


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, pairs: Pairs) -> Truth:
        result = pairs.truth(self.parts[0])
        for part in self.parts[1:]:
            result = np.minimum(result, pairs.truth(part))
        return result

    def judge(self, pair: Judged) -> int:
        lowest = 2
        for part in self.parts:
            lowest = min(lowest, pair.truth(part))
            if lowest == 0:
                break
        return lowest

    def columns(self) -> Uses:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " AND ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Condition, ...]

    def evaluate(self, pairs: Pairs) -> Truth:
        result = pairs.truth(self.parts[0])
        for part in self.parts[1:]:
            result = np.maximum(result, pairs.truth(part))
        return result

    def judge(self, pair: Judged) -> int:
        highest = 0
        for part in self.parts:
            highest = max(highest, pair.truth(part))
            if highest == 2:
                break
        return highest

    def columns(self) -> Uses:
        return frozenset().union(*(part.columns() for part in self.parts))

    def sql(self) -> str:
        return "(" + " OR ".join(part.sql() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false; unknown stays unknown."""

    part: Condition

    def evaluate(self, pairs: Pairs) -> Truth:
        return TRUE - pairs.truth(self.part)

    def judge(self, pair: Judged) -> int:
        return 2 - pair.truth(self.part)

    def columns(self) -> Uses:
        return self.part.columns()

    def sql(self) -> str:
        return f"NOT ({self.part.sql()})"
