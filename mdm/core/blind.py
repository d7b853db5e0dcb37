"""What blind answers tell: agreement between people, and how right the matching is, with intervals. Pure.

A pair counts once two people said the same of it; where two differ, a third one decides. Precision is the share of
joined pairs that are one. Recall sets the true ones among the joined against all true ones, strata by their size: those
asked about, below the threshold, and in no block together. Intervals are of 95 %: Wilson's for a share, and for sums of
strata and their ratio the method of recovering variances from the limits of the parts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from mdm.model.blind import BlindVerdict, Judged, Stratum

#: Two people say what they think, and a third one where these differ.
FIRST, MOST = 2, 3
_Z: Final = 1.959964
_MISSED: Final = (Stratum.ASKED, Stratum.NEAR, Stratum.UNMET, Stratum.FAR)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its limits; None where nothing was judged. `of` is how many pairs it rests on."""

    value: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the first two answers to each pair agree: the share, and Cohen's kappa beyond what chance would give."""

    share: float | None
    kappa: float | None
    of: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a domain, or of the pairs that a platform has a record in.

    `auto_recall` is the share of true pairs that are joined; `recall` counts those as found that wait for a steward.
    """

    precision: Estimate
    auto_recall: Estimate
    recall: Estimate


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a sample tells so far."""

    whole: Figures
    by_source: Mapping[str, Figures]
    agreement: Agreement
    by_pair_of_people: Mapping[tuple[str, str], Agreement]
    undecided: int
    waiting: int


def wanted(answers: Sequence[tuple[str, BlindVerdict]]) -> bool:
    """Whether another person should say what they think of a pair."""
    said = [verdict for _, verdict in answers]
    return len(said) < FIRST or (len(said) < MOST and len(set(said)) == len(said))


def outcome(answers: Sequence[tuple[str, BlindVerdict]]) -> bool | None:
    """Whether the two are one: what most say, once nobody else is asked; None where that is open, or nobody is sure."""
    if wanted(answers):
        return None
    said = Counter(verdict for _, verdict in answers)
    verdict, times = said.most_common(1)[0]
    if times < FIRST or verdict is BlindVerdict.UNSURE:
        return None
    return verdict is BlindVerdict.SAME


def report(sizes: Mapping[Stratum, float], judged: Sequence[Judged]) -> Report:
    """What these answers tell of a domain whose strata are so large."""
    sources = sorted({system for each in judged for system in each.systems})
    waiting = sum(wanted(each.answers) for each in judged)
    decided = sum(outcome(each.answers) is not None for each in judged)
    people: dict[tuple[str, str], list[Judged]] = {}
    for each in judged:
        if len(each.answers) >= FIRST:
            first, second = sorted(person for person, _ in each.answers[:FIRST])
            people.setdefault((first, second), []).append(each)
    return Report(
        whole=_figures(sizes, judged, None),
        by_source={source: _figures(sizes, judged, source) for source in sources},
        agreement=agreement(judged),
        by_pair_of_people={pair: agreement(some) for pair, some in sorted(people.items())},
        undecided=len(judged) - waiting - decided,
        waiting=waiting,
    )


def agreement(judged: Iterable[Judged]) -> Agreement:
    """How far the first two answers agree."""
    pairs = [(each.answers[0][1], each.answers[1][1]) for each in judged if len(each.answers) >= FIRST]
    if not pairs:
        return Agreement(None, None, 0)
    number = len(pairs)
    same = sum(one is other for one, other in pairs) / number
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[each] * others[each] for each in BlindVerdict) / number**2
    return Agreement(same, None if chance == 1 else (same - chance) / (1 - chance), number)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The limits of a share."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle = share + _Z**2 / (2 * of)
    around = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    scale = 1 + _Z**2 / of
    return max(0.0, (middle - around) / scale), min(1.0, (middle + around) / scale)


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many pairs there are, with limits."""

    value: float
    low: float
    high: float

    def __add__(self, other: "_Sum") -> "_Sum":
        value = self.value + other.value
        return _Sum(
            value,
            max(0.0, value - sqrt((self.value - self.low) ** 2 + (other.value - other.low) ** 2)),
            value + sqrt((self.high - self.value) ** 2 + (other.high - other.value) ** 2),
        )


def _figures(sizes: Mapping[Stratum, float], judged: Sequence[Judged], source: str | None) -> Figures:
    """Figures of the pairs that the source has a record in; of all without one."""
    known = [(each, outcome(each.answers)) for each in judged]
    of: Counter[Stratum] = Counter(each.stratum for each, same in known if same is not None)
    mine = [(each.stratum, same) for each, same in known if same is not None and _of(each, source)]
    true: Counter[Stratum] = Counter(stratum for stratum, same in mine if same)
    joined = sum(stratum is Stratum.JOINED for stratum, _ in mine)
    low, high = wilson(true[Stratum.JOINED], joined)
    precision = Estimate(true[Stratum.JOINED] / joined, low, high, joined) if joined else Estimate(None, None, None, 0)
    sums = {stratum: _true_pairs(sizes.get(stratum, 0.0), true[stratum], of[stratum]) for stratum in Stratum}
    missed = sum((sums[stratum] for stratum in _MISSED), _Sum(0.0, 0.0, 0.0))
    beyond = sum((sums[stratum] for stratum in _MISSED[1:]), _Sum(0.0, 0.0, 0.0))
    enough = bool(joined) and all(of[each] for each in _MISSED if sizes.get(each))
    return Figures(
        precision,
        _share(sums[Stratum.JOINED], missed, len(mine) if enough else 0),
        _share(sums[Stratum.JOINED] + sums[Stratum.ASKED], beyond, len(mine) if enough else 0),
    )


def _of(each: Judged, source: str | None) -> bool:
    return source is None or source in each.systems


def _true_pairs(size: float, true: int, of: int) -> _Sum:
    if not size:
        return _Sum(0.0, 0.0, 0.0)
    low, high = wilson(true, of)
    return _Sum(size * true / of if of else 0.0, size * low, size * high)


def _share(found: _Sum, missed: _Sum, of: int) -> Estimate:
    """The found of all, at worst with most missed and fewest found. None where a stratum has no answer yet."""
    if not of or not found.value + missed.value:
        return Estimate(None, None, None, 0)
    return Estimate(
        found.value / (found.value + missed.value),
        found.low / (found.low + missed.high) if found.low + missed.high else 0.0,
        found.high / (found.high + missed.low) if found.high + missed.low else 1.0,
        of,
    )


def figures(told: Report) -> list[tuple[str, str, str, float]]:
    """Everything that is known as (platform, measure, bound, share); the whole domain has no platform."""
    all_of = [
        (source, measure, bound, getattr(getattr(each, measure), bound))
        for source, each in (("", told.whole), *told.by_source.items())
        for measure in ("precision", "auto_recall", "recall")
        for bound in ("value", "low", "high")
    ]
    all_of += [("", "agreement", "value", told.agreement.share), ("", "kappa", "value", told.agreement.kappa)]
    return [each for each in all_of if each[3] is not None]
