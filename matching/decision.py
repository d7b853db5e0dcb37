"""From a match weight to a decision: join, ask a person, or leave apart."""

from enum import StrEnum

from matching.model import Effect, MatchModel


class Decision(StrEnum):
    """What becomes of a scored pair."""

    MATCH = "match"
    POSSIBLE = "possible"
    NONE = "none"


def decide(model: MatchModel, weight: float, veto: str | None) -> Decision:
    """The decision for a weight in bits. A veto turns a match into a question, or forbids the pair."""
    if weight < model.thresholds.possible:
        return Decision.NONE
    if veto is not None:
        effect = next(item.effect for item in model.vetoes if item.name == veto)
        return Decision.NONE if effect is Effect.FORBID else Decision.POSSIBLE
    return Decision.MATCH if weight >= model.thresholds.match else Decision.POSSIBLE
