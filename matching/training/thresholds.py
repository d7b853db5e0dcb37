"""The threshold of a match, chosen from labels.

Weights are right when what they promise is so; from where on two records should be joined is another question, which
clustering has a say in: rivals, support and vetoes keep apart what a threshold alone would join, so the best one is
often lower than even odds, and where names are generic it is higher. Every labelled entity is in one of three parts.
Weights learned from two parts resolve all records at every threshold that is tried, and what becomes of the entities of
the third counts: these they have not seen, and all namesakes are there. The weights of the model are learned from all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import yaml

from matching.assessment import entities_at
from matching.evaluation import PairCounts, Quality, evaluate_part
from matching.model import MatchModel, Thresholds
from matching.profile_check import span_of
from matching.training.stores import Store
from mdm.errors import ConfigurationInvalid, OperatorError

#: Bits.
TRIED = (-8.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
PARTS = 3
#: Fewer matching pairs do not tell thresholds apart: with 46 to 57 of them three public sets gained .009 of F1 and lost
#: .008 and .08.
LEAST_MATCHES = 100
#: Shares that differ by less are equal: then the threshold nearest to the profile's is taken.
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Aim:
    """What a threshold is to reach: at least this precision of joined pairs, with the most recall; None: the best
    B-cubed F1, which one large entity cannot decide alone."""

    precision: float | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What a threshold (bits) gave over all parts: pairs after clustering, counted once for each of their records, and
    the B-cubed F1, weighed by records."""

    threshold: float
    pairs: PairCounts
    b_cubed: float

    def document(self) -> dict[str, float]:
        """For provenance: shares rounded to four digits."""
        shares = self.pairs.quality
        found = {"precision": shares.precision, "recall": shares.recall, "f1": shares.f1, "b_cubed_f1": self.b_cubed}
        return {"match": self.threshold, **{name: round(share, 4) for name, share in found.items()}}


@dataclass(frozen=True, slots=True)
class Choice:
    """The threshold that was chosen, beside the profile's own."""

    aim: Aim
    chosen: Tried
    own: Tried

    @property
    def words(self) -> str:
        """Two sentences for a person."""
        told = [
            f"{at.threshold:g} bits: precision {at.pairs.quality.precision:.4f}, recall {at.pairs.quality.recall:.4f}"
            for at in (self.chosen, self.own)
        ]
        if self.chosen.threshold == self.own.threshold:
            return (
                f"The profile's threshold is the one to keep. Over {PARTS} parts of the labels it gave, from {told[0]}."
            )
        return (
            f"`match` is {self.chosen.threshold:g} instead of {self.own.threshold:g} bits. Over {PARTS} parts of the "
            f"labels, each by weights learned from the others: from {told[0]}; from {told[1]}."
        )

    def document(self) -> dict[str, Any]:
        """For provenance."""
        aim = "best" if self.aim.precision is None else self.aim.precision
        return {"aim": aim, "parts": PARTS, "chosen": self.chosen.document(), "own": self.own.document()}


def choose(
    learned: Callable[[Sequence[Store]], MatchModel],
    stores: Sequence[Store],
    aim: Aim,
    whole: MatchModel,
    matches: int,
) -> Choice:
    """The threshold that reaches an aim.

    Args:
        learned: weights from labelled stores; where their thresholds lie does not matter.
        whole: the model learned from all of the stores. The threshold lies within what its pairs weigh, and is at most
            its `sure`.
        matches: labelled pairs that match and are compared.

    Raises:
        OperatorError: there are too few labels in a part, or no threshold is as precise.
    """
    if matches < LEAST_MATCHES:
        raise OperatorError(
            f"The labels are too few to choose a threshold: {matches} compared pairs match.",
            action=f"Leave out --aim, or give labels of {LEAST_MATCHES} matching pairs and more.",
        )
    own = whole.thresholds.match
    least, most = span_of(whole)
    if whole.thresholds.sure is not None:
        most = min(most, whole.thresholds.sure)
    possible = [threshold for threshold in TRIED if least < threshold <= most]
    found = _tried(learned, stores, sorted({*possible, own}))
    within = [tried for tried in found if tried.threshold in possible or least < own == tried.threshold <= most]
    if not within:
        raise OperatorError(
            f"No threshold that is tried lies between the least and the most that a pair weighs ({least:.1f} and "
            f"{most:.1f} bits).",
            action="Leave out --aim, and set `match` between the two in the profile.",
        )
    best = _best(within, aim, own)
    return Choice(aim, best, next(tried for tried in found if tried.threshold == own))


def _best(found: Sequence[Tried], aim: Aim, own: float) -> Tried:
    if aim.precision is None:
        top = max(tried.b_cubed for tried in found)
        return min(
            (tried for tried in found if tried.b_cubed >= top - _ALIKE), key=lambda tried: abs(tried.threshold - own)
        )
    # From the highest down: below the first that is not as precise it would be chance.
    reached: Tried | None = None
    for tried in reversed(found):
        if tried.pairs.quality.precision < aim.precision:
            break
        reached = tried
    if reached is not None:
        alike = [tried for tried in found if tried.pairs == reached.pairs]
        return min(alike, key=lambda tried: abs(tried.threshold - own))
    most, at = max((tried.pairs.quality.precision, tried.threshold) for tried in found)
    raise OperatorError(
        f"No threshold is as precise as {aim.precision:g}, and all that are above it: the most is {most:.4f}, from "
        f"{at:g} bits on.",
        action="Give a lower --aim, more labels, or a profile that tells more apart.",
    )


def _tried(
    learned: Callable[[Sequence[Store]], MatchModel], stores: Sequence[Store], thresholds: Sequence[float]
) -> list[Tried]:
    counted: dict[float, list[tuple[PairCounts, Quality, int]]] = {threshold: [] for threshold in thresholds}
    for part in range(PARTS):
        try:
            model = learned([left for number, store in enumerate(stores) if (left := _without(store, number, part))])
        except OperatorError as error:
            raise OperatorError(
                f"The labels are too few to choose a threshold. In two of {PARTS} parts of them: {error}",
                action="Leave out --aim, or give more labels.",
            ) from error
        for number, store in enumerate(stores):
            truth = dict(enumerate(store.entities))
            mine = {entity for entity in store.entities if _part_of(number, entity) == part}
            records = sum(entity in mine for entity in store.entities)
            for threshold, found in entities_at(model, store.comparisons, store.entities, thresholds):
                counted[threshold].append((*evaluate_part(found, truth, mine), records))
    return [_together(threshold, found) for threshold, found in sorted(counted.items())]


def _part_of(number: int, entity: str) -> int:
    return crc32(f"{number}:{entity}".encode()) % PARTS


def _without(store: Store, number: int, part: int) -> Store | None:
    """A store without the entities of a part."""
    places = [place for place, entity in enumerate(store.entities) if _part_of(number, entity) != part]
    if not places:
        return None
    return Store([store.comparisons[place] for place in places], [store.entities[place] for place in places])


def _together(threshold: float, found: Sequence[tuple[PairCounts, Quality, int]]) -> Tried:
    pairs = PairCounts(
        sum(each.true_positives for each, _, _ in found),
        sum(each.false_positives for each, _, _ in found),
        sum(each.false_negatives for each, _, _ in found),
    )
    records = sum(number for _, _, number in found)
    return Tried(threshold, pairs, sum(cubed.f1 * number for _, cubed, number in found) / max(records, 1))


def with_threshold(profile: str, limits: Thresholds, match: float) -> str:
    """The profile text with another threshold of a match, everything else as it stands; people are asked from it on at
    the latest.

    Raises:
        ConfigurationInvalid: the thresholds are not where they can be changed (an alias).
    """
    changes = {"match": match}
    if match < limits.possible:
        changes["possible"] = match
    places, text = _numbers(profile), profile
    for name in sorted(changes, key=lambda name: places.get(name, (0, 0)), reverse=True):
        start, end = places.get(name, (0, 0))
        text = text[:start] + f"{changes[name]:g}" + text[end:]
    said: Mapping[str, Any] = yaml.safe_load(text)
    if not changes.keys() <= places.keys() or {**said, "thresholds": None} != {
        **yaml.safe_load(profile),
        "thresholds": None,
    }:
        raise ConfigurationInvalid(
            "The profile does not say its thresholds where they can be changed.",
            action="Write `match` and `possible` as numbers below `thresholds`, without an alias.",
        )
    return text


def _numbers(profile: str) -> dict[str, tuple[int, int]]:
    """Where the numbers below `thresholds` stand in the text."""
    root = yaml.compose(profile, yaml.SafeLoader)
    found: dict[str, tuple[int, int]] = {}
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "thresholds" and isinstance(value, yaml.MappingNode):
            for name, number in value.value:
                if isinstance(number, yaml.ScalarNode):
                    found[name.value] = number.start_mark.index, number.end_mark.index
    return found
