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


#: Of several vetoes of a pair the one that says more decides.
_ORDER = (Effect.FORBID, Effect.REVIEW, Effect.DOUBT)


def parting(model: MatchModel) -> list[tuple[int, Veto]]:
    """The vetoes that part a pair or demote it, with their numbers; those that say more come first."""
    found = [(number, veto) for number, veto in enumerate(model.vetoes) if veto.effect in _ORDER]
    return sorted(found, key=lambda each: _ORDER.index(each[1].effect))


def keeps_apart(model: MatchModel) -> NDArray[np.bool_]:
    """Whether each veto, by its number, keeps two records apart whatever a third says; the last is for pairs without
    one (number -1).
    """
    return np.array([*(veto.effect in (Effect.FORBID, Effect.REVIEW) for veto in model.vetoes), False])


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
    if effect in _ORDER:
        return Decision.NONE if effect is Effect.FORBID else Decision.POSSIBLE
    return Decision.MATCH if weight >= model.thresholds.match else Decision.POSSIBLE
