"""How good a clustering is against the truth: pairwise and B-cubed precision, recall and F1, and candidate recall.

Pairwise figures weigh an entity by the square of its size, B-cubed figures by its size; one large wrong cluster ruins
the former and barely moves the latter, so both are reported.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Record = TypeVar("Record", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision, recall and their harmonic mean, each between 0 and 1 (1 when there was nothing to get wrong)."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Pairs of records: found and true, found but false, true but not found."""

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def quality(self) -> Quality:
        found = self.true_positives + self.false_positives
        true = self.true_positives + self.false_negatives
        return Quality(_ratio(self.true_positives, found), _ratio(self.true_positives, true))


@dataclass(frozen=True, slots=True)
class Report:
    """The evaluation of one domain. Mixed are clusters of records of more than one true entity."""

    records: int
    clusters: int
    true_entities: int
    pairs: PairCounts
    b_cubed: Quality
    largest_cluster: int
    mixed_clusters: int
    mixed_records: int


def evaluate(found: Mapping[Record, Hashable], truth: Mapping[Record, Hashable]) -> Report:
    """Compare clusters with true entities, both as record -> label. Only records that both know are counted."""
    records = found.keys() & truth.keys()
    sizes = Counter(found[record] for record in records)
    entities = Counter(truth[record] for record in records)
    cells = Counter((found[record], truth[record]) for record in records)
    agreeing = _pairs(cells.values())
    entities_in = Counter(cluster for cluster, _ in cells)
    mixed = [cluster for cluster, number in entities_in.items() if number > 1]
    pairs = PairCounts(agreeing, _pairs(sizes.values()) - agreeing, _pairs(entities.values()) - agreeing)
    return Report(
        records=len(records),
        clusters=len(sizes),
        true_entities=len(entities),
        pairs=pairs,
        b_cubed=_b_cubed(cells, sizes, entities, len(records)),
        largest_cluster=max(sizes.values(), default=0),
        mixed_clusters=len(mixed),
        mixed_records=sum(sizes[cluster] for cluster in mixed),
    )


def evaluate_part(
    found: Mapping[Record, Hashable], truth: Mapping[Record, Hashable], part: Collection[Hashable]
) -> tuple[PairCounts, Quality]:
    """How right clusters are about some of the true entities, among all others: pairs and B-cubed.

    Every pair of records is counted twice, once for each of its records that is of these entities: so the counts of
    parts add up to those of the whole, and a wrong pair between two parts is half of either. B-cubed is over the
    records of these entities.
    """
    records = found.keys() & truth.keys()
    sizes = Counter(found[record] for record in records)
    entities = Counter(truth[record] for record in records)
    cells = Counter((found[record], truth[record]) for record in records)
    mine = {cell: count for cell, count in cells.items() if cell[1] in part}
    right = sum(count * (count - 1) for count in mine.values())
    together = sum(count * (sizes[cluster] - 1) for (cluster, _), count in mine.items())
    true = sum(size * (size - 1) for entity, size in entities.items() if entity in part)
    return PairCounts(right, together - right, true - right), _b_cubed(mine, sizes, entities, sum(mine.values()))


def candidate_recall(candidates: Iterable[tuple[Record, Record]], truth: Mapping[Record, Hashable]) -> float:
    """The share of true pairs that are among the candidate pairs (direction and repetition do not matter)."""
    entities: defaultdict[Hashable, int] = defaultdict(int)
    for entity in truth.values():
        entities[entity] += 1
    reached = {frozenset(pair) for pair in candidates if pair[0] != pair[1] and _same_entity(truth, pair[0], pair[1])}
    return _ratio(len(reached), _pairs(entities.values()))


def _same_entity(truth: Mapping[Record, Hashable], a: Record, b: Record) -> bool:
    return a in truth and b in truth and truth[a] == truth[b]


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _b_cubed(
    cells: Mapping[tuple[Hashable, Hashable], int],
    sizes: Mapping[Hashable, int],
    entities: Mapping[Hashable, int],
    records: int,
) -> Quality:
    if not records:
        return Quality(1.0, 1.0)
    precision = sum(count * count / sizes[cluster] for (cluster, _), count in cells.items()) / records
    recall = sum(count * count / entities[entity] for (_, entity), count in cells.items()) / records
    return Quality(precision, recall)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
