"""All records of one store at once: candidate pairs, edges and entities.

What a stream of changes must end in whatever its order; also the loop of training and evaluation.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.blocking import BlockingKey, keys_of
from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision, decide, worth_deciding
from matching.features import DISTINCT_IN, Features, derive_keys, derive_once
from matching.model import MatchModel
from matching.scoring import score_features

#: Two rows of record numbers, lower above higher, in ascending order.
Candidates = NDArray[np.intp]

#: The members of every block, ascending.
Blocks: TypeAlias = Mapping[BlockingKey, list[int]]


@dataclass(frozen=True, slots=True)
class Whole:
    """A store made ready to be resolved, by whatever weights: the columns of its records, and its candidate pairs."""

    records: Sequence[Mapping[str, Any]]
    features: Sequence[Features]
    candidates: Candidates

    @property
    def open_pairs(self) -> Candidates:
        """Candidate pairs about which there is a question; see `open_pairs`."""
        return without_settled(self.records, self.candidates)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Records are named by their position in the batch."""

    candidates: int
    edges: tuple[Edge, ...]
    clustering: Clustering


def candidate_pairs(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Candidates:
    """Pairs of records that share a key which no more records carry than the cap of its rule; (2, n)."""
    return paired(model, blocks_of(model, records))


def blocks_of(model: MatchModel, records: Iterable[Mapping[str, Any]]) -> Blocks:
    """The members of every block of these records, ascending."""
    return _blocks(model, (derive_keys(model.domain, record, model.common_tokens) for record in records))


def _blocks(model: MatchModel, features: Iterable[Features]) -> Blocks:
    blocks: defaultdict[BlockingKey, list[int]] = defaultdict(list)
    rules = (*model.blocking, *model.dynamic)
    for number, each in enumerate(features):
        for key in keys_of(rules, each):
            blocks[key].append(number)
    return blocks


def paired(model: MatchModel, blocks: Blocks) -> Candidates:
    """Pairs of records that share one of these blocks which is not above its cap; (2, n)."""
    caps = {rule.name: model.cap_of(rule) for rule in (*model.blocking, *model.dynamic)}
    sizes: defaultdict[int, list[list[int]]] = defaultdict(list)
    for key, members in blocks.items():
        if 1 < len(members) <= caps[key.rule]:
            sizes[len(members)].append(members)
    parts = [np.zeros(0, dtype=np.int64)]
    for size, alike in sizes.items():
        # Ascending within a block, as records were read: of every two places the first is the lower number.
        together = np.array(alike, dtype=np.int64)
        first, second = np.triu_indices(size, 1)
        parts.append((together[:, first] << 32 | together[:, second]).reshape(-1))
    packed = np.unique(np.concatenate(parts))
    return np.stack([packed >> 32, packed & 0xFFFFFFFF]).astype(np.intp)


def open_pairs(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Candidates:
    """Candidate pairs about which there is a question: without rows of one table trusted to hold no duplicates.

    The veto `same_source` parts those whatever they weigh, so weights are neither learned from them nor judged by them.
    """
    return without_settled(records, candidate_pairs(model, records))


def without_settled(records: Sequence[Mapping[str, Any]], candidates: Candidates) -> Candidates:
    """Of these candidate pairs those about which there is a question; see `open_pairs`."""
    numbers: dict[object, int] = {}
    trusted = (record.get(DISTINCT_IN) for record in records)
    tables = np.array([-1 if each is None else numbers.setdefault(each, len(numbers)) for each in trusted], np.intp)
    left, right = candidates
    found: Candidates = candidates[:, (tables[left] < 0) | (tables[left] != tables[right])]
    return found


def prepare(model: MatchModel, records: Sequence[Mapping[str, Any]], candidates: Candidates | None = None) -> Whole:
    """What weights do not change about a store: shared by models of one profile and one list of common words.

    Args:
        candidates: the pairs to compare, where they are known; else those that share a key.
    """
    features = [derive_once(model.domain, record, model.common_tokens) for record in records]
    return Whole(records, features, paired(model, _blocks(model, features)) if candidates is None else candidates)


def resolve(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Resolution:
    """Block, score, decide and cluster a whole store without judgements."""
    return resolve_prepared(model, prepare(model, records))


def resolve_prepared(model: MatchModel, whole: Whole) -> Resolution:
    """Score, decide and cluster a store that is blocked already, by a model of the profile that it was blocked by."""
    left, right = whole.candidates
    scores = score_features(model, whole.features, left, right)
    vetoes = scores.veto
    edges = []
    for place in np.flatnonzero(worth_deciding(model, scores.weight, scores.vetoes)).tolist():
        weight, veto = float(scores.weight[place]), vetoes[place]
        decision = decide(model, weight, veto)
        if decision is not Decision.NONE:
            # Rounded, so that the last bit of a sum cannot break a tie.
            edges.append(Edge(int(left[place]), int(right[place]), round(weight, 6), decision, veto))
    clustering = cluster(model, dict(enumerate(whole.records)), edges, set(), set())
    return Resolution(left.size, tuple(edges), clustering)
