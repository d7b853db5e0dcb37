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
from matching.features import DISTINCT_IN
from matching.model import MatchModel
from matching.scoring import score_pairs

#: Two rows of record numbers, lower above higher, in ascending order.
Candidates = NDArray[np.intp]


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
    left, right = candidate_pairs(model, records)
    tables = [record.get(DISTINCT_IN) for record in records]
    asked = [tables[a] is None or tables[a] != tables[b] for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    kept = np.array(asked, dtype=np.bool_)
    return np.stack([left[kept], right[kept]])


def resolve(model: MatchModel, records: Sequence[Mapping[str, Any]]) -> Resolution:
    """Block, score, decide and cluster a whole store without judgements."""
    left, right = candidate_pairs(model, records)
    scores = score_pairs(model, [records[a] for a in left], [records[b] for b in right])
    edges = []
    for a, b, weight, veto in zip(left.tolist(), right.tolist(), scores.weight.tolist(), scores.veto, strict=True):
        decision = decide(model, weight, veto)
        if decision is not Decision.NONE:
            # Rounded, so that the last bit of a sum cannot break a tie.
            edges.append(Edge(a, b, round(weight, 6), decision, veto))
    clustering = cluster(model, dict(enumerate(records)), edges, set(), set())
    return Resolution(left.size, tuple(edges), clustering)
