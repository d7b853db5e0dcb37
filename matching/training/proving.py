"""Proof, for the very documents that are to be released, that the hub weighs pairs as Splink does.

The pairs are those of shipped records, those made to reach every level (`matching.training.reaching`), and candidates
among records of the hub that releases the model. Each is scored in a batch and alone.
"""

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import duckdb
import numpy as np
from splink.internals.exceptions import SplinkException

from matching.batch import Candidates, candidate_pairs
from matching.features import Features, derive_all
from matching.model import MatchModel
from matching.proof import Proof, scorer_now
from matching.scoring import contributions, score_features
from matching.training.estimate import PairSet
from matching.training.examples import examples
from matching.training.parity import differences
from matching.training.reaching import names_of, reaching
from mdm.errors import ParityUnproven

#: Pairs of the hub's records that are scored at most; of more, as many that lie evenly among them.
MOST_OWN = 5_000
#: Of shipped records far from each other: so many places apart.
_FAR = 7
_VERSIONED = ("splink", "duckdb", "numpy", "numba", "rapidfuzz")


def prove(model: MatchModel, own: Sequence[Mapping[str, Any]] = (), candidates: Candidates | None = None) -> Proof:
    """Score pairs with the hub's scorer and with Splink, and tell how far the two differ.

    Args:
        own: comparison forms of the hub's records.
        candidates: pairs of places among them, (2, n); without, those that share a key by the model.

    Raises:
        ParityUnproven: Splink cannot score by this model at all.
    """
    shipped = shipped_pairs(model)
    made = reaching(model, shipped.records)
    mine = _own_pairs(model, own, candidates)
    pairs = together(shipped, made.pairs, mine)
    try:
        weight, apart = differences(model, pairs.records, pairs.left, pairs.right, one_by_one=True)
    except (duckdb.Error, SplinkException) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ParityUnproven(f"Splink cannot score by this model: {said}") from error
    levels = score_features(model, pairs.records, pairs.left, pairs.right).levels
    met = [set(np.unique(levels[:, number]).tolist()) for number in range(len(model.comparisons))]
    named = [names_of(comparison) for comparison in model.comparisons]
    unreached = [name for names, seen in zip(named, met, strict=True) for n, name in enumerate(names) if n not in seen]
    return Proof(
        fingerprint=model.fingerprint,
        scorer=scorer_now(),
        pairs=len(pairs),
        own=len(mine),
        weight=_bits(weight),
        contribution=_bits(float(apart.max(initial=0.0))),
        most=model.comparisons[int(apart.argmax())].name if apart.any() else "",
        levels=sum(map(len, named)) - len(unreached),
        of_levels=sum(map(len, named)),
        unreached=tuple(unreached),
        non_ascii=_non_ascii(pairs),
        unknown=int((levels == 0).any(axis=1).sum()),
        adjusted=_adjusted(model, pairs, levels),
        versions={name: version(name) for name in _VERSIONED},
    )


def shipped_pairs(model: MatchModel) -> PairSet:
    """Pairs of the records that ship: those that the hub would compare, some that it would not, and each with a record
    that says nothing. None of a domain of somebody's own."""
    records = examples(model.domain)
    features = derive_all(model.domain, records, model.common_tokens)
    near, far = candidate_pairs(model, records), np.arange(max(len(records) - _FAR, 0), dtype=np.intp)
    left = np.concatenate([near[0], far, far])
    right = np.concatenate([near[1], far + _FAR, np.full(len(far), len(records) - 1)])
    return PairSet(features, left, right.astype(np.intp))


def _own_pairs(model: MatchModel, own: Sequence[Mapping[str, Any]], candidates: Candidates | None) -> PairSet:
    found = candidate_pairs(model, own) if candidates is None else candidates
    pairs = PairSet(derive_all(model.domain, own, model.common_tokens), found[0], found[1])
    if len(pairs) <= MOST_OWN:
        return pairs
    chosen = np.zeros(len(pairs), dtype=np.bool_)
    chosen[np.linspace(0, len(pairs) - 1, MOST_OWN).astype(np.intp)] = True
    return pairs.chosen(chosen)


def together(*sets: PairSet) -> PairSet:
    """The pairs of all of these, over the records of all."""
    records: list[Features] = []
    left, right = [], []
    for each in sets:
        left.append(each.left + len(records))
        right.append(each.right + len(records))
        records.extend(each.records)
    return PairSet(records, np.concatenate(left), np.concatenate(right))


def _bits(difference: float) -> float:
    """What is no number is no agreement."""
    return math.inf if math.isnan(difference) else difference


def _non_ascii(pairs: PairSet) -> int:
    foreign = np.array([not str(record).isascii() for record in pairs.records])
    return int((foreign[pairs.left] | foreign[pairs.right]).sum())


def _adjusted(model: MatchModel, pairs: PairSet, levels: "np.typing.NDArray[np.int8]") -> int:
    parts = contributions(model, pairs.records, pairs.left, pairs.right, levels)
    plain = [
        np.array([0.0, *(level.weight for level in comparison.levels)])[levels[:, number]]
        for number, comparison in enumerate(model.comparisons)
    ]
    return int((parts != np.stack(plain, axis=1)).any(axis=1).sum())
