"""What governing the data comes to, in figures of a period beside those of another one. Pure: what was kept comes from
outside. Each measure says what it is of, so that nobody reads a share of three as a trend.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

from mdm.core.worklist import due_at
from mdm.model.kpis import Kept


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `value` and `baseline` are None where there was nothing to measure; `of` is how many things were.

    `better` says which way is: `lower` or `higher`. `part` says of what it is where it is not of all: a platform, or
    what was closed with its kind and owner.
    """

    name: str
    title: str
    unit: str
    better: str
    value: float | None
    of: int
    baseline: float | None
    baseline_of: int
    part: str | None = None

    @property
    def change(self) -> float | None:
        """From the baseline to the value."""
        return None if self.value is None or self.baseline is None else self.value - self.baseline

    @property
    def improved(self) -> bool | None:
        """Whether it went the better way; None where it did not move or cannot be told."""
        if not self.change:
            return None
        return (self.change < 0) == (self.better == "lower")


_Figure = tuple[float | None, int]


def measures(kept: Kept, before: Kept) -> list[Measure]:
    """Every measure of a period, with that of the other one."""
    found, were = _figures(kept), _figures(before)
    return [
        Measure(name, title, unit, better, *found[name], *were[name])
        for name, title, unit, better in (
            ("close_days", "From the end of a month to its second signature", "days", "lower"),
            ("closes_in_time", "Months closed by the day they were due", "share", "higher"),
            ("deadlines_kept", "Questions answered within their deadline", "share", "higher"),
            ("hours_to_answer", "From a question to its answer, the middle one", "hours", "lower"),
            ("decisions", "Decisions of stewards", "decisions", "lower"),
            ("decisions_undone", "Decisions that were undone since", "share", "lower"),
            ("findings", "Disagreements between platforms on an average day", "findings", "lower"),
            ("hours_to_agree", "From a disagreement to the platforms agreeing, the middle one", "hours", "lower"),
            ("messages_refused", "Messages that could not be taken in", "share", "lower"),
            ("hours_to_resolve", "From a break to its end, the middle one", "hours", "lower"),
            ("touches_per_break", "What people did for each break", "touches", "lower"),
            ("o2c_trace_coverage", "Orders that can be followed to payment and posting", "share", "higher"),
            ("u2r_trace_coverage", "Use that can be followed to posted revenue", "share", "higher"),
        )
    ]


def parts(kept: Kept, before: Kept) -> list[Measure]:
    """Measures of single platforms, and of single kinds of breaks by owner: those of either period, most things first
    within one measure."""
    return [
        *_parts(
            "freshness_p50", "Half of the changes are golden within", "seconds", _fresh(kept, 0), _fresh(before, 0)
        ),
        *_parts("freshness_p99", "99 of 100 changes are golden within", "seconds", _fresh(kept, 1), _fresh(before, 1)),
        *_parts("hours_to_resolve", "From a break to its end, the middle one", "hours", _hours(kept), _hours(before)),
    ]


def _parts(
    name: str, title: str, unit: str, found: Mapping[str, "_Figure"], were: Mapping[str, "_Figure"]
) -> list[Measure]:
    absent: _Figure = (None, 0)
    names = sorted(found.keys() | were.keys(), key=lambda part: (-found.get(part, absent)[1], part))
    return [
        Measure(name, title, unit, "lower", *found.get(part, absent), *were.get(part, absent), part) for part in names
    ]


def _fresh(kept: Kept, place: int) -> dict[str, "_Figure"]:
    return {system: ((half, most)[place], changes) for system, (half, most, changes) in kept.fresh.items()}


def _hours(kept: Kept) -> dict[str, "_Figure"]:
    return {" · ".join(named): figure for named, figure in kept.resolved.items()}


def _figures(kept: Kept) -> dict[str, _Figure]:
    late = [closed_at > due_at(kind, opened_at) for kind, opened_at, closed_at in kept.answered]
    waits = [(closed_at - opened_at).total_seconds() / 3600 for _, opened_at, closed_at in kept.answered]
    ended = [(closed_at - first_seen).total_seconds() / 3600 for first_seen, closed_at in kept.ended]
    closes, answers, days = len(kept.closes), len(waits), len(kept.findings)
    return {
        "close_days": (fmean((each.signed - each.last).days for each in kept.closes) if closes else None, closes),
        "closes_in_time": _share(sum(each.signed <= each.due for each in kept.closes), closes),
        "deadlines_kept": _share(answers - sum(late), answers),
        "hours_to_answer": (median(waits) if waits else None, answers),
        "decisions": (float(kept.decisions), kept.decisions),
        "decisions_undone": _share(kept.undone, kept.decisions),
        "findings": (fmean(kept.findings) if days else None, days),
        "hours_to_agree": (median(ended) if ended else None, len(ended)),
        "messages_refused": _share(kept.refused, kept.messages),
        "hours_to_resolve": (kept.hours, kept.closed),
        "touches_per_break": (kept.touches / kept.breaks if kept.breaks else None, kept.breaks),
        "o2c_trace_coverage": _share(kept.orders_traced, kept.orders),
        "u2r_trace_coverage": _share(kept.usage_traced, kept.usage),
    }


def _share(part: int, whole: int) -> _Figure:
    return (part / whole if whole else None, whole)
