"""Is a trained model about the same thing as the one it came from?

Without labels nothing tells training what a match is: it finds the two sorts of pairs that differ most. In a small
store of products those are families (of one name, whatever the edition) and the rest, not one product and two. Whether
the new weights are better cannot be seen without the truth; that they are about something else can, beside weights for
the same comparisons that are known to be about identity. What follows from it is left to the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from matching.documents import comparisons_fingerprint, read_profile
from matching.features import Features, derive_once
from matching.model import MatchModel
from matching.scoring import Scores, score_features

if TYPE_CHECKING:
    from matching.training.estimate import PairSet

#: A larger share of either model's matches than this is no improvement any more. The weights that ship leave less than
#: 4 % of the true pairs apart in the small generated world and join hardly a wrong one, so what differs from them in a
#: tenth is wrong itself, or its records are of another sort and somebody has to look. Measured without labels on
#: generated worlds: customers and contracts, which came out right, differed in 0.9 to 2.5 % of the matches; products,
#: which became families, in 17 % (small) and 36 % (medium).
LARGE = 0.1
#: Fewer pairs than this are no large disagreement, whatever their share: a handful of records says nothing of weights.
LEAST = 20
#: A level has turned when it says the opposite by more than a bit, a factor of two in the odds, and was met by `LEAST`
#: pairs. That is told and decides nothing: of evidence that depends on other evidence (phone, web and address of one
#: company) training without labels turns some in models that are right.
_TURNED_BITS = 1.0


@dataclass(frozen=True, slots=True)
class Turned:
    """A level that speaks for identity in one model and not, or against it, in the other; weights in bits."""

    comparison: str
    level: str
    before: float
    now: float
    #: Candidate pairs of this level.
    pairs: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two models of the same comparisons make of the same candidate pairs: how many of these `pairs` each holds to
    match (weight at the threshold or above, no veto against it), and how many one of them alone.

    `model` is the fingerprint of the earlier one.
    """

    model: str
    pairs: int
    held_before: int
    held_now: int
    no_longer: int
    newly: int
    turned: tuple[Turned, ...]

    @property
    def large(self) -> bool:
        """Whether the two are about different things: see `LARGE` and `LEAST`."""
        lost = self.no_longer >= LEAST and self.no_longer > LARGE * self.held_before
        return lost or (self.newly >= LEAST and self.newly > LARGE * self.held_now)

    @property
    def words(self) -> str:
        """Two sentences for people: how many pairs changed sides, and which levels turned."""
        said = (
            f"Of {self.pairs:,} candidate pairs the weights before ({self.model}) hold {self.held_before:,} to match, "
            f"the new ones {self.held_now:,}: {self.no_longer:,} no longer, {self.newly:,} newly."
        )
        if not self.turned:
            return said
        turned = "; ".join(
            f"{each.comparison}: {each.level} ({each.before:+.2f} before, {each.now:+.2f} now)" for each in self.turned
        )
        return f"{said} Said the opposite before: {turned}."

    def document(self) -> Mapping[str, Any]:
        """The same for a provenance: plain values."""
        return {**asdict(self), "turned": [asdict(each) for each in self.turned], "large": self.large}


def comparable(model: MatchModel | None, profile: str) -> MatchModel | None:
    """The model when its weights were made for the comparisons of this profile text, else None."""
    if model is None:
        return None
    wanted, held = (comparisons_fingerprint(read_profile(text)) for text in (profile, model.texts[0]))
    return model if wanted == held else None


def disagreement(
    before: MatchModel, now: MatchModel, records: Sequence[Mapping[str, Any]], pairs: "PairSet"
) -> Disagreement:
    """Hold two models of the same comparisons against each other over these pairs.

    Only weights are compared: both decide by the thresholds and vetoes of the new one.

    Args:
        records: those of `pairs` in comparison form; which words are common is not the same for both models.
    """
    earlier = replace(before, thresholds=now.thresholds, vetoes=now.vetoes, kinds=now.kinds)
    theirs = _scores(earlier, _derived(earlier, now, records, pairs.records), pairs)
    ours = _scores(now, pairs.records, pairs)
    was, is_now = _held(earlier, theirs), _held(now, ours)
    return Disagreement(
        before.fingerprint,
        len(pairs),
        int(was.sum()),
        int(is_now.sum()),
        int((was & ~is_now).sum()),
        int((is_now & ~was).sum()),
        tuple(_turned(earlier, now, ours)),
    )


def _derived(
    before: MatchModel, now: MatchModel, records: Sequence[Mapping[str, Any]], derived: Sequence[Features]
) -> Sequence[Features]:
    if before.common_tokens == now.common_tokens:
        return derived
    return [derive_once(before.domain, record, before.common_tokens) for record in records]


def _scores(model: MatchModel, records: Sequence[Features], pairs: "PairSet") -> Scores:
    return score_features(model, records, pairs.left, pairs.right)


def _held(model: MatchModel, scores: Scores) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = (scores.weight >= model.thresholds.match) & (scores.parting < 0)
    return held


def _turned(before: MatchModel, now: MatchModel, scores: Scores) -> list[Turned]:
    """In the order of the profile. Within a comparison no order can turn: weights fall from better to worse levels."""
    found = []
    for number, (earlier, later) in enumerate(zip(before.comparisons, now.comparisons, strict=True)):
        met = np.bincount(scores.levels[:, number], minlength=len(later.levels) + 1)
        for place, (old, new) in enumerate(zip(earlier.levels, later.levels, strict=True), start=1):
            opposite = min(old.weight, new.weight) <= 0 <= max(old.weight, new.weight)
            if opposite and abs(old.weight - new.weight) > _TURNED_BITS and met[place] >= LEAST:
                found.append(Turned(later.name, new.label, round(old.weight, 2), round(new.weight, 2), int(met[place])))
    return found
