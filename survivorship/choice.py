"""One attribute, several candidates, one winner: criteria in turn, and a total order where they leave a tie."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from survivorship.candidates import Candidate
from survivorship.criteria import CRITERIA, states, support, trust_in_bands
from survivorship.rules import Criterion, Rule

_order = itemgetter(Candidate._fields.index("order"))


class Choice(NamedTuple):
    """The winner, the criterion that decided, and the losers, the closest first, with the criterion each lost by."""

    winner: Candidate
    rule: str
    losers: tuple[tuple[Candidate, str], ...]


def choose(rule: Rule, candidates: Sequence[Candidate]) -> Choice:
    """The best candidate by the rule. The same set gives the same choice, in whatever order it comes.

    Args:
        rule: its `prefer` and `rank` are applied; `only` is the caller's affair.
        candidates: at least one, with distinct `order`.
    """
    if len(candidates) == 1:
        return Choice(candidates[0], "only_value", ())
    values = [candidate.value for candidate in candidates]
    if values.count(values[0]) == len(values):
        # Nothing to decide: the most trusted of those who say it is quoted.
        winner, *others = sorted(candidates, key=_order)
        return Choice(winner, "same_value", tuple((other, "same_value") for other in others))
    return _contest(rule, candidates)


def _contest(rule: Rule, candidates: Sequence[Candidate]) -> Choice:
    remaining = list(candidates)
    out: list[list[tuple[Candidate, str]]] = []
    if rule.prefer:
        grades = [candidate.member.meets(rule.prefer) for candidate in remaining]
        remaining = _keep_best(remaining, grades, "prefer", out)
    for criterion in rule.rank:
        if len(remaining) == 1:
            break
        remaining = _keep_best(remaining, _grades(criterion, candidates, remaining), criterion.name, out)
    remaining.sort(key=_order)
    winner = remaining[0]
    if len(remaining) > 1:
        out.append([(loser, _lost_tie_by(winner, loser)) for loser in remaining[1:]])
    losers = [
        (loser, "same_value" if loser.value == winner.value else lost_by)
        for stage in reversed(out)
        for loser, lost_by in stage
    ]
    decisive = next((lost_by for _, lost_by in losers if lost_by != "same_value"), "same_value")
    return Choice(winner, decisive, tuple(losers))


def sort_best_first(rule: Rule, candidates: Sequence[Candidate]) -> list[Candidate]:
    """All candidates from the best to the worst by the rule; the same set gives the same order."""
    ordered = sorted(candidates, key=_order)
    if len(ordered) == 1:
        return ordered
    # Sorting is stable, so sorting by the last criterion first leaves the first one in command.
    for criterion in reversed(rule.rank):
        grades = dict(zip(map(id, ordered), _grades(criterion, ordered, ordered), strict=True))
        ordered.sort(key=lambda candidate: grades[id(candidate)], reverse=True)
    if rule.prefer:
        ordered.sort(key=lambda candidate: not candidate.member.meets(rule.prefer))
    return ordered


def _grades(criterion: Criterion, everybody: Sequence[Candidate], remaining: Sequence[Candidate]) -> Sequence[Any]:
    match criterion.name:
        case "trust" if criterion.band is not None:
            return trust_in_bands(remaining, criterion.band)
        case "states":
            return states(remaining, criterion.by[0])
        case "best_supported":
            grades = support(everybody, criterion.by)
        case "most_frequent":
            grades = CRITERIA["most_frequent"](everybody)
        case name:
            return CRITERIA[name](remaining)
    # Who is out of the race still has a voice in how well a value is supported.
    voices = dict(zip(map(_order, everybody), grades, strict=True))
    return [voices[candidate.order] for candidate in remaining]


def _keep_best(
    remaining: Sequence[Candidate], grades: Sequence[Any], criterion: str, out: list[list[tuple[Candidate, str]]]
) -> list[Candidate]:
    best = max(grades)
    kept = [candidate for candidate, grade in zip(remaining, grades, strict=True) if grade == best]
    if len(kept) < len(remaining):
        lost = [candidate for candidate, grade in zip(remaining, grades, strict=True) if grade != best]
        lost.sort(key=_order)
        out.append([(candidate, criterion) for candidate in lost])
    return kept


def _lost_tie_by(winner: Candidate, loser: Candidate) -> str:
    if loser.order[0] != winner.order[0]:
        return "trust"
    came, went = winner.member.record.provenance, loser.member.record.provenance
    if came.event_time != went.event_time:
        return "most_recent"
    return "latest_position" if came.position != went.position else "key_order"
