"""Weights that add up: the evidence of several comparisons about one pair is not independent.

The companies of a group share brand, domain and phone at once, so that the sum of separately learned weights counts one
piece of evidence three times. Where the truth is known, or there is a belief about it, a logistic regression over the
levels of candidate pairs corrects the weights that Splink found, or that there were before. Two constraints keep the
result a model that a person can believe: within a comparison a better level never weighs less than a worse one, and
every weight is drawn towards what it was before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from matching.model import Comparison

_LN2 = float(np.log(2.0))
#: Penalty per squared bit above a comparison's `best`: so that the others make up for what it may not say. What is left
#: above is cut off.
_BEYOND = 100.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Candidate pairs: the level of each comparison (0 unknown), and whether the two are one entity, or how sure that
    is (between 0 and 1).

    `rarity` is what term frequencies add to each pair's weight, whatever the levels will weigh.
    """

    levels: NDArray[np.int8]
    matches: NDArray[np.bool_] | NDArray[np.float64]
    rarity: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted weights in bits: the prior, and per comparison one weight per level (unknown not included)."""

    prior: float
    weights: tuple[NDArray[np.float64], ...]


def fit(
    comparisons: Sequence[Comparison],
    data: Sample,
    wanted: Sequence[NDArray[np.float64]],
    shrinkage: float,
    prior: tuple[float, float] = (-math.inf, math.inf),
) -> Fit:
    """Weights that explain the matches best: monotone within each comparison, none below its `worst` or above its
    `best`, each drawn towards the one `wanted` of it with a penalty of `shrinkage` per squared bit. The
    prior lies within `prior`: where some evidence tells few pairs apart wholly, any would do."""
    sizes = [len(comparison.levels) for comparison in comparisons]
    # A comparison's weights are its lowest weight plus steps upwards, so monotone means that no step is negative.
    starts = np.cumsum([1, *sizes])
    rows, offsets, counts = _distinct(data)
    design = np.concatenate([_staircase(rows[:, i], size) for i, size in enumerate(sizes)], axis=1)
    design = np.concatenate([np.ones((len(rows), 1)), design], axis=1)
    to_levels = [np.tril(np.ones((size, size)))[::-1] for size in sizes]
    tops = [comparison.best for comparison in comparisons]
    total, matches = counts.sum(axis=1), counts[:, 1]

    def loss(steps: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = (design @ steps + offsets) * _LN2
        value = float(np.sum(total * np.logaddexp(0.0, odds) - matches * odds))
        gradient = design.T @ (total / (1.0 + np.exp(-odds)) - matches) * _LN2
        for start, matrix, before, top in zip(starts, to_levels, wanted, tops, strict=False):
            span = slice(start, start + len(matrix))
            bits = matrix @ steps[span]
            away, beyond = bits - before, np.maximum(bits - top, 0.0)
            value += shrinkage * float(away @ away) + _BEYOND * float(beyond @ beyond)
            gradient[span] += 2 * matrix.T @ (shrinkage * away + _BEYOND * beyond)
        return value, gradient

    bounds: list[tuple[float | None, float | None]] = [prior]
    begin = [0.0]
    for comparison, before in zip(comparisons, wanted, strict=True):
        bounds += [(comparison.worst, None)] + [(0.0, None)] * (len(before) - 1)
        begin += [max(before[-1], comparison.worst), *np.maximum(before[:-1] - before[1:], 0.0)[::-1]]
    # The default tolerance stops early on a large sum; rare levels would keep the weight that they began with.
    found = minimize(
        loss,
        np.array(begin),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-13, "gtol": 1e-6},
    ).x
    weights = tuple(
        np.minimum(matrix @ found[at : at + len(matrix)], top)
        for at, matrix, top in zip(starts, to_levels, tops, strict=False)
    )
    return Fit(float(found[0]), weights)


def _distinct(data: Sample) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct combinations of levels and rarity (in tenths of bits), and how many non-matches and matches each has, or
    is believed to have."""
    rarity = np.zeros(len(data.levels)) if data.rarity is None else data.rarity
    tenths = np.round(rarity * 10).astype(np.int16)
    both, places = np.unique(np.column_stack([data.levels, tenths]), axis=0, return_inverse=True)
    sure = data.matches.astype(np.float64)
    counts = np.zeros((len(both), 2))
    for side, each in enumerate((1.0 - sure, sure)):
        counts[:, side] = np.bincount(places, each, len(both))
    return both[:, :-1].astype(np.int8), both[:, -1] / 10.0, counts


def _staircase(levels: NDArray[np.int8], size: int) -> NDArray[np.float64]:
    """Level i of `size` (1 is best) takes the lowest weight and the steps up to it; unknown takes none."""
    table = np.zeros((size + 1, size))
    for level in range(1, size + 1):
        table[level, : size - level + 1] = 1.0
    result: NDArray[np.float64] = table[levels]
    return result
