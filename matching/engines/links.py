"""What an engine finds: scored pairs worth keeping, as arrays; and how pairs of a table are scored and decided."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.conditions import Columns
from matching.decision import worth_deciding
from matching.model import MatchModel
from matching.program import program_of
from matching.rows import rows_of
from matching.scoring import Scores, score_columns
from matching.vetoes import Effect

Progress = Callable[[str], None]

#: Pairs that one worker scores at a time.
CHUNK = 100_000
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of records by their place in the table, a < b, ascending; `weight` in bits to a millionth.

    `match` is False for a possible match. `veto` is the number of the model's veto that holds, or -1.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.float64]
    match: NDArray[np.bool_]
    veto: NDArray[np.int8]
    #: How many pairs were scored to find these.
    candidates: int

    def __len__(self) -> int:
        return len(self.a)

    def at(self, rows: NDArray[np.intp]) -> "Links":
        """Some of them."""
        return Links(self.a[rows], self.b[rows], self.weight[rows], self.match[rows], self.veto[rows], self.candidates)


def decided(model: MatchModel, a: NDArray[np.int64], b: NDArray[np.int64], scores: Scores) -> Links:
    """The links among scored pairs: `matching.decision.decide` for arrays."""
    effects = [veto.effect for veto in model.vetoes]
    forbidden = np.array([*(effect is Effect.FORBID for effect in effects), False])
    weight = scores.weight
    # Decided on the full weight, kept to a millionth of a bit: the order of a sum cannot break ties.
    keep = np.flatnonzero(worth_deciding(model, weight, scores.vetoes) & ~forbidden[scores.vetoes])
    veto = scores.vetoes[keep]
    match = (weight[keep] >= model.thresholds.match) & (veto < 0)
    return Links(a[keep], b[keep], weight[keep].round(_DIGITS), match, veto, len(a))


def links_among(model: MatchModel, columns: Columns, a: NDArray[np.int64], b: NDArray[np.int64]) -> Links:
    """Score these pairs and decide."""
    return decided(model, a, b, score_columns(model, columns, a, b))


def joined(parts: list[Links]) -> Links:
    """Links of consecutive ranges of pairs as one."""
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Links(none, none, np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.int8), 0)
    return Links(
        a=np.concatenate([part.a for part in parts]),
        b=np.concatenate([part.b for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        match=np.concatenate([part.match for part in parts]),
        veto=np.concatenate([part.veto for part in parts]),
        candidates=sum(part.candidates for part in parts),
    )


def score_links(
    model: MatchModel, columns: Columns, pairs: NDArray[np.int64], workers: int, progress: Progress = lambda _: None
) -> Links:
    """Score and decide packed pairs (a << 32 | b), on this many threads."""

    def work(start: int) -> Links:
        part = pairs[start : start + CHUNK]
        return links_among(model, columns, part >> 32, part & 0xFFFFFFFF)

    rows_of(program_of(model), columns)  # before there are several who would all encode them
    starts = range(0, len(pairs), CHUNK)
    parts: list[Links] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for number, part in enumerate(pool.map(work, starts), start=1):
            parts.append(part)
            if number % 20 == 0:
                progress(f"scored {min(number * CHUNK, len(pairs)):,} of {len(pairs):,} pairs")
    return joined(parts)
