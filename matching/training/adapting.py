"""From the weights before to those of a store, without labels: what its entities say, and how far to believe them.

Nothing but weights that are about identity already tells families from products. So they decide the store first, with
everything that the hub decides by (vetoes, rivals, support), and what it holds to be one entity teaches. Two things
keep that from proving itself right. Pairs between entities are no certain differences: they keep a share of the
probability that they had, so that all pairs together promise as many matches as before; which pairs these are is
learned, not how many. And every weight is drawn to the one before as strongly as the store is large: labels that the
old weights gave cannot outweigh them, however many there are.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matching.model import MatchModel
from matching.training.stores import Store, common_tokens

#: Penalty per squared bit away from the weight before, for each pair that is believed to match. Chosen over twelve
#: generated stores: with it none loses more than .001 of F1; with a third of it products of one lose .0012, with a
#: tenth .0024. Weights that are off at random recover a little more with less.
STRENGTH = 0.03
#: The least penalty is that of so many: a pair that stands alone moves no weight by more than a twentieth of a bit.
_LEAST = 300
#: So many names must carry a word before it is common here and was not before.
_OWNERS = 10


def believed(weights: NDArray[np.float64], same: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How sure it is, of each pair, that it matches: 1 within an entity (`same`); between two a share, the same for all
    of them, of what its weight in bits promises, such that the sum is what all weights promise, as far as it can be."""
    promised = 1.0 / (1.0 + 2.0**-weights)
    apart = float(promised[~same].sum())
    left = float(promised.sum()) - float(same.sum())
    share = min(max(left / apart, 0.0), 1.0) if apart else 0.0
    sure: NDArray[np.float64] = np.where(same, 1.0, promised * share)
    return sure


def shrinkage(matches: float) -> float:
    """How strongly weights are drawn to those before, per squared bit, when learned from so many pairs that match."""
    return STRENGTH * max(matches, _LEAST)


def bits_of(model: MatchModel) -> tuple[NDArray[np.float64], ...]:
    """Per comparison the weights of its levels in bits (unknown not included)."""
    return tuple(np.array([level.weight for level in each.levels]) for each in model.comparisons)


def shares_of(model: MatchModel) -> tuple[NDArray[np.float64], ...]:
    """Per comparison u of its levels (unknown not included)."""
    return tuple(np.array([level.u for level in each.levels]) for each in model.comparisons)


def words_kept(before: MatchModel, stores: Sequence[Store], share: float) -> Sequence[str]:
    """Common name words: those of the weights before, and those that many names here carry. That three or four of some
    hundred companies share a word does not make it common."""
    names = {str(record.get("name", "")) for store in stores for record in store.to_count.comparisons}
    least = max(share, _OWNERS / max(len(names), 1))
    return sorted({*before.common_tokens, *common_tokens([store.to_count for store in stores], least)})
