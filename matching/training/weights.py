"""From estimated m and u to weights that a person can believe, and to the document that holds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.model import Comparison, MatchModel
from matching.training.estimate import Estimates

#: What an expert expects counts as much as this many pairs.
_EXPERT = 8.0
#: A level that was met by fewer pairs counts as never seen; half a pair on either side is smoothing.
_UNSEEN = 1.2
_STRONGEST = 20.0


def settle(model: MatchModel, estimates: Estimates) -> tuple[NDArray[np.float64], ...]:
    """Weights in bits: log2(m / u), drawn to the expert's where little was seen, falling from better to worse levels,
    none below the comparison's `worst` or above its `best`. A level that neither data nor an expert weigh lies between
    its neighbours; where nothing at all is known of a comparison it says nothing."""
    return tuple(
        _settle(comparison, m, u, estimates)
        for comparison, m, u in zip(model.comparisons, estimates.m, estimates.u, strict=True)
    )


def _settle(
    comparison: Comparison, m: NDArray[np.float64], u: NDArray[np.float64], estimates: Estimates
) -> NDArray[np.float64]:
    bits = np.clip(np.log2(m / u), -_STRONGEST, _STRONGEST)
    seen = m * estimates.matches + u * estimates.others
    for number, level in enumerate(comparison.levels):
        if level.expected is not None:
            bits[number] = (bits[number] * seen[number] + level.expected * _EXPERT) / (seen[number] + _EXPERT)
    unmet = _unmet(comparison, seen)
    if unmet.all():
        return np.zeros(len(bits))
    places = np.arange(len(bits))
    bits[unmet] = np.interp(places[unmet], places[~unmet], bits[~unmet])
    return np.clip(_falling(bits, seen), comparison.worst, comparison.best)


def _unmet(comparison: Comparison, seen: NDArray[np.float64]) -> NDArray[np.bool_]:
    expected = np.array([level.expected is not None for level in comparison.levels])
    missing: NDArray[np.bool_] = (seen < _UNSEEN) & ~expected
    return missing


def unmet(model: MatchModel, estimates: Estimates) -> list[str]:
    """Levels (`comparison: level`) that no pair met and of which no expert says what they weigh."""
    return [
        f"{comparison.name}: {level.label}"
        for comparison, m, u in zip(model.comparisons, estimates.m, estimates.u, strict=True)
        for level, missing in zip(
            comparison.levels, _unmet(comparison, m * estimates.matches + u * estimates.others), strict=True
        )
        if missing
    ]


def _falling(bits: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest values that never rise from better to worse; neighbours that would are averaged by their counts."""
    blocks: list[list[float]] = []
    for value, count in zip(bits.tolist(), counts.tolist(), strict=True):
        blocks.append([value, count, 1])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            value_b, count_b, size_b = blocks.pop()
            value_a, count_a, size_a = blocks.pop()
            whole = count_a + count_b
            blocks.append([(value_a * count_a + value_b * count_b) / whole, whole, size_a + size_b])
    return np.array([value for value, _, size in blocks for _ in range(int(size))])


def weights_of(
    model: MatchModel, u: Sequence[NDArray[np.float64]], bits: Sequence[NDArray[np.float64]], prior: float
) -> dict[str, Any]:
    """Prior, m and u of the weights document. u stays what was sampled, m is what gives the weight."""
    comparisons: dict[str, dict[str, dict[str, float]]] = {}
    for comparison, shares, weights in zip(model.comparisons, u, bits, strict=True):
        levels = {}
        # Rounded first: a limit may have more digits than weights are written with.
        written = np.clip(weights.round(2), comparison.worst, comparison.best).tolist()
        for level, u, weight in zip(comparison.levels, shares.tolist(), written, strict=True):
            m = float(f"{min(u * 2.0**weight, 1.0):.6g}")
            levels[level.label] = {"m": m, "u": m / 2.0**weight}
        comparisons[comparison.name] = levels
    return {"prior": round(prior, 2), "comparisons": comparisons}
