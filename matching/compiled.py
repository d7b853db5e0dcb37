"""Scoring with compiled code: the same weights, levels and vetoes as `matching.scoring.score_part`, several times as fast."""

from matching import kernels
from matching.conditions import Indices
from matching.kernels import Records
from matching.model import MatchModel
from matching.program import Program
from matching.rows import encode_rows  # noqa
from matching.scoring import Scores


def score_rows(model: MatchModel, program: Program, records: Records, left: Indices, right: Indices) -> Scores:
    """Score pairs in one pass."""
    thresholds = model.prior, model.thresholds.possible, model.thresholds.match
    levels, weight, parted, vetoes = kernels.judge(left, right, records, program.code, thresholds)
    return Scores(weight, levels.T, vetoes, parted, tuple(item.name for item in model.vetoes))
