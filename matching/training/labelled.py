"""Weights from labels: Splink's m and u of labelled pairs, corrected for dependence by a regression over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.frame import Frame
from matching.model import MatchModel
from matching.rarity import adjustments
from matching.scoring import score_features
from matching.training.dependence import Sample, fit
from matching.training.estimate import SEED, Estimates, PairSet, level_shares, prior_of, prior_within
from matching.training.weights import settle, unmet, weights_of
from matching.training.writing import read_trained
from mdm.errors import OperatorError

#: A labelled entity teaches by at most so many of its matching pairs for each of its records. All pairs of an entity of
#: eleven records are five for each; of one of 676 they are 338, and would outvote hundreds of others.
MATCHES_A_RECORD = 5


@dataclass(frozen=True, slots=True)
class Known:
    """All stores in one: their records, which entity each is held to be, and the candidate pairs within stores."""

    pairs: PairSet
    entities: NDArray[np.str_]

    @property
    def matching(self) -> NDArray[np.bool_]:
        same: NDArray[np.bool_] = self.entities[self.pairs.left] == self.entities[self.pairs.right]
        return same


@dataclass(frozen=True, slots=True)
class Learned:
    """What labels say: prior, m and u as the document of weights holds them, the levels that no pair met, and how many
    matching pairs it rests on."""

    weights: dict[str, Any]
    unmet: Sequence[str]
    matches: int


def learn(profile: str, neutral: MatchModel, data: Known, shrinkage: float) -> Learned:
    """Weights that explain labelled pairs, drawn to Splink's by `shrinkage` per squared bit.

    Raises:
        OperatorError: no candidate pair matches, or none differs.
    """
    data = evened(data)
    matching = data.matching
    counts = float(matching.sum()), float((~matching).sum())
    if not min(counts):
        raise OperatorError(
            "The labels name no matching or no differing candidate pair, so there is nothing to tell apart.",
            action="Give records of which some are one entity and some are not, or train without labels.",
        )
    m, u = (level_shares(neutral, data.pairs.chosen(keep)) for keep in (matching, ~matching))
    estimates = Estimates(m, u, *counts, prior=prior_of(*counts))
    before = settle(neutral, estimates)
    levels = score_features(neutral, data.pairs.records, data.pairs.left, data.pairs.right).levels
    model = read_trained(profile, neutral, weights_of(neutral, u, before, 0.0), reached=False)
    sample = Sample(levels, matching, rarity_of(model, data.pairs, levels))
    fitted = fit(neutral.comparisons, sample, before, shrinkage, prior_within(len(matching)))
    return Learned(weights_of(neutral, u, fitted.weights, fitted.prior), unmet(neutral, estimates), int(counts[0]))


def evened(data: Known) -> Known:
    """The same without some matching pairs of entities that have more than `MATCHES_A_RECORD` for each of their
    records: so many are drawn, the same whenever they are drawn. Pairs that differ are all there."""
    matching = np.flatnonzero(data.matching)
    codes = np.unique(data.entities, return_inverse=True)[1].reshape(-1)
    allowed = MATCHES_A_RECORD * np.bincount(codes)
    owner = codes[data.pairs.left[matching]]
    order = np.lexsort((np.random.default_rng(SEED).random(len(matching)), owner))
    counts = np.bincount(owner, minlength=len(allowed))
    # Drawn pairs stand together by their entity: each one's place among those of its entity.
    place = np.arange(len(matching)) - np.repeat(np.cumsum(counts) - counts, counts)
    keep = np.ones(len(data.pairs), dtype=np.bool_)
    keep[matching[order[place >= allowed[owner[order]]]]] = False
    return data if keep.all() else Known(data.pairs.chosen(keep), data.entities)


def rarity_of(model: MatchModel, pairs: PairSet, levels: NDArray[np.int8]) -> NDArray[np.float64]:
    """What term frequencies add to the weight of each pair, in bits."""
    frame = Frame(pairs.records)
    rarity = np.zeros(len(pairs))
    for number, comparison in enumerate(model.comparisons):
        rarity += adjustments(comparison, frame, pairs.left, pairs.right, levels[:, number])
    return rarity
