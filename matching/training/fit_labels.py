"""Learn the weights of a model from records whose true entities are known.

    python -m matching.training.fit_labels --domain customer --records WORLD.jsonl [--records ...] --out WEIGHTS.json

A line of input is `{"comparison": {...}, "entity": "..."}`; a file is one store, pairs are formed within it.
The weights are a logistic regression over the levels of candidate pairs, because comparisons are not independent (a
group of companies shares brand, domain and phone at once) and the product of their separate likelihood ratios would
count the same evidence several times. Two constraints keep the result a model that a person can believe: within a
comparison a better level never weighs less than a worse one, and every weight is drawn towards zero. u is the share of
a level among candidate pairs that do not match, and m the share that gives the fitted weight.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from matching.batch import candidate_pairs
from matching.features import derive
from matching.model import FEATURES_VERSION, Comparison, MatchModel, profile_model
from matching.scoring import score_features

_LN2 = float(np.log(2.0))


@dataclass(frozen=True, slots=True)
class Store:
    """Records of one store with the true entity of each."""

    comparisons: Sequence[Mapping[str, Any]]
    entities: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """Candidate pairs: the level of each comparison (0 unknown), and whether the two are one entity."""

    levels: NDArray[np.int8]
    matches: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted weights in bits: the prior, and per comparison one weight per level (unknown not included)."""

    prior: float
    weights: tuple[NDArray[np.float64], ...]


def common_tokens(stores: Iterable[Store], share: float) -> list[str]:
    """Name tokens that more than `share` of all entities carry: they tell little about which entity is meant."""
    entities: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    everyone: set[tuple[int, str]] = set()
    for number, store in enumerate(stores):
        for comparison, entity in zip(store.comparisons, store.entities, strict=True):
            everyone.add((number, entity))
            for token in str(comparison.get("name", "")).split():
                entities[token].add((number, entity))
    least = max(2.0, share * len(everyone))
    return sorted(token for token, owners in entities.items() if len(owners) > least)


def sample(model: MatchModel, stores: Sequence[Store]) -> Sample:
    """The candidate pairs of all stores."""
    levels, matches = [], []
    for store in stores:
        left, right = candidate_pairs(model, store.comparisons)
        features = [derive(model.domain, comparison, model.common_tokens) for comparison in store.comparisons]
        levels.append(score_features(model, features, left, right).levels)
        entity = np.array(store.entities)
        matches.append(entity[left] == entity[right])
    return Sample(np.concatenate(levels), np.concatenate(matches))


def fit(comparisons: Sequence[Comparison], data: Sample, shrinkage: float) -> Fit:
    """Weights that explain the matches best: monotone within each comparison, none below its `worst`, each drawn
    towards what is expected of it with a penalty of `shrinkage` per squared bit."""
    sizes = [len(comparison.levels) for comparison in comparisons]
    # A comparison's weights are its lowest weight plus steps upwards, so monotone means that no step is negative.
    starts = np.cumsum([1, *sizes])
    rows, counts = _distinct(data)
    design = np.concatenate([_staircase(rows[:, i], size) for i, size in enumerate(sizes)], axis=1)
    design = np.concatenate([np.ones((len(rows), 1)), design], axis=1)
    to_levels = [np.tril(np.ones((size, size)))[::-1] for size in sizes]
    expected = [np.array([level.expected for level in comparison.levels]) for comparison in comparisons]
    total, matches = counts.sum(axis=1), counts[:, 1]

    def loss(steps: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = design @ steps * _LN2
        value = float(np.sum(total * np.logaddexp(0.0, odds) - matches * odds))
        gradient = design.T @ (total / (1.0 + np.exp(-odds)) - matches) * _LN2
        for start, matrix, wanted in zip(starts, to_levels, expected, strict=False):
            span = slice(start, start + len(matrix))
            away = matrix @ steps[span] - wanted
            value += shrinkage * float(away @ away)
            gradient[span] += 2 * shrinkage * matrix.T @ away
        return value, gradient

    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    begin = [0.0]
    for comparison, wanted in zip(comparisons, expected, strict=True):
        bounds += [(comparison.worst, None)] + [(0.0, None)] * (len(wanted) - 1)
        begin += [max(wanted[-1], comparison.worst), *np.maximum(wanted[:-1] - wanted[1:], 0.0)[::-1]]
    # The default tolerance stops early on a large sum; rare levels would keep the weight that they began with.
    found = minimize(
        loss,
        np.array(begin),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-13, "gtol": 1e-6},
    ).x
    weights = tuple(matrix @ found[at : at + len(matrix)] for at, matrix in zip(starts, to_levels, strict=False))
    return Fit(float(found[0]), weights)


def _distinct(data: Sample) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Distinct combinations of levels, and how many non-matches and matches show each."""
    rows, places = np.unique(data.levels, axis=0, return_inverse=True)
    counts = np.zeros((len(rows), 2))
    np.add.at(counts, (places, data.matches.astype(np.intp)), 1.0)
    return rows, counts


def _staircase(levels: NDArray[np.int8], size: int) -> NDArray[np.float64]:
    """Level i of `size` (1 is best) takes the lowest weight and the steps up to it; unknown takes none."""
    table = np.zeros((size + 1, size))
    for level in range(1, size + 1):
        table[level, : size - level + 1] = 1.0
    result: NDArray[np.float64] = table[levels]
    return result


def document(model: MatchModel, found: Fit, data: Sample, tokens: Sequence[str], provenance: str) -> dict[str, Any]:
    """The weights document of a model (see `matching.model`)."""
    comparisons: dict[str, dict[str, dict[str, float]]] = {}
    for column, (comparison, weights) in enumerate(zip(model.comparisons, found.weights, strict=True)):
        unmatched = Counter(data.levels[~data.matches, column].tolist())
        known = sum(count for level, count in unmatched.items() if level)
        size = len(comparison.levels)
        levels = {}
        for number, (level, bits) in enumerate(zip(comparison.levels, weights.round(2).tolist(), strict=True), start=1):
            u = (unmatched[number] + 0.5) / (known + 0.5 * size)
            m = float(f"{min(u * 2.0**bits, 1.0):.6g}")
            levels[level.label] = {"m": m, "u": m / 2.0**bits}
        comparisons[comparison.name] = levels
    return {
        "domain": model.domain,
        "features": FEATURES_VERSION,
        "provenance": provenance,
        "prior": round(found.prior, 2),
        "common_tokens": list(tokens),
        "comparisons": comparisons,
    }


def read_store(path: Path) -> Store:
    """A store from JSON lines."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Store([line["comparison"] for line in lines], [line["entity"] for line in lines])


def train(
    domain: str, profile: str, stores: Sequence[Store], shrinkage: float, share: float, data: str
) -> dict[str, Any]:
    """The weights of `domain` for the profile text, learned from the stores."""
    tokens = common_tokens(stores, share) if domain == "customer" else []
    model = profile_model(profile, tokens)
    pairs = sample(model, stores)
    provenance = (
        f"Logistic regression over {len(pairs.matches)} candidate pairs ({int(pairs.matches.sum())} matches) of "
        f"{sum(len(store.entities) for store in stores)} records in {len(stores)} generated stores with known truth; "
        f"monotone levels, shrinkage {shrinkage}; data {data}."
    )
    return document(model, fit(model.comparisons, pairs, shrinkage), pairs, tokens, provenance)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--records", required=True, action="append", type=Path)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shrinkage", type=float, default=0.05)
    parser.add_argument("--common-share", type=float, default=0.004)
    options = parser.parse_args(arguments)
    models = Path(__file__).parent.parent / "models"
    profile = options.profile or models / f"{options.domain}.yaml"
    data = sha256(b"".join(path.read_bytes() for path in options.records)).hexdigest()[:16]
    weights = train(
        options.domain,
        profile.read_text("utf-8"),
        [read_store(path) for path in options.records],
        options.shrinkage,
        options.common_share,
        data,
    )
    out = options.out or models / f"{options.domain}.weights.json"
    out.write_text(json.dumps(weights, indent=1, ensure_ascii=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
