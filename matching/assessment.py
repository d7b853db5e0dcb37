"""A model held against the truth: candidates, weights, entities, calibration and the worst mistakes.

One pass of blocking and scoring serves everything; entities are formed again for every threshold that is tried.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.batch import Blocks, Candidates, blocks_of, paired, without_settled
from matching.capping import Capped, above_cap, capped, never_compared
from matching.clustering import Edge, cluster
from matching.decision import Decision, asking, decide
from matching.evaluation import PairCounts, Quality, Report, evaluate
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair, probability, score_pairs
from matching.vetoes import Effect

Records = Sequence[Mapping[str, Any]]
#: The entity of each record; None where the truth does not say.
Entities = Sequence[Hashable | None]

_BINS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 1.0)
_TRIED = (-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of similar probability: how many, what was promised on average, and how many really match."""

    pairs: int
    promised: float
    observed: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold gives: pairs scored at or above it, and the entities that joining from it on forms."""

    threshold: float
    pairs: Quality
    entities: Report | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A pair of records that was joined wrongly or left apart wrongly, explained."""

    left: int
    right: int
    score: PairScore
    #: A true pair that shared no blocking key was never compared.
    candidate: bool


@dataclass(frozen=True, slots=True)
class Questions:
    """What is neither joined nor left apart: pairs for a person, those of negative weight, and the recall with them."""

    pairs: int
    hopeless: int
    recall: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is known of how well a model does on records with known truth."""

    records: int
    candidates: int
    candidate_recall: float
    operating: Report
    automatic: Quality
    questions: Questions
    sweep: tuple[Point, ...]
    best_pairs: Point
    best_entities: Point
    calibration: tuple[Bin, ...]
    calibration_error: float
    sizes: Mapping[int, int]
    true_sizes: Mapping[int, int]
    false_joins: tuple[Mistake, ...]
    missed: tuple[Mistake, ...]
    capped: Capped = field(default_factory=Capped)


@dataclass(frozen=True, slots=True)
class _Scored:
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    weight: NDArray[np.float64]
    veto: Sequence[str | None]
    #: 1 a match, 0 none, -1 the truth does not say.
    true: NDArray[np.int8]
    true_pairs: int


def assess(
    model: MatchModel, records: Records, entities: Entities, thresholds: Iterable[float] = _TRIED, worst: int = 10
) -> Assessment:
    """Hold a model against the entities of the records. Records of unknown entity take part but do not count."""
    blocks = blocks_of(model, records)
    candidates = paired(model, blocks)
    cost = _capped(model, blocks, candidates, entities)
    scored = _score(model, records, entities, without_settled(records, candidates))
    operating, found = _cluster(model, records, entities, scored)
    tried = sorted({*thresholds, model.thresholds.match})
    sweep = tuple(
        replace(_pairs_at(scored, each), entities=_cluster(_joining(model, each), records, entities, scored)[0])
        for each in tried
    )
    bins = reliability(scored.weight, scored.true)
    return Assessment(
        records=len(records),
        candidates=len(scored.left),
        candidate_recall=_ratio(int((scored.true == 1).sum()), scored.true_pairs),
        operating=operating,
        automatic=_pairs_at(scored, model.thresholds.match).pairs,
        questions=_questions(model, scored, found, entities),
        sweep=sweep,
        best_pairs=max((_pairs_at(scored, each) for each in _fine(scored).tolist()), key=lambda point: point.pairs.f1),
        best_entities=max(sweep, key=lambda point: point.entities.pairs.quality.f1 if point.entities else 0.0),
        calibration=bins,
        calibration_error=mean_distance(bins),
        sizes=_sizes(found[number] for number in range(len(records))),
        true_sizes=_sizes(entity for entity in entities if entity is not None),
        false_joins=_false_joins(model, records, entities, scored, found, worst),
        missed=_missed(model, records, entities, scored, found, worst),
        capped=cost,
    )


def entities_at(
    model: MatchModel, records: Records, entities: Entities, thresholds: Iterable[float]
) -> Iterator[tuple[float, Mapping[int, int]]]:
    """The entities that joining from each threshold on forms: of each record the first of its entity."""
    scored = _score(model, records, entities, without_settled(records, paired(model, blocks_of(model, records))))
    for threshold in thresholds:
        yield threshold, _cluster(_joining(model, threshold), records, entities, scored)[1]


def _capped(model: MatchModel, blocks: Blocks, candidates: Candidates, entities: Entities) -> Capped:
    known = {number: entity for number, entity in enumerate(entities) if entity is not None}
    compared = zip(*(ends.tolist() for ends in candidates), strict=True)
    return capped(model, above_cap(model, blocks), never_compared(known, compared) if known else None)


def _score(model: MatchModel, records: Records, entities: Entities, candidates: Candidates) -> _Scored:
    left, right = candidates
    scores = score_pairs(model, [records[a] for a in left], [records[b] for b in right])
    codes = {entity: number for number, entity in enumerate({entity for entity in entities if entity is not None})}
    code = np.array([-1 if entity is None else codes[entity] for entity in entities], dtype=np.int64)
    known = (code[left] >= 0) & (code[right] >= 0)
    true = np.where(known, code[left] == code[right], -1).astype(np.int8)
    counts = Counter(entity for entity in entities if entity is not None)
    return _Scored(
        left, right, scores.weight.round(6), scores.veto, true, sum(n * (n - 1) // 2 for n in counts.values())
    )


def _joining(model: MatchModel, threshold: float) -> MatchModel:
    """The model with another threshold for joining."""
    possible = min(threshold, model.thresholds.possible)
    return replace(model, thresholds=replace(model.thresholds, match=threshold, possible=possible))


def _cluster(
    model: MatchModel, records: Records, entities: Entities, scored: _Scored
) -> tuple[Report, Mapping[int, int]]:
    kept = np.flatnonzero((scored.weight >= model.thresholds.possible) | _asked(model, scored))
    edges = []
    for place in kept.tolist():
        weight, veto = float(scored.weight[place]), scored.veto[place]
        decision = decide(model, weight, veto)
        if decision is not Decision.NONE:
            edges.append(Edge(int(scored.left[place]), int(scored.right[place]), weight, decision, veto))
    groups = cluster(model, dict(enumerate(records)), edges, set(), set()).groups
    found = {number: min(group) for group in groups for number in group}
    truth = {number: entity for number, entity in enumerate(entities) if entity is not None}
    return evaluate({number: found[number] for number in truth}, truth), found


def _asked(model: MatchModel, scored: _Scored) -> NDArray[np.bool_]:
    """Which pairs are a question whatever they weigh."""
    names = {veto.name for _, veto in asking(model)}
    return np.array([veto in names for veto in scored.veto], dtype=np.bool_)


def _pairs_at(scored: _Scored, threshold: float) -> Point:
    chosen = scored.weight >= threshold
    right, wrong = int((chosen & (scored.true == 1)).sum()), int((chosen & (scored.true == 0)).sum())
    return Point(threshold, PairCounts(right, wrong, scored.true_pairs - right).quality)


def _fine(scored: _Scored) -> NDArray[np.float64]:
    """Thresholds that tell every outcome apart, or at least two hundred."""
    distinct = np.unique(scored.weight)
    if not len(distinct):
        return np.zeros(1)
    return distinct if len(distinct) <= 400 else np.quantile(scored.weight, np.linspace(0, 1, 400))


def _questions(model: MatchModel, scored: _Scored, found: Mapping[int, int], entities: Entities) -> Questions:
    """Possible matches and matches that were not followed, between records that did not end in one entity.

    Of pairs that a veto forbids nobody is asked.
    """
    forbidden = [veto.name for veto in model.vetoes if veto.effect is Effect.FORBID]
    allowed = np.array([veto not in forbidden for veto in scored.veto], dtype=np.bool_)
    lowest = min(model.thresholds.possible, model.thresholds.match)
    home = np.array([found[number] for number in range(len(entities))])
    worth = (scored.weight >= lowest) | _asked(model, scored)
    asked = allowed & worth & (home[scored.left] != home[scored.right]) & (scored.true >= 0)
    groups: dict[frozenset[int], bool] = {}
    for a, b in zip(scored.left[asked].tolist(), scored.right[asked].tolist(), strict=True):
        groups[frozenset((int(home[a]), int(home[b])))] = True
    members: dict[int, Counter[Hashable]] = {}
    for number, entity in enumerate(entities):
        if entity is not None:
            members.setdefault(found[number], Counter())[entity] += 1
    answered = sum(n * (n - 1) // 2 for group in members.values() for n in group.values())
    for pair in groups:
        one, other = (members.get(group, Counter()) for group in pair)
        answered += sum(count * other[entity] for entity, count in one.items())
    return Questions(int(asked.sum()), int((asked & (scored.weight < 0)).sum()), _ratio(answered, scored.true_pairs))


def reliability(weight: NDArray[np.float64], matches: NDArray[np.int8]) -> tuple[Bin, ...]:
    """What weights promise and what is so, in bins of similar probability; -1 where the truth does not say."""
    known = matches >= 0
    promised = np.array([probability(bits) for bits in weight[known].tolist()])
    true = matches[known]
    place = np.digitize(promised, _BINS[1:-1])
    result = []
    for number in range(len(_BINS) - 1):
        inside = place == number
        if inside.any():
            result.append(Bin(int(inside.sum()), float(promised[inside].mean()), float(true[inside].mean())))
    return tuple(result)


def mean_distance(bins: Iterable[Bin]) -> float:
    """How far promises are from what is so, over all pairs."""
    counted = list(bins)
    away = sum(each.pairs * abs(each.promised - each.observed) for each in counted)
    return away / max(sum(each.pairs for each in counted), 1)


def _false_joins(
    model: MatchModel, records: Records, entities: Entities, scored: _Scored, found: Mapping[int, int], worst: int
) -> tuple[Mistake, ...]:
    """Wrong pairs inside an entity, the heaviest first: they are what the model was surest of."""
    home = np.array([found[number] for number in range(len(entities))])
    wrong = np.flatnonzero((home[scored.left] == home[scored.right]) & (scored.true == 0))
    order = wrong[np.argsort(-scored.weight[wrong], kind="stable")][:worst]
    return tuple(_mistake(model, records, int(scored.left[at]), int(scored.right[at]), True) for at in order)


def _missed(
    model: MatchModel, records: Records, entities: Entities, scored: _Scored, found: Mapping[int, int], worst: int
) -> tuple[Mistake, ...]:
    """True pairs left apart: those that were never compared first, then the lightest."""
    compared = set(zip(scored.left.tolist(), scored.right.tolist(), strict=True))
    members: dict[Hashable, list[int]] = {}
    for number, entity in enumerate(entities):
        if entity is not None:
            members.setdefault(entity, []).append(number)
    apart: list[tuple[int, int]] = []
    for numbers in members.values():
        # One pair of parts tells as much as all pairs between them.
        first: dict[int, int] = {}
        for number in numbers:
            first.setdefault(found[number], number)
        chosen = sorted(first.values())
        apart.extend((chosen[0], other) for other in chosen[1:])
        if len(apart) > 50 * worst:
            break
    mistakes = [_mistake(model, records, a, b, (a, b) in compared) for a, b in apart]
    return tuple(sorted(mistakes, key=lambda each: (each.candidate, each.score.weight))[:worst])


def _mistake(model: MatchModel, records: Records, left: int, right: int, candidate: bool) -> Mistake:
    return Mistake(left, right, explain_pair(model, records[left], records[right]), candidate)


def _sizes(labels: Iterable[Hashable]) -> dict[int, int]:
    """How many groups there are of each size."""
    return dict(sorted(Counter(Counter(labels).values()).items()))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
