"""Clustering of a whole table: the same entities as `matching.clustering`, set by set, for a million records."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.bounding import within
from matching.clustering import Pair
from matching.engines.components import components
from matching.engines.links import CHUNK, Links
from matching.engines.table import TableFrame, name_ranks
from matching.merging import (
    JUDGED,
    TOO_MANY,
    UNIT,
    Limits,
    Match,
    Refused,
    limits_of,
    linked_sets,
    merge,
    strongest_first,
)
from matching.model import MatchModel
from matching.scoring import score_columns
from matching.support import SCORED_WHOLE
from matching.validity import Facts, contradiction, facts_of

_Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TableRefusal:
    """A match between two entities that was not followed: a question for a person. `a` and `b` are rows."""

    a: int
    b: int
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class TableClusters:
    """`entity` names each row's entity by the row of its first member (by name)."""

    entity: _Int
    refused: tuple[TableRefusal, ...]


def cluster_table(
    model: MatchModel,
    table: pa.Table,
    frame: TableFrame,
    links: Links,
    same: Collection[Pair] = (),
    not_same: Collection[Pair] = (),
) -> TableClusters:
    """Group the rows of a table by their links and the verdicts of stewards about rows."""
    ranks = name_ranks(table)
    rows = np.argsort(ranks)
    graph = _Graph(ranks, links, same, not_same, model.reach_cap)
    facts = _facts(model, table, ranks)
    label = np.arange(len(table), dtype=np.int64)
    refused: list[Refused] = []
    _join_couples(graph, facts, label, refused)
    weights = _Weights(model, frame, rows, graph)
    limits = limits_of(model.thresholds)
    for members, matches in graph.larger_sets(refused):
        inside = weights.within(members)
        mine = {node: facts[node] for node in members if node in facts}
        if not graph.judged and len(mine) < 2 and _agree_throughout(inside, len(members), limits):
            label[members] = members[0]
            continue
        same_here, apart_here = graph.verdicts(members)
        found = merge(limits, members, matches, inside, mine, same_here, apart_here)
        for group in found.groups:
            label[group] = group[0]
        refused += found.refused
    return TableClusters(rows[label][ranks], tuple(_strongest(refused, label, rows)))


class _Graph:
    """Matches as arrays, strongest first, records named by rank; and the connected sets they make."""

    def __init__(self, ranks: _Int, links: Links, same: Collection[Pair], not_same: Collection[Pair], cap: int) -> None:
        self._cap = cap
        a, b = ranks[links.a], ranks[links.b]
        self.low, self.high = np.minimum(a, b), np.maximum(a, b)
        self.weight = np.rint(links.weight * UNIT).astype(np.int64)
        self.same, self.apart = (sorted(_pairs(verdicts, ranks)) for verdicts in (same, not_same))
        self.judged = bool(self.same or self.apart)
        matches = np.flatnonzero(links.match)
        order = np.lexsort((self.high[matches], self.low[matches], -self.weight[matches]))
        self._matches = matches[order]
        ends = np.array(self.same, dtype=np.int64).reshape(-1, 2)
        low, high = self.low[self._matches], self.high[self._matches]
        self._label = components(len(ranks), np.concatenate([low, ends[:, 0]]), np.concatenate([high, ends[:, 1]]))
        self._size = np.bincount(self._label, minlength=len(ranks))
        self._same_of, self._apart_of = (self._by_set(verdicts) for verdicts in (self.same, self.apart))

    def _by_set(self, verdicts: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
        found: dict[int, list[tuple[int, int]]] = {}
        for a, b in verdicts:
            found.setdefault(int(self._label[a]), []).append((a, b))
        return found

    def verdicts(self, members: Sequence[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """What stewards said about pairs of these records: same, and not the same."""
        if not self.judged:
            return [], []
        here = set(members)
        top = int(self._label[members[0]])
        same, apart = (
            [(a, b) for a, b in verdicts.get(top, ()) if a in here and b in here]
            for verdicts in (self._same_of, self._apart_of)
        )
        return same, apart

    def couples(self) -> tuple[_Int, _Int, _Int]:
        """Sets of two records that no verdict concerns: lower, higher, weight."""
        low = self.low[self._matches]
        rows = self._matches[self._size[self._label[low]] == 2] if not self.judged else self._matches[:0]
        return self.low[rows], self.high[rows], self.weight[rows]

    def larger_sets(self, refused: list[Refused]) -> Iterator[tuple[list[int], list[Match]]]:
        """All other sets: ascending members and their matches. None is above the limit; what that cuts is `refused`."""
        least = 1 if self.judged else 2
        nodes = np.flatnonzero(self._size[self._label] > least)
        nodes = nodes[np.argsort(self._label[nodes], kind="stable")]
        tops, starts = np.unique(self._label[nodes], return_index=True)
        edges = self._matches[self._size[self._label[self.low[self._matches]]] > least]
        edges = edges[np.argsort(self._label[self.low[edges]], kind="stable")]
        edge_starts = np.searchsorted(self._label[self.low[edges]], tops)
        low, high, weight = (each[edges].tolist() for each in (self.low, self.high, self.weight))
        ends, edge_ends = np.append(starts[1:], len(nodes)), np.append(edge_starts[1:], len(edges))
        bounds = zip(*(each.tolist() for each in (starts, ends, edge_starts, edge_ends)), strict=False)
        members = nodes.tolist()
        for start, end, edge, last in bounds:
            inside = members[start:end]
            matches = list(map(Match, weight[edge:last], low[edge:last], high[edge:last]))
            if len(inside) <= self._cap:
                yield inside, matches
                continue
            same, _ = self.verdicts(inside)
            followed, lost = within(matches, same, self._cap)
            refused += [Refused(match, TOO_MANY) for match in lost]
            yield from linked_sets(strongest_first(followed), same)

    def sizes(self) -> _Int:
        """The size of the connected set of each record."""
        return self._size[self._label]

    def label(self) -> _Int:
        """The connected set of each record."""
        return self._label


def _pairs(verdicts: Collection[Pair], ranks: _Int) -> Iterator[tuple[int, int]]:
    for pair in verdicts:
        if len(pair) == 2:
            a, b = sorted(int(ranks[row]) for row in pair)
            yield a, b


class _Weights:
    """The weights of all pairs within connected sets: kept links, and the others scored here."""

    def __init__(self, model: MatchModel, frame: TableFrame, rows: _Int, graph: _Graph) -> None:
        packed = graph.low << 32 | graph.high
        order = np.argsort(packed)
        packed, weight = packed[order], graph.weight[order]
        missing = _pairs_within(graph)
        at = np.minimum(np.searchsorted(packed, missing), max(len(packed) - 1, 0))
        missing = missing[packed[at] != missing] if len(packed) else missing
        scored = np.empty(len(missing), dtype=np.int64)
        for start in range(0, len(missing), CHUNK):
            part = missing[start : start + CHUNK]
            scores = score_columns(model, frame, rows[part >> 32], rows[part & 0xFFFFFFFF])
            scored[start : start + CHUNK] = np.rint(scores.weight * UNIT)
        inside = graph.label()[packed >> 32] == graph.label()[packed & 0xFFFFFFFF]
        packed = np.concatenate([packed[inside], missing])
        weight = np.concatenate([weight[inside], scored])
        order = np.argsort(packed)
        self._packed, self._weight = packed[order], weight[order]

    def within(self, members: Sequence[int]) -> dict[tuple[int, int], int]:
        """The known weights between these records."""
        nodes = np.array(members, dtype=np.int64)
        if len(members) <= SCORED_WHOLE:
            low, high = np.triu_indices(len(members), 1)
            wanted = nodes[low] << 32 | nodes[high]
            if not len(self._packed):
                return {}
            at = np.minimum(np.searchsorted(self._packed, wanted), len(self._packed) - 1)
            known = np.flatnonzero(self._packed[at] == wanted)
            pairs = zip(nodes[low[known]].tolist(), nodes[high[known]].tolist(), strict=True)
            return dict(zip(pairs, self._weight[at[known]].tolist(), strict=True))
        starts = np.searchsorted(self._packed, nodes << 32)
        ends = np.searchsorted(self._packed, (nodes + 1) << 32)
        here = set(members)
        found: dict[tuple[int, int], int] = {}
        for node, start, end in zip(members, starts.tolist(), ends.tolist(), strict=True):
            others = (self._packed[start:end] & 0xFFFFFFFF).tolist()
            for other, weight in zip(others, self._weight[start:end].tolist(), strict=True):
                if other in here:
                    found[node, other] = weight
        return found


def _pairs_within(graph: _Graph) -> _Int:
    """All pairs of records of each connected set that is small enough to be scored whole, packed."""
    sizes, label = graph.sizes(), graph.label()
    nodes = np.flatnonzero((sizes > 2) & (sizes <= SCORED_WHOLE))
    nodes = nodes[np.lexsort((nodes, label[nodes], sizes[nodes]))]
    parts = [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes[nodes]).tolist():
        members = nodes[sizes[nodes] == size].reshape(-1, size)
        low, high = np.triu_indices(size, 1)
        parts.append((members[:, low] << 32 | members[:, high]).ravel())
    return np.concatenate(parts)


def _agree_throughout(weights: dict[tuple[int, int], int], size: int, limits: Limits) -> bool:
    """Whether no average over these pairs can be too low, in whatever order they join."""
    return len(weights) == size * (size - 1) // 2 and min(weights.values()) >= max(limits.groups, limits.attach)


def _join_couples(graph: _Graph, facts: dict[int, Facts], label: _Int, refused: list[Refused]) -> None:
    low, high, weight = graph.couples()
    if not len(low):
        return
    stating = np.zeros(len(label), dtype=np.bool_)
    stating[list(facts)] = True
    asked = stating[low] & stating[high]
    label[high[~asked]] = low[~asked]
    for a, b, bits in zip(low[asked].tolist(), high[asked].tolist(), weight[asked].tolist(), strict=True):
        reason = contradiction(facts[a], facts[b])
        if reason is None:
            label[b] = a
        else:
            refused.append(Refused(Match(bits, a, b), reason))


def _facts(model: MatchModel, table: pa.Table, ranks: _Int) -> dict[int, Facts]:
    """What each record states about its identity, where it states anything; by rank.

    Names matter only where somebody states a parent, which is rare: then every record has its names.
    """
    columns = list(model.cannot_link.identifiers)
    if model.cannot_link.parents is not None and table[model.cannot_link.parents[0]].null_count < len(table):
        columns += model.cannot_link.parents
    if not columns:
        return {}
    known = np.zeros(len(table), dtype=np.bool_)
    for column in columns:
        known |= table[column].is_valid().to_numpy()
    rows = np.flatnonzero(known)
    values = [table[column].take(pa.array(rows)).to_pylist() for column in columns]
    return {
        rank: facts_of(model, {column: tuple(value) if isinstance(value, list) else value
                               for column, value in zip(columns, record, strict=True) if value})
        for rank, record in zip(ranks[rows].tolist(), zip(*values, strict=True), strict=True)
    }  # fmt: skip


def _strongest(refused: Sequence[Refused], label: _Int, rows: _Int) -> Iterator[TableRefusal]:
    """The strongest refusal between each two entities that are apart at the end, without those judged already."""
    seen: set[tuple[int, int]] = set()
    for match, reason in sorted(refused, key=lambda each: (-each.match.weight, each.match.a, each.match.b)):
        low, high = sorted((int(label[match.a]), int(label[match.b])))
        if reason != JUDGED and low != high and (low, high) not in seen:
            seen.add((low, high))
            yield TableRefusal(int(rows[match.a]), int(rows[match.b]), match.weight / UNIT, reason)
