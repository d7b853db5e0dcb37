"""From scored pairs to entities: strongest pair first, never past a contradiction.

The result is a function of the records and their edges alone. Order of arrival cannot matter: edges are taken by weight
with ties broken by the records' own names, and every condition for joining is judged inside this one process. Because
joining happens along matches only, a set of records closed under matches and judgements can be clustered by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import fsum
from typing import Any, NamedTuple, TypeAlias

from matching.bounding import within
from matching.decision import Decision
from matching.features import Features, derive
from matching.model import MatchModel
from matching.support import PairWeights, pair_weights
from matching.validity import Facts, contradiction, facts_of

Pair: TypeAlias = frozenset[int]


class Edge(NamedTuple):
    """A scored pair of records worth keeping: a match or a possible match. Direction has no meaning."""

    a: int
    b: int
    weight: float
    decision: Decision
    veto: str | None = None


class Refusal(NamedTuple):
    """A match that was not followed, and why: a question for a person."""

    a: int
    b: int
    weight: float
    reason: str


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


#: Reasons of refusals, beside those of `matching.validity`.
WEAK_JOIN = "weak join of two groups"
LITTLE_SUPPORT = "too little support in the group"
TOO_MANY = "too many records are linked with one another to join them all"

#: Reason of a refusal that a steward has answered already; it is no question any more.
_JUDGED = "judged not the same"


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
    names = {node: _name(comparison) for node, comparison in nodes.items()}
    verdicts = [sorted(pair, key=names.__getitem__) for pair in same if len(pair) == 2 and pair <= nodes.keys()]
    inside = [edge for edge in edges if edge.a in nodes and edge.b in nodes]
    linked = [edge for edge in inside if edge.decision is Decision.MATCH]
    matches, given_up = within(linked, [(a, b) for a, b in verdicts], model.reach_cap)
    joins = [(edge.a, edge.b) for edge in matches] + [(a, b) for a, b in verdicts]
    joined = {node for pair in joins for node in pair}
    features = {node: derive(model.domain, nodes[node], model.common_tokens) for node in joined}
    kept = {(edge.a, edge.b) if edge.a < edge.b else (edge.b, edge.a): edge.weight for edge in inside}
    weights = pair_weights(model, features, kept, joins)
    process = _Process(model, nodes, features, weights, {pair for pair in not_same if pair <= nodes.keys()})
    for a, b in sorted(verdicts, key=lambda pair: (names[pair[0]], names[pair[1]])):
        process.obey(a, b)
    refusals = [Refusal(edge.a, edge.b, edge.weight, TOO_MANY) for edge in given_up]
    for edge in sorted(matches, key=lambda edge: (-edge.weight, *sorted((names[edge.a], names[edge.b])))):
        reason = process.follow(edge)
        if reason is not None and reason != _JUDGED:
            refusals.append(Refusal(edge.a, edge.b, edge.weight, reason))
    return Clustering(process.groups(names), _strongest(refusals, process), tuple(process.steps))


class _Process:
    """The state of one greedy run: which group a node is in, and what each group knows.

    A whole is one or more groups that verdicts hold together. What contradicts or supports a join is asked of the
    groups, so that a verdict about two records never changes what evidence does with the others; what was judged apart
    is asked of the wholes, so that evidence never joins what verdicts part.
    """

    def __init__(
        self,
        model: MatchModel,
        nodes: Iterable[int],
        features: Mapping[int, Features],
        weights: PairWeights,
        not_same: Set[Pair],
    ) -> None:
        self._thresholds = model.thresholds
        self._weights = weights
        self._group = {node: node for node in nodes}
        self._members: dict[int, set[int]] = {node: {node} for node in self._group}
        # Only records that something joins have facts that matter.
        self._facts: dict[int, Facts] = {node: facts_of(model, columns) for node, columns in features.items()}
        self._whole = {node: node for node in self._group}
        self._united: dict[int, set[int]] = {node: {node} for node in self._group}
        self.steps: list[Step] = []
        self._apart: defaultdict[int, set[int]] = defaultdict(set)
        for a, b in not_same:
            self._apart[a].add(b)
            self._apart[b].add(a)

    def whole_of(self, node: int) -> int:
        return self._whole[node]

    def groups(self, names: Mapping[int, tuple[str, ...]]) -> tuple[frozenset[int], ...]:
        members = self._united.values()
        return tuple(
            frozenset(group) for group in sorted(members, key=lambda group: min(names[node] for node in group))
        )

    def obey(self, a: int, b: int) -> None:
        """Hold together what a steward called the same, unless another verdict parts the two wholes."""
        if not self._judged_apart(a, b):
            self._unite(a, b, None)

    def follow(self, edge: Edge) -> str | None:
        """Join along a match; the reason when that must not happen."""
        first, second = self._group[edge.a], self._group[edge.b]
        if first == second:
            return None
        if self._judged_apart(edge.a, edge.b):
            return _JUDGED
        reason = contradiction(self._facts[first], self._facts[second]) or self._too_little_support(first, second)
        if reason is None:
            self._join(first, second)
            self._unite(edge.a, edge.b, edge.weight)
        return None if self._whole[edge.a] == self._whole[edge.b] else reason

    def _judged_apart(self, a: int, b: int) -> bool:
        first, second = self._whole[a], self._whole[b]
        return first != second and not self._apart[first].isdisjoint(self._united[second])

    def _too_little_support(self, first: int, second: int) -> str | None:
        """Two entities do not melt on one strong pair: the pairs between them must agree on average."""
        left, right = self._members[first], self._members[second]
        if len(left) == 1 and len(right) == 1:
            return None
        pairs = [(a, b) if a < b else (b, a) for a in left for b in right]
        # An exact sum: the order of the records must not show in the last bit.
        support = fsum(self._weights.get(pair, self._thresholds.absent) for pair in pairs) / len(pairs)
        if len(left) > 1 and len(right) > 1:
            return None if support >= self._thresholds.groups else WEAK_JOIN
        return None if support >= self._thresholds.attach else LITTLE_SUPPORT

    def _join(self, first: int, second: int) -> None:
        if len(self._members[first]) < len(self._members[second]):
            first, second = second, first
        for node in self._members[second]:
            self._group[node] = first
        self._members[first] |= self._members.pop(second)
        self._facts[first] = self._facts[first].union(self._facts.pop(second))

    def _unite(self, a: int, b: int, weight: float | None) -> None:
        first, second = self._whole[a], self._whole[b]
        if first == second:
            return
        self.steps.append(Step(a, b, weight))
        if len(self._united[first]) < len(self._united[second]):
            first, second = second, first
        for node in self._united[second]:
            self._whole[node] = first
        self._united[first] |= self._united.pop(second)
        self._apart[first] |= self._apart.pop(second, set())


def _strongest(refusals: Sequence[Refusal], process: _Process) -> tuple[Refusal, ...]:
    """The first (strongest) refusal between each two groups that are still apart at the end."""
    kept: dict[Pair, Refusal] = {}
    for refusal in refusals:
        ends = frozenset((process.whole_of(refusal.a), process.whole_of(refusal.b)))
        if len(ends) == 2:
            kept.setdefault(ends, refusal)
    return tuple(kept.values())


def _name(comparison: Mapping[str, Any]) -> tuple[str, ...]:
    """What a record is called wherever it is stored; the tie-break that arrival cannot influence."""
    name = comparison.get("self")
    return (name,) if isinstance(name, str) else tuple(name or (repr(sorted(comparison.items())),))
