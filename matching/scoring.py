"""Match weights of pairs: the prior plus one contribution per comparison, in bits.

A batch is scored by compiled code (`matching.kernels`), a few pairs one by one, with the same result to the last bit.
Levels are kept, so that every weight can be explained as a sum of contributions whenever somebody asks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching import kernels
from matching.conditions import TRUE, Columns, Indices, Judged
from matching.decision import asking, parting
from matching.features import Features, derive, derive_all
from matching.frame import Frame
from matching.model import Comparison, MatchModel
from matching.program import program_of
from matching.rarity import adjustment, adjustments
from matching.rows import rows_of
from matching.vetoes import Effect, Veto

#: Below this many pairs one by one is faster (measured: bench/scoring.py).
FEW = 16

UNKNOWN_LABEL = "unknown"

#: Columns of what a row said before and says no more (`mdm.core.former`).
_FORMER = frozenset({"former_names", "former_sites"})


#: Levels of the shipped models whose names say too little to people; all others are told by their names.
_WORDS = {
    ("name", "acronym"): "one is the initials of the other",
    ("identifiers", "mistyped"): "the same but for a mistyped sign",
    ("identifiers", "not comparable"): "of different kinds, or not comparable",
    ("address", "moved"): "other place, as after a move: names and phone or web agree",
    ("evidence", "two facts shared"): "other rows state two of the same things about both",
    ("evidence", "one fact and fitting name"): "other rows state the same thing about both, and the names fit",
    ("evidence", "one fact shared"): "other rows state the same thing about both",
    ("evidence", "no fact shared"): "other rows state different things about them",
    ("claim", "claims to be"): "one names the other as itself",
    ("claim", "claims the same"): "both name the same third row as themselves",
    ("claim", "claims another"): "they name different rows as themselves",
    ("number", "mistyped"): "the same but for a mistyped sign",
    ("gtin", "mistyped"): "the same but for a mistyped sign",
}


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of n pairs. `levels` has a column per comparison: 0 is unknown, i is the comparison's level i - 1."""

    weight: NDArray[np.float64]
    levels: NDArray[np.int8]
    #: The number of the model's first veto that holds, or -1.
    vetoes: NDArray[np.int8]
    #: The same of those that part or demote: a question about a pair does not take away that a rule keeps it apart.
    parting: NDArray[np.int8]
    veto_names: tuple[str, ...]

    @property
    def veto(self) -> list[str | None]:
        """The name of the first veto that holds, or None, per pair."""
        names = (*self.veto_names, None)
        return [names[number] for number in self.vetoes.tolist()]

    def veto_at(self, row: int) -> str | None:
        """The same of one pair."""
        number = int(self.vetoes[row])
        return None if number < 0 else self.veto_names[number]


class Contribution(NamedTuple):
    """What one comparison said about a pair. `formerly`: only because of what one of the two said before."""

    comparison: str
    level: str
    bits: float
    formerly: bool = False

    @property
    def words(self) -> str:
        """The level for people: two names that differ are not told to be the same one without a word on why."""
        words = _WORDS.get((self.comparison, self.level), self.level)
        told = not self.formerly or self.level.endswith("before")
        return words if told else f"{words}, by what one of them said before"


@dataclass(frozen=True, slots=True)
class PairScore:
    """One pair explained: prior + contributions = weight (bits)."""

    weight: float
    probability: float
    prior: float
    contributions: tuple[Contribution, ...]
    #: Names of all vetoes that hold, the one that decides first.
    vetoes: tuple[str, ...]
    fingerprint: str
    #: The same as sentences for people.
    reasons: tuple[str, ...] = ()
    #: They say why it is a question whatever it weighs, not why it is one at most.
    asked: bool = False

    @property
    def veto(self) -> str | None:
        """The veto that decides."""
        return self.vetoes[0] if self.vetoes else None


def score_pairs(model: MatchModel, left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]) -> Scores:
    """Score pair i of `left[i]` and `right[i]`. Symmetric. A record that occurs often is encoded once."""
    return score_features(model, *derived_pairs(model, left, right))


def derived_pairs(
    model: MatchModel, left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]
) -> tuple[list[Features], Indices, Indices]:
    """The columns of the records of these pairs, each once, and where the left and right sides are among them."""
    if len(left) != len(right):
        raise ValueError(f"{len(left)} left records but {len(right)} right records")
    places: dict[int, int] = {}
    records: list[Mapping[str, Any]] = []
    indices = np.empty((2, len(left)), dtype=np.intp)
    for side, items in enumerate((left, right)):
        for position, item in enumerate(items):
            place = places.setdefault(id(item), len(records))
            if place == len(records):
                records.append(item)
            indices[side, position] = place
    return derive_all(model.domain, records, model.common_tokens), indices[0], indices[1]


def score_features(model: MatchModel, records: Sequence[Features], left: Indices, right: Indices) -> Scores:
    """Score pairs given as indices into records whose columns are already derived."""
    if len(left) < FEW:
        return score_few(model, records, left, right)
    return score_columns(model, Frame(records), left, right)


def score_columns(model: MatchModel, columns: Columns, left: Indices, right: Indices) -> Scores:
    """Score pairs of a batch of records that is encoded already."""
    program = program_of(model)
    adjusted = any(comparison.adjusted for comparison in model.comparisons)
    # What rarity adds is not known before the level is: until then every pair counts as one that may be asked about.
    bounds = (math.inf, math.inf) if adjusted else (model.thresholds.possible, model.thresholds.match)
    found = kernels.judge(
        as_indices(left), as_indices(right), rows_of(program, columns), program.code, (model.prior, *bounds)
    )
    levels, weight, parted, vetoes = found
    scores = Scores(weight, levels.T, vetoes, parted, tuple(item.name for item in model.vetoes))
    return _adjusted(model, scores, columns, left, right) if adjusted else scores


def as_indices(numbers: NDArray[Any]) -> Indices:
    """In one piece, writable, and of the one width: what the scorer is compiled for."""
    return np.require(numbers, dtype=np.intp, requirements=("C", "W"))


def _adjusted(model: MatchModel, scores: Scores, columns: Columns, left: Indices, right: Indices) -> Scores:
    """With what rarity adds, and without the questions that are none at that weight."""
    weight = np.full(len(left), model.prior)
    for number, comparison in enumerate(model.comparisons):
        levels = scores.levels[:, number]
        weight += _weights(comparison)[levels] + adjustments(comparison, columns, left, right, levels)
    forbidden = np.array([*(item.effect is Effect.FORBID for item in model.vetoes), False])[scores.parting]
    apart = (weight < model.thresholds.possible) & ~forbidden
    apart |= (weight < model.thresholds.match) & (scores.parting < 0)
    return replace(scores, weight=weight, vetoes=np.where(apart, scores.vetoes, scores.parting))


def score_few(model: MatchModel, records: Sequence[Features], left: Indices, right: Indices) -> Scores:
    """The same, pair by pair: arrays cost more than they save for a handful of pairs."""
    weight = np.empty(len(left))
    levels = np.zeros((len(left), len(model.comparisons)), dtype=np.int8)
    veto, first = np.full((2, len(left)), -1, dtype=np.int8)
    parted, asked = parting(model), asking(model)
    for row, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        pair = Judged(records[a], records[b])
        total = model.prior
        for column, comparison in enumerate(model.comparisons):
            number = _level(comparison, pair)
            levels[row, column] = number
            if number:
                total += comparison.levels[number - 1].weight + adjustment(comparison, pair, number)
        weight[row] = total
        veto[row] = first[row] = next((number for number, item in parted if pair.truth(item.condition) == TRUE), -1)
        if asked and _may_be_asked(model, int(veto[row]), total):
            veto[row] = next((number for number, item in asked if pair.truth(item.condition) == TRUE), veto[row])
    return Scores(weight, levels, veto, first, tuple(item.name for item in model.vetoes))


def contributions(
    model: MatchModel, records: Sequence[Features], left: Indices, right: Indices, levels: NDArray[np.int8]
) -> NDArray[np.float64]:
    """What each comparison (a column) adds to the weight of pairs whose levels are known, in bits."""
    frame = Frame(records)
    found = [
        _weights(comparison)[levels[:, number]] + adjustments(comparison, frame, left, right, levels[:, number])
        for number, comparison in enumerate(model.comparisons)
    ]
    return np.stack(found, axis=1)


def speaking_for(model: MatchModel, scores: Scores) -> NDArray[np.bool_]:
    """Which pairs have at least one comparison that speaks for them, whatever speaks against."""
    found = np.zeros(len(scores.weight), dtype=np.bool_)
    for number, comparison in enumerate(model.comparisons):
        found |= _weights(comparison)[scores.levels[:, number]] > 0
    return found


def explain_pair(model: MatchModel, left: Mapping[str, Any], right: Mapping[str, Any]) -> PairScore:
    """The weight of one pair as a sum of parts, with every veto that holds."""
    features = [derive(model.domain, record, model.common_tokens) for record in (left, right)]
    first, second = np.array([0], dtype=np.intp), np.array([1], dtype=np.intp)
    scores = score_features(model, features, first, second)
    pair = Judged(*features)
    present = Judged(*({name: each[name] for name in each if name not in _FORMER} for each in features))
    contributions = tuple(
        _contribution(comparison, int(level), adjustment(comparison, pair, int(level)), present)
        for comparison, level in zip(model.comparisons, scores.levels[0], strict=True)
    )
    weight = float(scores.weight[0])
    held = _held(model, pair, weight)
    return PairScore(
        weight=weight,
        probability=probability(weight),
        prior=model.prior,
        contributions=contributions,
        vetoes=tuple(veto.name for veto in held),
        fingerprint=model.fingerprint,
        reasons=tuple(veto.reason for veto in held),
        asked=any(veto.effect is Effect.ASK for veto in held),
    )


def _held(model: MatchModel, pair: Judged, weight: float) -> list[Veto]:
    """The vetoes that hold of a pair of this weight, the one that decides first."""
    held = [(number, veto) for number, veto in parting(model) if pair.truth(veto.condition) == TRUE]
    if _may_be_asked(model, held[0][0] if held else -1, weight):
        asked = [veto for _, veto in asking(model) if pair.truth(veto.condition) == TRUE]
        if asked:
            return asked
    return [veto for _, veto in held]


def _may_be_asked(model: MatchModel, veto: int, weight: float) -> bool:
    """Whether a pair can be a question that neither its weight nor the veto that holds of it (-1: none) makes it.

    A veto that only demotes has nothing to demote where a pair weighs too little for a question.
    """
    if veto < 0:
        return weight < model.thresholds.match
    return weight < model.thresholds.possible and model.vetoes[veto].effect is not Effect.FORBID


def probability(weight: float) -> float:
    """The probability of a match at a weight (posterior log2 odds)."""
    return float(1.0 / (1.0 + 2.0 ** -min(max(weight, -1000.0), 1000.0)))


def _level(comparison: Comparison, pair: Judged) -> int:
    if pair.truth(comparison.unknown) == TRUE:
        return 0
    for number, level in enumerate(comparison.levels, start=1):
        if level.condition is None or pair.truth(level.condition) == TRUE:
            return number
    return len(comparison.levels)


def _weights(comparison: Comparison) -> NDArray[np.float64]:
    return np.array([0.0, *(level.weight for level in comparison.levels)])


def _contribution(comparison: Comparison, level: int, rarity: float, present: Judged) -> Contribution:
    """`present` is the pair without what it said before."""
    if level == 0:
        return Contribution(comparison.name, UNKNOWN_LABEL, 0.0)
    found = comparison.levels[level - 1]
    return Contribution(comparison.name, found.label, found.weight + rarity, _level(comparison, present) != level)
