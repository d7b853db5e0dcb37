"""Does the hub's scorer say what Splink says? Asked about every model before it is released, and again in the tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.features import Features
from matching.model import MatchModel
from matching.proof import TOLERANCE
from matching.scoring import contributions, score_features
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
        return max(self.weight, self.contribution) <= TOLERANCE


def check_parity(
    model: MatchModel, records: Sequence[Features], left: NDArray[np.intp], right: NDArray[np.intp]
) -> Parity:
    """Score the pairs both ways and compare."""
    if not len(left):
        return Parity(0, 0.0, 0.0)
    ours = score_features(model, records, left, right)
    weights, parts = splink_weights(model, records, left, right)
    mine = contributions(model, records, left, right, ours.levels)
    return Parity(len(left), float(np.abs(ours.weight - weights).max()), float(np.abs(mine - parts).max()))
