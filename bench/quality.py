"""How right entities are, for a million records in arrays: pairwise, B-cubed, and what no entity may hold."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

_Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one clustering."""

    precision: float
    recall: float
    f1: float
    b_cubed_f1: float
    largest: int

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def quality(found: _Labels, truth: _Labels) -> Quality:
    """Compare the entity of each record with the true one."""
    _, a, sizes = np.unique(found, return_inverse=True, return_counts=True)
    _, b, entities = np.unique(truth, return_inverse=True, return_counts=True)
    _, cell, cells = np.unique(a.astype(np.int64) * len(entities) + b, return_inverse=True, return_counts=True)
    agreeing = _pairs(cells)
    precision, recall = agreeing / max(_pairs(sizes), 1), agreeing / max(_pairs(entities), 1)
    pure, complete = float((cells[cell] / sizes[a]).mean()), float((cells[cell] / entities[b]).mean())
    return Quality(precision, recall, _f1(precision, recall), _f1(pure, complete), int(sizes.max()))


def pair_recall(packed: _Labels, truth: _Labels) -> float:
    """The share of true pairs among candidate pairs (a << 32 | b)."""
    reached = np.count_nonzero(truth[packed >> 32] == truth[packed & 0xFFFFFFFF])
    return float(reached / _pairs(np.unique(truth, return_counts=True)[1]))


def contradicting(found: _Labels, table: pa.Table, column: str = "exclusive") -> int:
    """Entities with two valid tax or register numbers of one kind that clearly differ (more than one slip)."""
    rows = np.flatnonzero(table[column].is_valid().to_numpy())
    values: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for entity, identifiers in zip(found[rows].tolist(), table[column].take(pa.array(rows)).to_pylist(), strict=True):
        for identifier in identifiers:
            kind, _, number = identifier.rpartition(":")
            values[entity, kind].add(number)
    wrong = {entity for (entity, _), numbers in values.items() if len(numbers) > 1 and _differ(sorted(numbers))}
    return len(wrong)


def _differ(numbers: list[str]) -> bool:
    return any(OSA.distance(a, b) > 1 for i, a in enumerate(numbers) for b in numbers[i + 1 :])


def _pairs(sizes: NDArray[np.intp]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
