"""The usual remedy for chains of links: follow them strongest first, and never unite two different tax numbers.

This is what one gets from a scorer and an afternoon, and what `matching.clustering` is held against on the same
records: Splink with m learned from labels, the constraint, and of all thresholds the one that hindsight finds best.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from bench.quality import Quality, quality

_Ints = NDArray[np.int64]

#: Two tax numbers this close may be one that was mistyped.
_MISTYPED = 2
#: Match weights, in bits, among which hindsight chooses.
THRESHOLDS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0)


def follow(count: int, a: _Ints, b: _Ints, weight: NDArray[np.float64], tax: Sequence[str | None]) -> _Ints:
    """The entity of each of `count` records when these pairs are joined, strongest first, unless tax numbers forbid."""
    root = list(range(count))
    numbers: dict[int, set[str]] = {row: {number} for row, number in enumerate(tax) if number}

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    order = np.lexsort((b, a, -weight))
    for left, right in zip(a[order].tolist(), b[order].tolist(), strict=True):
        first, second = find(left), find(right)
        if first == second or _differ(numbers.get(first), numbers.get(second)):
            continue
        root[second] = first
        if second in numbers:
            numbers[first] = numbers.get(first, set()) | numbers.pop(second)
    return np.fromiter((find(row) for row in range(count)), np.int64, count)


def _differ(mine: set[str] | None, theirs: set[str] | None) -> bool:
    if not mine or not theirs or not mine.isdisjoint(theirs):
        return False
    return all(OSA.distance(one, other, score_cutoff=_MISTYPED) > _MISTYPED for one in mine for other in theirs)


def best_in_hindsight(
    a: _Ints, b: _Ints, weight: NDArray[np.float64], tax: Sequence[str | None], truth: _Ints
) -> tuple[float, Quality]:
    """The threshold with the best pairwise F1 against the truth, and what it gives."""
    found: list[tuple[float, Quality]] = []
    for threshold in THRESHOLDS:
        kept = weight >= threshold
        found.append((threshold, quality(follow(len(truth), a[kept], b[kept], weight[kept], tax), truth)))
    return max(found, key=lambda each: each[1].f1)
