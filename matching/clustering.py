"""From scored pairs to entities: strongest pair first, never past a contradiction.

The result is a function of the records and their edges alone. Order of arrival cannot matter: edges are taken by weight
with ties broken by the records' own names, and every condition for joining is judged inside this one process. Because
joining happens along matches only, a set of records closed under matches and judgements can be clustered by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from matching.bounding import within
from matching.decision import Decision, keeps_apart
from matching.features import derive
from matching.merging import (
    JUDGED,
    LITTLE_SUPPORT,
    TOO_MANY,
    UNIT,
    VETOED,
    WEAK_JOIN,
    Match,
    Merged,
    Refused,
    limits_of,
    linked_sets,
    merge,
    strongest_first,
)
from matching.model import MatchModel
from matching.support import pair_weights
from matching.validity import facts_of

Pair: TypeAlias = frozenset[int]


class Edge(NamedTuple):
    """A scored pair of records worth keeping: a match or a possible match. Direction has no meaning."""

    a: int
    b: int
    weight: float
    decision: Decision
    veto: str | None = None


class Refusal(NamedTuple):
    """A match that was not followed, and why: a question for a person.

    `rival` is a record of what one of the two fits as well, where that is the reason.
    """

    a: int
    b: int
    weight: float
    reason: str
    rival: int | None = None


class Step(NamedTuple):
    """Two groups became one along this pair. `weight` is None when a steward said so."""

    a: int
    b: int
    weight: float | None


@dataclass(frozen=True, slots=True)
class Clustering:
    """`groups` covers every node once. `refused` has the strongest refused match of each pair of groups.

    `steps` says how the groups grew, in order.
    """

    groups: tuple[frozenset[int], ...]
    refused: tuple[Refusal, ...]
    steps: tuple[Step, ...] = ()


__all__ = ["LITTLE_SUPPORT", "TOO_MANY", "WEAK_JOIN", "Clustering", "Edge", "Pair", "Refusal", "Step", "cluster"]


def cluster(
    model: MatchModel,
    nodes: Mapping[int, Mapping[str, Any]],
    edges: Sequence[Edge],
    same: Set[Pair],
    not_same: Set[Pair],
) -> Clustering:
    """Group `nodes` by their edges and the verdicts of stewards, which outrank every edge.

    Edges and verdicts about records that are not among the nodes are ignored. Between two contradicting verdicts
    "not the same" wins, because parting is the mistake that is easier to undo. A verdict adds or takes exactly what it
    says: two groups that a steward calls the same become one whole, and fall into the same two groups without it.
    """
    named = sorted(nodes, key=lambda node: _name(nodes[node]))
    rank = {node: number for number, node in enumerate(named)}
    inside = [edge for edge in edges if edge.a in rank and edge.b in rank]
    # What is only asked about, whatever it weighs, supports nothing.
    enough = [edge for edge in inside if edge.weight >= model.thresholds.possible]
    parted = {veto.name for veto, apart in zip(model.vetoes, keeps_apart(model), strict=False) if apart}
    kept = {
        _ordered(rank[edge.a], rank[edge.b]): VETOED if edge.veto in parted else round(edge.weight * UNIT)
        for edge in enough
    }
    verdicts = [tuple(pair) for pair in same if len(pair) == 2 and pair <= rank.keys()]
    linked = [edge for edge in inside if edge.decision is Decision.MATCH]
    together = [_ordered(rank[a], rank[b]) for a, b in verdicts]
    matches, lost = within([_match(edge, rank) for edge in linked], together, model.reach_cap)
    apart = [_ordered(*(rank[node] for node in pair)) for pair in not_same if len(pair) == 2 and pair <= rank.keys()]
    sets = linked_sets(strongest_first(matches), together)
    refused = [Refused(match, TOO_MANY) for match in lost]
    found = _merged(model, {rank[node]: nodes[node] for node in nodes}, kept, sets, together, apart)
    groups = [group for each in found for group in each.groups]
    joined = {node for group in groups for node in group}
    groups += [[node] for node in rank.values() if node not in joined]
    return Clustering(
        tuple(frozenset(named[node] for node in group) for group in sorted(groups)),
        tuple(_refusals([*refused, *(item for each in found for item in each.refused)], groups, named)),
        tuple(_steps(found, named)),
    )


def _match(edge: Edge, rank: Mapping[int, int]) -> Match:
    return Match(round(edge.weight * UNIT), *_ordered(rank[edge.a], rank[edge.b]))


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _merged(
    model: MatchModel,
    comparisons: Mapping[int, Mapping[str, Any]],
    kept: Mapping[tuple[int, int], int],
    sets: Sequence[tuple[list[int], list[Match]]],
    same: Iterable[tuple[int, int]],
    apart: Iterable[tuple[int, int]],
) -> list[Merged]:
    """What becomes of each connected set."""
    features = {
        node: derive(model.domain, comparisons[node], model.common_tokens) for members, _ in sets for node in members
    }
    home = {node: number for number, (members, _) in enumerate(sets) for node in members}
    weights = _by_set(pair_weights(model, features, kept, [members for members, _ in sets]), home)
    held, parted = (_by_set(dict.fromkeys(verdicts, 0), home) for verdicts in (same, apart))
    facts = {node: facts_of(model.cannot_link, columns) for node, columns in features.items()}
    limits = limits_of(model.thresholds)
    return [
        merge(limits, members, matches, weights[number], facts, held[number].keys(), parted[number].keys())
        for number, (members, matches) in enumerate(sets)
    ]


def _by_set(
    pairs: Mapping[tuple[int, int], int], home: Mapping[int, int]
) -> defaultdict[int, dict[tuple[int, int], int]]:
    """Pairs of records of one connected set, by set."""
    found: defaultdict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for (a, b), value in pairs.items():
        if a in home and home[a] == home.get(b):
            found[home[a]][a, b] = value
    return found


def _refusals(refused: Iterable[Refused], groups: Sequence[Sequence[int]], named: Sequence[int]) -> Iterable[Refusal]:
    """The strongest refusal between each two groups that are apart at the end, without those judged already."""
    home = {node: number for number, group in enumerate(groups) for node in group}
    seen: set[Pair] = set()
    for match, reason, rival in sorted(refused, key=lambda each: (-each.match.weight, each.match.a, each.match.b)):
        ends = frozenset((home[match.a], home[match.b]))
        if reason != JUDGED and len(ends) == 2 and ends not in seen:
            seen.add(ends)
            third = None if rival is None else named[rival]
            yield Refusal(named[match.a], named[match.b], match.weight / UNIT, reason, third)


def _steps(found: Iterable[Merged], named: Sequence[int]) -> Iterable[Step]:
    """Verdicts come first, then matches as they rank."""
    steps = [step for each in found for step in each.steps]
    ranked = sorted(steps, key=lambda step: (step.weight is not None, -(step.weight or 0), step.a, step.b))
    for a, b, weight in ranked:
        yield Step(named[a], named[b], None if weight is None else weight / UNIT)


def _name(comparison: Mapping[str, Any]) -> tuple[str, ...]:
    """What a record is called wherever it is stored; the tie-break that arrival cannot influence."""
    name = comparison.get("self")
    return (name,) if isinstance(name, str) else tuple(name or (repr(sorted(comparison.items())),))
