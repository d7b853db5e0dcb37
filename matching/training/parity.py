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
    model: MatchModel,
    records: Sequence[Features],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    *,
    one_by_one: bool = False,
) -> Parity:
    """Score the pairs both ways and compare.

    Args:
        one_by_one: compare also what the hub says of each pair alone, as when a single record comes in.
    """
    if not len(left):
        return Parity(0, 0.0, 0.0)
    weights, parts = splink_weights(model, records, left, right)
    scored = [score_features(model, records, left, right)]
    if one_by_one:
        scored.append(score_few(model, records, left, right))
    mine = [contributions(model, records, left, right, each.levels) for each in scored]
    return Parity(
        len(left),
        float(np.max([np.abs(each.weight - weights).max() for each in scored])),
        float(np.max([np.abs(each - parts).max() for each in mine])),
    )
