"""Does the hub's scorer say what Splink says? Asked about every model before it is released, and again in the tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.features import Features
from matching.model import MatchModel
from matching.proof import TOLERANCE
from matching.scoring import contributions, score_features, score_few
from matching.training.splink_model import splink_weights

__all__ = ["TOLERANCE", "Parity", "check_parity"]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the two are apart over `pairs` pairs, in bits: in the match weight, and in any one comparison."""

    pairs: int
    weight: float
    contribution: float

    @property
    def holds(self) -> bool:
        """Each by itself: what cannot be compared (NaN) is no agreement."""
        return self.weight <= TOLERANCE and self.contribution <= TOLERANCE


def check_parity(
    model: MatchModel, records: Sequence[Features], left: NDArray[np.intp], right: NDArray[np.intp]
) -> Parity:
    """Score the pairs both ways and compare."""
    weight, contribution = differences(model, records, left, right)
    return Parity(len(left), weight, float(contribution.max(initial=0.0)))


def differences(
    model: MatchModel,
    records: Sequence[Features],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    *,
    one_by_one: bool = False,
) -> tuple[float, NDArray[np.float64]]:
    """The largest difference of two match weights of a pair, and of what each comparison adds, in bits; NaN where one
    of the two gives no number.

    Args:
        one_by_one: compare also what the hub says of each pair alone, as when a single record comes in.
    """
    if not len(left):
        return 0.0, np.zeros(len(model.comparisons))
    weights, parts = splink_weights(model, records, left, right)
    scored = [score_features(model, records, left, right)]
    if one_by_one:
        scored.append(score_few(model, records, left, right))
    mine = [contributions(model, records, left, right, each.levels) for each in scored]
    apart: NDArray[np.float64] = np.max([np.abs(each - parts).max(axis=0) for each in mine], axis=0)
    return float(np.max([np.abs(each.weight - weights).max() for each in scored])), apart
