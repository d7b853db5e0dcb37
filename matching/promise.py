"""Which pairs can still reach a weight once all that is cheap to compare was compared.

Most candidate pairs are no match, and most of the time goes into comparing names letter by letter. A pair that would
stay below the threshold even if every such comparison came out as well as it can needs none of them. What is left is
scored in full, so that weights, levels and vetoes are the same as without this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.conditions import TRUE, All, AnyOf, Columns, Condition, Indices, Not, Pairs, Truth
from matching.decision import asking
from matching.frame import Frame
from matching.model import Comparison, MatchModel
from matching.operators import Covered, JaroWinklerAtLeast, LevenshteinAtMost
from matching.scoring import FEW, Scores, as_one, derived_pairs, score_columns, score_features, score_part
from matching.shared import Shared

#: Operators that compare texts letter by letter.
_COSTLY = (Covered, JaroWinklerAtLeast, LevenshteinAtMost, Shared)
#: Pairs per pass: few enough for the processor's cache, and enough that threads seldom wait for the interpreter.
_PASS = 100_000
#: Sums in another order differ by less than this.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Promising:
    """Pairs that can reach a weight: their places among all pairs, and their scores."""

    rows: NDArray[np.intp]
    scores: Scores


def score_promising(model: MatchModel, columns: Columns, left: Indices, right: Indices, least: float) -> Promising:
    """Score the pairs that reach `least` bits, and those that are asked about whatever they weigh; some that are
    neither may be among them, none of these is missing.

    Takes pairs as `matching.scoring.score_columns` does.
    """
    if any(comparison.adjusted for comparison in model.comparisons):
        # What rarity adds is not known before the level is.
        return Promising(np.arange(len(left)), score_columns(model, columns, left, right))
    rows, parts = [np.zeros(0, dtype=np.intp)], []
    for start in range(0, len(left), _PASS):
        pairs = Pairs(columns, left[start : start + _PASS], right[start : start + _PASS])
        promising = most(model, pairs) >= least - _SLACK
        for _, veto in asking(model):
            promising |= _at_best(veto.condition, pairs) == TRUE
        found = np.flatnonzero(promising)
        rows.append(found + start)
        parts.append(score_part(model, pairs.only(found)))
    return Promising(np.concatenate(rows), as_one(model, parts))


def promising_pairs(
    model: MatchModel, left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]], least: float
) -> Promising:
    """The same for pair i of `left[i]` and `right[i]`."""
    records, a, b = derived_pairs(model, left, right)
    if len(left) < FEW:
        return Promising(np.arange(len(left)), score_features(model, records, a, b))
    return score_promising(model, Frame(records), a, b, least)


def most(model: MatchModel, pairs: Pairs) -> NDArray[np.float64]:
    """The most that pairs can weigh, whatever comes of comparing letter by letter. Rarity is left out."""
    total = np.full(len(pairs), model.prior)
    for comparison in model.comparisons:
        total += _most(comparison, pairs)
    return total


def _most(comparison: Comparison, pairs: Pairs) -> NDArray[np.float64]:
    best = np.full(len(pairs), comparison.levels[-1].weight)
    for level in comparison.levels:
        if level.condition is not None:
            np.maximum(best, level.weight, out=best, where=_at_best(level.condition, pairs) == TRUE)
    if _costly(comparison.unknown):
        np.maximum(best, 0.0, out=best)
        return best
    best[pairs.truth(comparison.unknown) == TRUE] = 0.0
    return best


def _at_best(condition: Condition, pairs: Pairs) -> Truth:
    """True where the condition is true or may be."""
    if not _costly(condition):
        return pairs.truth(condition)
    if isinstance(condition, All | AnyOf):
        parts = [_at_best(part, pairs) for part in condition.parts]
        together: Truth = (np.minimum if isinstance(condition, All) else np.maximum).reduce(parts)
        return together
    return np.full(len(pairs), TRUE)


def _costly(condition: Condition) -> bool:
    if isinstance(condition, All | AnyOf):
        return any(map(_costly, condition.parts))
    return _costly(condition.part) if isinstance(condition, Not) else isinstance(condition, _COSTLY)
