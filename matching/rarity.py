"""Adjustment of weights for how rare the shared value is, exactly as Splink computes it."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from matching.conditions import Columns, Indices, Judged
from matching.model import Comparison, TermFrequency


def adjustments(
    comparison: Comparison, columns: Columns, left: Indices, right: Indices, levels: NDArray[np.int8]
) -> NDArray[np.float64] | float:
    """Bits to add to the weight of each pair's level (0 is unknown, i the comparison's level i - 1)."""
    if not comparison.adjusted:
        return 0.0
    result = np.zeros(len(levels))
    for number, level in enumerate(comparison.levels, start=1):
        if level.term_frequency is not None:
            rows = (levels == number).nonzero()[0]
            result[rows] = _adjustments(level.term_frequency, columns, left[rows], right[rows])
    return result


def adjustment(comparison: Comparison, pair: Judged, level: int) -> float:
    """The same for one pair."""
    rule = comparison.levels[level - 1].term_frequency if level else None
    if rule is None:
        return 0.0
    sides = (cast("str | None", side.get(rule.table.column)) for side in (pair.left, pair.right))
    shares = [share for text in sides if text is not None and (share := rule.table.share(text)) is not None]
    return _bits(rule, np.array([max(shares)]))[0].item() if shares else 0.0


def _adjustments(rule: TermFrequency, columns: Columns, left: Indices, right: Indices) -> NDArray[np.float64]:
    codes = columns.codes(rule.table.column)
    # The larger of the two; where one value was never counted, the other's.
    share = np.fmax(_shares(rule, columns, codes[left]), _shares(rule, columns, codes[right]))
    known = ~np.isnan(share)
    result = np.zeros(len(left))
    result[known] = _bits(rule, share[known])
    return result


def _bits(rule: TermFrequency, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    bits: NDArray[np.float64] = rule.weight * (math.log2(rule.u_exact) - np.log2(np.maximum(shares, rule.minimum)))
    return bits


def _shares(rule: TermFrequency, columns: Columns, codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """How frequent the values behind codes are; NaN for a value that is missing or was never counted."""
    distinct, places = np.unique(codes, return_inverse=True)
    texts: Sequence[bytes] = columns.texts(rule.table.column, distinct[distinct >= 0])
    found = [rule.table.share(text.decode()) for text in texts]
    shares = np.full(len(distinct), np.nan)
    shares[distinct >= 0] = [np.nan if share is None else share for share in found]
    return shares[places]
