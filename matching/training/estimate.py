"""m and u of every level, estimated by Splink.

Records are only ever compared when they share a blocking key, so what counts is how often a level is met among
candidate pairs that do not match: nearly all of them share a word, a city or a phone, which random pairs do not. u is
therefore sampled from candidate pairs of which no two records are held to be one entity; otherwise duplicates make an
identifier look far less telling than it is. m comes from labels, or without them from expectation
maximisation over the candidate pairs. What a level was never seen with is left to the expert.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.features import Features
from matching.model import Comparison, MatchModel
from matching.training.splink_model import arrow_table, open_linker, parameters

SEED = 20_260_101
#: Odds of a match among candidates before anything is known, in bits.
COLD_PRIOR = -3.0
#: Pairs taken to have been seen before any other, one match and as many others as the odds above say. They count for
#: something beside a handful of pairs, and for nothing beside thousands; without them a single pair that matches would
#: say that all candidates do.
IMAGINED = (1.0, 2.0**-COLD_PRIOR)
_PAIRS = 40_000
#: How often a level that was never met is taken to have been seen.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Estimates:
    """Per comparison the m and u of its levels (unknown not included), and how many pairs they rest on.

    `prior` is the log2 odds of a match among candidate pairs.
    """

    m: tuple[NDArray[np.float64], ...]
    u: tuple[NDArray[np.float64], ...]
    matches: float
    others: float
    prior: float


@dataclass(frozen=True, slots=True)
class PairSet:
    """Pairs of records, by their places."""

    records: Sequence[Features]
    left: NDArray[np.intp]
    right: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.left)

    def chosen(self, keep: NDArray[np.bool_]) -> "PairSet":
        return PairSet(self.records, self.left[keep], self.right[keep])

    def at_most(self, limit: int) -> "PairSet":
        """A sample, the same whenever it is drawn."""
        if len(self) <= limit:
            return self
        places = np.sort(np.random.default_rng(SEED).choice(len(self), limit, replace=False))
        return PairSet(self.records, self.left[places], self.right[places])


def expected_start(model: MatchModel, u: Sequence[NDArray[np.float64]]) -> MatchModel:
    """The model with the weights that experts expect: where expectation maximisation starts."""
    comparisons = []
    for comparison, shares in zip(model.comparisons, u, strict=True):
        m = shares * 2.0 ** expected_bits(comparison)
        m /= m.sum()
        levels = tuple(
            replace(level, m=float(a), u=float(b)) for level, a, b in zip(comparison.levels, m, shares, strict=True)
        )
        comparisons.append(replace(comparison, levels=levels))
    return replace(model, comparisons=tuple(comparisons), prior=COLD_PRIOR)


def cold_start(model: MatchModel) -> MatchModel:
    """The model with exactly the weights that experts expect: what there is before there is data."""
    comparisons = []
    for comparison in model.comparisons:
        bits = np.clip(expected_bits(comparison), comparison.worst, comparison.best)
        levels = tuple(replace(level, weight=float(b)) for level, b in zip(comparison.levels, bits, strict=True))
        comparisons.append(replace(comparison, levels=levels))
    return replace(model, comparisons=tuple(comparisons), prior=COLD_PRIOR)


def expected_bits(comparison: Comparison) -> NDArray[np.float64]:
    """Expected weights; where an expert said nothing, in even steps from +5 to -4."""
    even = np.linspace(5.0, -4.0, len(comparison.levels))
    return np.array(
        [
            step if level.expected is None else level.expected
            for level, step in zip(comparison.levels, even, strict=True)
        ]
    )


def level_shares(model: MatchModel, pairs: PairSet) -> tuple[NDArray[np.float64], ...]:
    """How often each level is met among these pairs, by Splink; a level that was never met counts half a pair.

    Splink forms pairs of records with one label; giving each pair a label of its own makes it take exactly these.
    """
    sample = pairs.at_most(_PAIRS)
    linker = open_linker(model, _sides(model, sample), weighed=False)
    linker.training.estimate_m_from_label_column("pair")
    trained = [[m for m, _ in parameters(linker)[each.name]] for each in model.comparisons]
    return _smoothed(trained, len(sample))


def maximise(model: MatchModel, pairs: PairSet, u: Sequence[NDArray[np.float64]]) -> Estimates:
    """m and the prior by Splink's expectation maximisation over these pairs, u fixed, from the expected weights."""
    sample = pairs.at_most(_PAIRS)
    start = expected_start(model, u)
    linker = open_linker(start, _sides(start, sample))
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        "l.pair = r.pair", fix_u_probabilities=True, estimate_without_term_frequencies=True
    )
    share = session.core_model_settings.probability_two_random_records_match
    trained = [[m for m, _ in parameters(linker)[each.name]] for each in model.comparisons]
    matches = share * len(sample)
    others = len(sample) - matches
    return Estimates(_smoothed(trained, matches), tuple(u), matches, others, prior_of(matches, others))


def _sides(model: MatchModel, pairs: PairSet) -> pa.Table:
    """Both records of every pair, one after the other; `pair` numbers the pairs."""
    used, rows = np.unique(np.stack([pairs.left, pairs.right], axis=1), return_inverse=True)
    records = [pairs.records[place] for place in used.tolist()]
    return arrow_table(model, records, rows.reshape(-1), pair=[place // 2 for place in range(rows.size)])


def _smoothed(trained: Sequence[Sequence[float | None]], pairs: float) -> tuple[NDArray[np.float64], ...]:
    result = []
    for shares in trained:
        # Shares of a comparison that is unknown throughout do not add up to one: nothing is known of any level.
        known = np.array([share or 0.0 for share in shares])
        result.append((known * pairs + _HALF) / (pairs + _HALF * len(known)))
    return tuple(result)


def prior_within(pairs: int) -> tuple[float, float]:
    """What so many pairs can say of the prior at most: as if none, or all of them, matched."""
    return prior_of(0, pairs), prior_of(pairs, 0)


def prior_of(matches: float, others: float) -> float:
    """The log2 odds of a match among candidate pairs of which so many match, drawn towards what is expected of them."""
    return float(np.log2((matches + IMAGINED[0]) / (others + IMAGINED[1])))
