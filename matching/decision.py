"""From a match weight to a decision: join, ask a person, or leave apart."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from matching.model import MatchModel
from matching.vetoes import Effect, Veto


class Decision(StrEnum):
    """What becomes of a scored pair."""

    MATCH = "match"
    POSSIBLE = "possible"
    NONE = "none"


def parting(model: MatchModel) -> list[tuple[int, Veto]]:
    """The vetoes that part a pair or demote it, with their numbers."""
    return [(number, veto) for number, veto in enumerate(model.vetoes) if veto.effect is not Effect.ASK]


def asking(model: MatchModel) -> list[tuple[int, Veto]]:
    """Those that make a question of a pair, with their numbers."""
    return [(number, veto) for number, veto in enumerate(model.vetoes) if veto.effect is Effect.ASK]


def worth_deciding(model: MatchModel, weights: NDArray[np.float64], vetoes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which pairs are not apart for their weight alone; `vetoes` are numbers, -1 for none."""
    asked = np.isin(vetoes, [number for number, _ in asking(model)])
    return (weights >= model.thresholds.possible) | asked


def decide(model: MatchModel, weight: float, veto: str | None) -> Decision:
    """The decision for a weight in bits. A veto turns a match into a question, forbids the pair, or asks about it."""
    effect = None if veto is None else next(item.effect for item in model.vetoes if item.name == veto)
    if effect is not Effect.ASK and weight < model.thresholds.possible:
        return Decision.NONE
    if effect in (Effect.FORBID, Effect.REVIEW):
        return Decision.NONE if effect is Effect.FORBID else Decision.POSSIBLE
    return Decision.MATCH if weight >= model.thresholds.match else Decision.POSSIBLE
