"""All records of one store at once: candidate pairs, edges and entities.

What a stream of changes must end in whatever its order; also the loop of training and evaluation.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.blocking import BlockingKey, block_keys, dynamic_keys
from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision, decide
from matching.features import DISTINCT_IN, Features, derive
from matching.model import MatchModel
from matching.scoring import score_features

#: Two rows of record numbers, lower above higher, in ascending order.
Candidates = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Whole:
    """A store made ready to be resolved, by whatever weights: the columns of its records, and its candidate pairs."""

    records: Sequence[Mapping[str, Any]]
    features: Sequence[Features]
    candidates: Candidates

    @property
    def open_pairs(self) -> Candidates:
        """Candidate pairs about which there is a question; see `open_pairs`."""
        return _open(self.records, self.candidates)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Records are named by their position in the batch."""

    candidates: int
    edges: tuple[Edge, ...]
    clustering: Clustering


def candidate_pairs(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Candidates:
    """Pairs of records that share a key which no more than `model.block_cap` records carry; (2, n)."""
    blocks: defaultdict[BlockingKey, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        for key in {*block_keys(model, record), *dynamic_keys(model, record)}:
            blocks[key].append(number)
    pairs: set[tuple[int, int]] = set()
    for members in blocks.values():
        if len(members) <= model.block_cap:
            pairs.update(combinations(members, 2))
    return np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2).T


def open_pairs(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Candidates:
    """Candidate pairs about which there is a question: without rows of one table trusted to hold no duplicates.

    The veto `same_source` parts those whatever they weigh, so weights are neither learned from them nor judged by them.
    """
    return _open(records, candidate_pairs(model, records))


def _open(records: Sequence[Mapping[str, Any]], candidates: Candidates) -> Candidates:
    numbers: dict[object, int] = {}
    trusted = (record.get(DISTINCT_IN) for record in records)
    tables = np.array([-1 if each is None else numbers.setdefault(each, len(numbers)) for each in trusted], np.intp)
    left, right = candidates
    found: Candidates = candidates[:, (tables[left] < 0) | (tables[left] != tables[right])]
    return found


def prepare(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Whole:
    """What weights do not change about a store: shared by models of one profile and one list of common words."""
    features = [derive(model.domain, record, model.common_tokens) for record in records]
    return Whole(records, features, candidate_pairs(model, records))


def resolve(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Resolution:
    """Block, score, decide and cluster a whole store without judgements."""
    return resolve_prepared(model, prepare(model, records))


def resolve_prepared(model: MatchModel, whole: Whole) -> Resolution:
    """Score, decide and cluster a store that is blocked already, by a model of the profile that it was blocked by."""
    left, right = whole.candidates
    scores = score_features(model, whole.features, left, right)
    vetoes = scores.veto
    edges = []
    for place in np.flatnonzero(scores.weight >= model.thresholds.possible).tolist():
        weight, veto = float(scores.weight[place]), vetoes[place]
        decision = decide(model, weight, veto)
        if decision is not Decision.NONE:
            # Rounded, so that the last bit of a sum cannot break a tie.
            edges.append(Edge(int(left[place]), int(right[place]), round(weight, 6), decision, veto))
    clustering = cluster(model, dict(enumerate(whole.records)), edges, set(), set())
    return Resolution(left.size, tuple(edges), clustering)
