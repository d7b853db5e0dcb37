"""The operator for lists of words: whether what two of them have in common tells enough."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from matching.conditions import Judged, Uses
from matching.features.values import Kind
from matching.frequencies import Frequencies
from matching.likeness import MARGIN, alike


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

    def judge(self, pair: Judged) -> int:
        a, b = (cast("tuple[str, ...] | None", side.get(self.column)) for side in (pair.left, pair.right))
        if a is None or b is None:
            return 1
        tells = self.frequencies.information
        shared = min(sum(tells(x) for x in one if self._has(other, x)) for one, other in ((a, b), (b, a)))
        whole = (max if self.of is Side.MORE else min)(sum(map(tells, a)), sum(map(tells, b)))
        return 2 if shared >= round(self.bits * 100) and shared * 100 >= whole * self.percent else 0

    def _has(self, values: tuple[str, ...], wanted: str) -> bool:
        if wanted in values:
            return True
        return self.near is not None and any(alike(wanted, value) >= self.near - MARGIN for value in values)

    def columns(self) -> Uses:
        return frozenset(((self.column, Kind.LIST),))

    def worth(self, values: Any) -> list[int] | None:
        """What each value of a list tells: the column `<column>_worth` that the SQL form reads beside the list."""
        return [self.frequencies.information(value) for value in values] if isinstance(values, tuple) else None

    def sql(self) -> str:
        a, b = f"{self.column}_l", f"{self.column}_r"
        worth_a, worth_b = f"{self.column}_worth_l", f"{self.column}_worth_r"

        def shared(one: str, worth: str, other: str) -> str:
            equal = f"list_contains({other}, z[1])"
            if self.near is not None:
                similar = f"jaro_winkler_similarity(z[1], y) >= {self.near - MARGIN!r}"
                equal = f"({equal} OR len(list_filter({other}, lambda y: {similar})) > 0)"
            kept = f"list_filter(list_zip({one}, {worth}), lambda z: {equal})"
            return f"coalesce(list_sum(list_transform({kept}, lambda z: z[2])), 0)"

        common = f"least({shared(a, worth_a, b)}, {shared(b, worth_b, a)})"
        pick = "greatest" if self.of is Side.MORE else "least"
        whole = f"{pick}(list_sum({worth_a}), list_sum({worth_b}))"
        holds = f"{common} * 100 >= {whole} * {self.percent}"
        if self.bits:
            holds = f"{common} >= {round(self.bits * 100)} AND {holds}"
        return f"CASE WHEN {a} IS NOT NULL AND {b} IS NOT NULL THEN ({holds}) END"
