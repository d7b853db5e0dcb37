"""Conditions on a pair of records: what comparison levels, vetoes and cannot-links are written in.

Every condition is symmetric, is built from normalised columns only, and has an exact SQL form, so that a model can be
handed to Splink unchanged. Truth has three values, as in SQL: a column that is missing makes a condition unknown.
`judge` says what is true of a pair; `matching.program` writes the same for compiled code, which never differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.features.values import Features, Kind
from matching.frame import Dictionary, Lists

Indices: TypeAlias = NDArray[np.intp]

#: Kleene logic as numbers: AND is the minimum, OR the maximum, NOT is 2 - x.
FALSE, UNKNOWN, TRUE = 0, 1, 2


#: Columns that a condition reads, with the kind that each must have; None for any.
Uses: TypeAlias = frozenset[tuple[str, Kind | None]]


class Columns(Protocol):
    """The columns of a batch of records, encoded once: a text is the number of its value in a dictionary, -1 missing.

    Columns that some condition compares with one another share a dictionary.
    """

    #: What was made of the columns, for others that need the same.
    memory: dict[str, Any]

    def codes(self, column: str) -> NDArray[np.int32]:
        """The code of each record's text."""
        ...

    def texts(self, column: str, codes: NDArray[np.int32]) -> list[bytes]:
        """The texts behind codes of a column, as UTF-8 (Splink's engine compares bytes)."""
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

    def judge(self, pair: Judged) -> int:
        return 2 - pair.truth(self.part)

    def columns(self) -> Uses:
        return self.part.columns()

    def sql(self) -> str:
        return f"NOT ({self.part.sql()})"
