"""Measures of governance against what they must reach. Pure: what was counted comes from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

#: Every measure, and what its share is of.
TITLES: Mapping[str, str] = {
    "owned": "Attributes and facts with an authority and two owners",
    "contracted": "Source tables with an active data contract",
    "accounted": "Messages with exactly one outcome",
    "audited": "Audit rows whose chain holds",
    "accepted": "Rows of master data accepted as they came",
    "complete": "What says who or what a golden record is, stated",
    "valid": "Customer numbers with a checksum whose checksum is right",
    "fresh": "Changes of the last day that were golden as soon as their tier asks",
    "mended": "Refused messages of the last 90 days dealt with in time, or not due yet",
    "answered": "Questions of the last 90 days answered within their deadline",
    "agreeing": "Contracts, invoices, entitlements and usage without an error of reconciliation",
    "moving": "Orders, subscriptions and invoices that do not stand still",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a measure must reach, whose move it is when it does not, and what to do."""

    least: float
    owner: str
    action: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of how many are as they should be."""

    good: int
    of: int


@dataclass(frozen=True, slots=True)
class Score:
    """A measure. `value` is None where there was nothing to measure, which fails nothing."""

    name: str
    title: str
    value: float | None
    of: int
    least: float
    owner: str
    action: str

    @property
    def passed(self) -> bool:
        return self.value is None or self.value >= self.least


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All measures, and the mean of those that could be measured."""

    version: str
    scores: Sequence[Score]

    @property
    def mean(self) -> float | None:
        values = [each.value for each in self.scores if each.value is not None]
        return sum(values) / len(values) if values else None

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.scores)


def score(
    version: str, thresholds: Mapping[str, Threshold], counted: Mapping[str, Counted], least: float = 0.0
) -> Scorecard:
    """The scorecard; no measure passes below `least`, whatever its own threshold is."""
    return Scorecard(
        version,
        [
            Score(
                name, TITLES[name], _share(counted[name]), counted[name].of, max(threshold.least, least),
                threshold.owner, threshold.action,
            )
            for name, threshold in thresholds.items()
        ],
    )  # fmt: skip


def stricter(card: Scorecard, least: float) -> Scorecard:
    """The same measures, of which none passes below `least`, from 0 to 1, whatever its own threshold is."""
    return replace(card, scores=[replace(each, least=max(each.least, least)) for each in card.scores])


def _share(counted: Counted) -> float | None:
    # Exact until the end, so that 95 of 100 reach 0.95.
    return float(Fraction(max(counted.good, 0), counted.of)) if counted.of else None
