"""How well the records that could become one entity agree with one another, pair by pair.

Links are kept only where records look alike; whether a group holds together also depends on the pairs that were never
compared or did not look alike. Those are scored here, for every set of records that matches connect.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from matching.decision import keeps_apart
from matching.features import Features
from matching.merging import UNIT, VETOED
from matching.model import MatchModel
from matching.scoring import Scores, score_features

#: Pairs grow with the square of a connected set. Above this size unkept pairs count as `thresholds.absent` instead;
#: sets of more records than this are bad data, and what they become is looked at by a person anyway.
SCORED_WHOLE = 150

#: Weights in millionths of bits by the two records, lower number first.
PairWeights = dict[tuple[int, int], int]


def in_units(model: MatchModel, scores: Scores) -> NDArray[np.int64]:
    """Weights in millionths of bits; of a pair that a rule keeps apart, `VETOED`."""
    weights: NDArray[np.int64] = np.rint(scores.weight * UNIT).astype(np.int64)
    weights[keeps_apart(model)[scores.parting]] = VETOED
    return weights


def pair_weights(
    model: MatchModel,
    features: Mapping[int, Features],
    kept: Mapping[tuple[int, int], int],
    sets: Iterable[Sequence[int]],
) -> PairWeights:
    """The weights of kept pairs, and of all other pairs within these sets of records."""
    missing = [
        pair
        for members in sets
        if 2 < len(members) <= SCORED_WHOLE
        for pair in combinations(members, 2)
        if pair not in kept
    ]
    weights = dict(kept)
    if missing:
        numbers = sorted({number for pair in missing for number in pair})
        place = {number: position for position, number in enumerate(numbers)}
        left, right = (np.array([place[pair[side]] for pair in missing], dtype=np.intp) for side in (0, 1))
        scores = score_features(model, [features[number] for number in numbers], left, right)
        # To the millionth, like kept weights, so that it does not matter whether a pair was kept.
        weights.update(zip(missing, in_units(model, scores).tolist(), strict=True))
    return weights


def connected(joins: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The sets of three and more records that chains connect (in two, the only pair is known)."""
    neighbours: defaultdict[int, list[int]] = defaultdict(list)
    for a, b in joins:
        neighbours[a].append(b)
        neighbours[b].append(a)
    seen: set[int] = set()
    found = []
    for start in neighbours:
        if start in seen:
            continue
        members, reached = {start}, [start]
        while reached:
            for other in neighbours[reached.pop()]:
                if other not in members:
                    members.add(other)
                    reached.append(other)
        seen |= members
        if len(members) > 2:
            found.append(members)
    return found
