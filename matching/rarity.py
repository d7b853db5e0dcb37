"""Adjustment of weights for how rare the shared value is, exactly as Splink computes it."""

import math

import numpy as np
from numpy.typing import NDArray

from matching.conditions import Pairs
from matching.model import Comparison, TermFrequency


def adjustments(comparison: Comparison, pairs: Pairs, levels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Bits to add to the weight of each pair's level (0 is unknown, i the comparison's level i - 1)."""
    result = np.zeros(len(levels))
    for number, level in enumerate(comparison.levels, start=1):
        if level.term_frequency is None:
            continue
        rows = np.flatnonzero(levels == number)
        if len(rows):
            result[rows] = _adjustment(level.term_frequency, pairs, rows)
    return result


def _adjustment(rule: TermFrequency, pairs: Pairs, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    left = pairs.columns.shares(rule.table.column, rule.table)[pairs.left[rows]]
    right = pairs.columns.shares(rule.table.column, rule.table)[pairs.right[rows]]
    # The larger of the two; where one value was never counted, the other's.
    share = np.fmax(left, right)
    known = ~np.isnan(share)
    result = np.zeros(len(rows))
    result[known] = rule.weight * (math.log2(rule.u_exact) - np.log2(np.maximum(share[known], rule.minimum)))
    return result
