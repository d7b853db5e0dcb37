"""What anybody gets in an afternoon: one string similarity with the threshold that hindsight finds best."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from matching.evaluation import PairCounts, evaluate


def best_of_one_similarity(
    texts: Sequence[str], entities: Sequence[str | None], pairs: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> float:
    """The best F1 of pairs by ratio, token_sort_ratio or token_set_ratio of lower-case texts, over all thresholds."""
    lower = [text.casefold() for text in texts]
    left, right = ([lower[at] for at in side.tolist()] for side in pairs)
    true = np.array([
        entities[a] is not None and entities[a] == entities[b]
        for a, b in zip(*(side.tolist() for side in pairs), strict=True)
    ])  # fmt: skip
    known = {at: entity for at, entity in enumerate(entities) if entity is not None}
    total = evaluate(dict.fromkeys(known, 0), known).pairs.true_positives
    best = 0.0
    for scorer in (fuzz.ratio, fuzz.token_sort_ratio, fuzz.token_set_ratio):
        scores = np.floor(cpdist(left, right, scorer=scorer, dtype=np.float32))
        for threshold in range(30, 101):
            chosen = scores >= threshold
            right_ones = int((chosen & true).sum())
            counts = PairCounts(right_ones, int(chosen.sum()) - right_ones, total - right_ones)
            best = max(best, counts.quality.f1)
    return best
