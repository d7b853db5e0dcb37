"""The sets of records that matches connect, as arrays: what clustering looks at, a set at a time.

Records are named by rank (their place in the order of names), weights are whole millionths of bits.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.bounding import within
from matching.clustering import Pair
from matching.engines.components import components
from matching.engines.links import CHUNK, Links
from matching.merging import TOO_MANY, UNIT, VETOED, Match, Refused
from matching.support import SCORED_WHOLE

Ints = NDArray[np.int64]
#: The weights of pairs of records, given by rank.
Weigh = Callable[[Ints, Ints], Ints]


@dataclass(frozen=True, slots=True)
class Weighted:
    """Pairs of records, lower rank first, with their weights."""

    low: Ints
    high: Ints
    weight: Ints

    def at(self, rows: NDArray[np.intp] | slice) -> "Weighted":
        return Weighted(self.low[rows], self.high[rows], self.weight[rows])

    def __len__(self) -> int:
        return len(self.low)


@dataclass(frozen=True, slots=True)
class LinkedSets:
    """Connected sets of two and more records; set i is `starts[i]` to `starts[i + 1]` of what the starts belong to."""

    #: Ascending within a set.
    members: Ints
    member_starts: Ints
    #: Strongest first within a set, ties by rank.
    matches: Weighted
    match_starts: Ints
    #: The pairs whose weight is known: all of a set that is small enough to be scored whole, else those kept.
    pairs: Weighted
    pair_starts: Ints

    def __len__(self) -> int:
        return len(self.member_starts) - 1

    def sizes(self) -> Ints:
        return np.diff(self.member_starts)

    def only(self, sets: NDArray[np.intp]) -> "LinkedSets":
        """Some of the sets, in the order given."""
        members, member_starts = _rows(self.member_starts, sets)
        matches, match_starts = _rows(self.match_starts, sets)
        pairs, pair_starts = _rows(self.pair_starts, sets)
        return LinkedSets(
            self.members[members], member_starts, self.matches.at(matches), match_starts, self.pairs.at(pairs),
            pair_starts,
        )  # fmt: skip


def _rows(starts: Ints, sets: NDArray[np.intp]) -> tuple[NDArray[np.intp], Ints]:
    """The rows of these sets one after another, and where each begins among them."""
    lengths = starts[sets + 1] - starts[sets]
    new = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return np.arange(new[-1]) + np.repeat(starts[sets] - new[:-1], lengths), new


def linked_sets_of(
    ranks: Ints,
    links: Links,
    parted: NDArray[np.bool_],
    same: Sequence[tuple[int, int]],
    cap: int,
    weigh: Weigh,
    workers: int,
) -> tuple[LinkedSets, list[Refused]]:
    """The sets that matches and verdicts connect, none above the cap; and the matches that the cap gives up.

    Args:
        ranks: the rank of each row of the table that the links are about.
        parted: whether a rule keeps the records of each link apart.
        same: pairs of ranks that stewards hold to be one.
        weigh: scores pairs that are not among the links; called on as many threads as there are workers.
    """
    a, b = ranks[links.a], ranks[links.b]
    weight = np.where(parted, VETOED, np.rint(links.weight * UNIT).astype(np.int64))
    kept = Weighted(np.minimum(a, b), np.maximum(a, b), weight)
    matches = np.flatnonzero(links.match)
    matches = matches[np.lexsort((kept.high[matches], kept.low[matches], -kept.weight[matches]))]
    label = _connected(len(ranks), kept.at(matches), same)
    matches, refused = _capped(kept, matches, same, label, cap)
    if refused:
        label = _connected(len(ranks), kept.at(matches), same)
    size = np.bincount(label, minlength=len(ranks))[label]
    members = np.flatnonzero(size > 1)
    members = members[np.argsort(label[members], kind="stable")]
    tops, starts = np.unique(label[members], return_index=True)
    followed = kept.at(matches[np.argsort(label[kept.low[matches]], kind="stable")])
    pairs = _known_pairs(kept, members, label, size, weigh, workers)
    return LinkedSets(
        members,
        np.append(starts, len(members)),
        followed,
        _starts(tops, label[followed.low]),
        pairs,
        _starts(tops, label[pairs.low]),
    ), refused


def _starts(tops: Ints, labels: Ints) -> Ints:
    return np.append(np.searchsorted(labels, tops), len(labels))


def _connected(count: int, matches: Weighted, same: Sequence[tuple[int, int]]) -> Ints:
    ends = np.array(same, dtype=np.int64).reshape(-1, 2)
    return components(count, np.concatenate([matches.low, ends[:, 0]]), np.concatenate([matches.high, ends[:, 1]]))


def _capped(
    kept: Weighted, matches: NDArray[np.intp], same: Sequence[tuple[int, int]], label: Ints, cap: int
) -> tuple[NDArray[np.intp], list[Refused]]:
    """The matches to follow, so that no set is above the cap; and the strongest given up of each set that was."""
    large = np.bincount(label)[label[kept.low[matches]]] > cap
    if not large.any():
        return matches, []
    inside = kept.at(matches[large])
    named = list(map(Match, inside.weight.tolist(), inside.low.tolist(), inside.high.tolist()))
    ends = set(label[inside.low].tolist())
    followed, lost = within(named, [pair for pair in same if int(label[pair[0]]) in ends], cap)
    remaining = set(followed)
    stay = ~large
    stay[large] = [match in remaining for match in named]
    return matches[stay], [Refused(match, TOO_MANY) for match in lost]


def _known_pairs(kept: Weighted, members: Ints, label: Ints, size: Ints, weigh: Weigh, workers: int) -> Weighted:
    """Links within sets, and all other pairs of sets that are small enough to be scored whole; by set."""
    packed = kept.low << 32 | kept.high
    inside = np.flatnonzero(label[kept.low] == label[kept.high])
    inside = inside[np.argsort(packed[inside])]
    packed, weight = packed[inside], kept.weight[inside]
    missing = _pairs_within(members, label, size)
    at = np.minimum(np.searchsorted(packed, missing), max(len(packed) - 1, 0))
    missing = missing[packed[at] != missing] if len(packed) else missing

    def scored(start: int) -> Ints:
        part = missing[start : start + CHUNK]
        return weigh(part >> 32, part & 0xFFFFFFFF)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        weight = np.concatenate([weight, *pool.map(scored, range(0, len(missing), CHUNK))])
    packed = np.concatenate([packed, missing])
    low, high = packed >> 32, packed & 0xFFFFFFFF
    return Weighted(low, high, weight).at(np.argsort(label[low], kind="stable"))


def _pairs_within(members: Ints, label: Ints, size: Ints) -> Ints:
    """All pairs of records of each connected set that is small enough to be scored whole, packed."""
    nodes = members[(size[members] > 2) & (size[members] <= SCORED_WHOLE)]
    nodes = nodes[np.lexsort((nodes, label[nodes], size[nodes]))]
    parts = [np.zeros(0, dtype=np.int64)]
    for each in np.unique(size[nodes]).tolist():
        sets = nodes[size[nodes] == each].reshape(-1, each)
        low, high = np.triu_indices(each, 1)
        parts.append((sets[:, low] << 32 | sets[:, high]).ravel())
    return np.concatenate(parts)


def verdict_pairs(verdicts: Collection[Pair], ranks: Ints) -> Iterator[tuple[int, int]]:
    """Verdicts about two rows as pairs of ranks, lower first."""
    for pair in verdicts:
        if len(pair) == 2:
            low, high = sorted(int(ranks[row]) for row in pair)
            yield low, high
