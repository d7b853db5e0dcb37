"""What becomes of each connected set of a table: `matching.merging` for many sets, on one core or several.

Sets have nothing to do with one another, so they are settled in portions. A portion carries all that it needs as
arrays, and is small enough that cores finish together.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.engines.linked import Ints, LinkedSets, Weighted
from matching.features import DISTINCT_IN
from matching.merging import JUDGED, Limits, Match, Refused, limits_of, merge
from matching.model import CannotLink, MatchModel
from matching.validity import Facts, contradiction, facts_of

#: Records of a portion, about: some tenths of a second of work.
_PORTION = 20_000
#: Below this many records, starting further processes takes longer than they save.
_MANY = 200_000

Verdicts = Sequence[tuple[int, int]]


class Statements:
    """What the records of a table state about their identity: identifiers, parents, tables without duplicates."""

    def __init__(self, model: MatchModel, table: pa.Table, rows: Ints) -> None:
        """`rows` has the row of each rank."""
        self._table, self._rows = table, rows
        parents = model.cannot_link.parents or ()
        contradicting = (*model.cannot_link.identifiers, DISTINCT_IN, *parents[:1])
        self.columns = list(dict.fromkeys((*contradicting, *parents)))
        #: By rank: whether anything is stated that could contradict another record, and whether it is a parent.
        self.any = self._stated(contradicting)
        self.parent = self._stated(parents[:1])

    def _stated(self, columns: Iterable[str]) -> NDArray[np.bool_]:
        found = np.zeros(len(self._table), dtype=np.bool_)
        for column in columns:
            found |= self._table[column].is_valid().to_numpy()
        return found[self._rows]

    def in_sets(self, sets: LinkedSets) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Per set: whether several records state what could contradict another one, and whether a parent is stated."""
        if not len(sets):
            return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_)
        starts = sets.member_starts[:-1]
        several = np.add.reduceat(self.any[sets.members], starts, dtype=np.int64) > 1
        return several, np.logical_or.reduceat(self.parent[sets.members], starts)

    def values(self, ranks: Ints) -> list[list[Any]]:
        """What these records have in each column."""
        rows = pa.array(self._rows[ranks])
        return [self._table[column].take(rows).to_pylist() for column in self.columns]


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """Matches that were not followed; `reason` is the number of a reason."""

    matches: Weighted
    reason: NDArray[np.int8]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """The first member of the entity of each member, in the order of the members; and what was not followed."""

    label: Ints
    refused: Unfollowed


@dataclass(frozen=True, slots=True)
class _Portion:
    """Some sets with all that is needed to settle them."""

    sets: LinkedSets
    #: Records whose statements matter in their set, and what they state, by column.
    stating: Ints
    columns: list[str]
    values: list[list[Any]]
    #: Verdicts about records of these sets.
    same: Verdicts
    apart: Verdicts


def settle_sets(
    model: MatchModel, sets: LinkedSets, said: Statements, same: Verdicts, apart: Verdicts, workers: int
) -> Settled:
    """Join the records of each set as far as nothing speaks against it."""
    settle = partial(_settle, limits_of(model.thresholds), model.cannot_link)
    portions = _portions(sets, said, same, apart)
    if workers == 1 or len(sets.members) < _MANY:
        return _as_one(list(map(settle, portions)))
    # Spawned: other libraries have threads in this process, of which a forked one would have the locks without them.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return _as_one(list(_in_order(pool, settle, portions, 2 * workers)))


def _in_order(
    pool: Executor, settle: Callable[[_Portion], Settled], portions: Iterable[_Portion], ahead: int
) -> Iterator[Settled]:
    """What becomes of each portion, in their order; no more than `ahead` of them are held at a time."""
    waiting: deque[Future[Settled]] = deque()
    for portion in portions:
        if len(waiting) == ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(settle, portion))
    yield from (each.result() for each in waiting)


def _portions(sets: LinkedSets, said: Statements, same: Verdicts, apart: Verdicts) -> Iterator[_Portion]:
    home = _homes(sets) if same or apart else {}
    for start, end in _cuts(sets.member_starts):
        part = sets.only(np.arange(start, end))
        stating = _stating(part, said)
        held, parted = (
            [(a, b) for a, b in verdicts if start <= home.get(a, -1) < end and home[a] == home.get(b)]
            for verdicts in (same, apart)
        )
        yield _Portion(part, stating, said.columns, said.values(stating), held, parted)


def _homes(sets: LinkedSets) -> dict[int, int]:
    """The set of each member."""
    numbers = np.repeat(np.arange(len(sets)), sets.sizes())
    return dict(zip(sets.members.tolist(), numbers.tolist(), strict=True))


def _cuts(starts: Ints) -> Iterator[tuple[int, int]]:
    """Consecutive ranges of sets of about `_PORTION` records."""
    if len(starts) == 1:
        return
    cuts = np.unique(np.searchsorted(starts, np.arange(0, starts[-1], _PORTION)))
    yield from zip(cuts.tolist(), [*cuts[1:].tolist(), len(starts) - 1], strict=True)


def _stating(sets: LinkedSets, said: Statements) -> Ints:
    """The records that can contradict another one of their set; with all of a set in which a parent is stated.

    A parent is stated by name, so that everybody's names matter then.
    """
    several, whole = said.in_sets(sets)
    of_set = np.repeat(several, sets.sizes()) & said.any[sets.members] | np.repeat(whole, sets.sizes())
    found: Ints = sets.members[of_set]
    return found


def _settle(limits: Limits, cannot_link: CannotLink, portion: _Portion) -> Settled:
    sets = portion.sets
    facts = _facts(cannot_link, portion)
    home = _homes(sets) if portion.same or portion.apart else {}
    held, parted = (_by_set(verdicts, home) for verdicts in (portion.same, portion.apart))
    label: list[int] = []
    refused: list[Refused] = []
    for number, (members, matches, pairs) in enumerate(_each(sets)):
        if len(members) == 2 and number not in held and number not in parted:
            label += _couple(members, matches[0], facts, refused)
            continue
        mine = {node: facts[node] for node in members if node in facts}
        found = merge(limits, members, matches, pairs, mine, held.get(number, ()), parted.get(number, ()))
        first = {node: group[0] for group in found.groups for node in group}
        label += [first[node] for node in members]
        refused += found.refused
    return Settled(np.array(label, dtype=np.int64), unfollowed(refused))


def _each(sets: LinkedSets) -> Iterator[tuple[list[int], list[Match], dict[tuple[int, int], int]]]:
    """Each set in the form that merging takes: members, matches, weights of pairs."""
    members = sets.members.tolist()
    matches = list(map(Match, sets.matches.weight.tolist(), sets.matches.low.tolist(), sets.matches.high.tolist()))
    ends = list(zip(sets.pairs.low.tolist(), sets.pairs.high.tolist(), strict=True))
    weights = sets.pairs.weight.tolist()
    starts = zip(sets.member_starts.tolist(), sets.match_starts.tolist(), sets.pair_starts.tolist(), strict=True)
    member, match, pair = next(starts)
    for next_member, next_match, next_pair in starts:
        known = dict(zip(ends[pair:next_pair], weights[pair:next_pair], strict=True))
        yield members[member:next_member], matches[match:next_match], known
        member, match, pair = next_member, next_match, next_pair


def _facts(cannot_link: CannotLink, portion: _Portion) -> dict[int, Facts]:
    """What each record states about its identity, where that matters."""
    found = {}
    for rank, values in zip(portion.stating.tolist(), zip(*portion.values, strict=True), strict=True):
        stated = {
            column: tuple(value) if isinstance(value, list) else value
            for column, value in zip(portion.columns, values, strict=True)
            if value
        }
        found[rank] = facts_of(cannot_link, stated)
    return found


def _couple(members: list[int], match: Match, facts: dict[int, Facts], refused: list[Refused]) -> list[int]:
    """The labels of two records that match: nothing but a contradiction keeps them apart."""
    first, second = members
    if first in facts and second in facts:
        reason = contradiction(facts[first], facts[second])
        if reason is not None:
            refused.append(Refused(match, reason))
            return members
    return [first, first]


def _by_set(verdicts: Verdicts, home: dict[int, int]) -> dict[int, list[tuple[int, int]]]:
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for a, b in verdicts:
        found[home[a]].append((a, b))
    return dict(found)


def unfollowed(refused: Sequence[Refused]) -> Unfollowed:
    """Refusals as arrays, without those that a steward has answered already."""
    asked = [each for each in refused if each.reason != JUDGED]
    numbers: dict[str, int] = {}
    reason = [numbers.setdefault(each.reason, len(numbers)) for each in asked]
    ends = np.array([(each.match.a, each.match.b, each.match.weight) for each in asked], dtype=np.int64).reshape(-1, 3)
    return Unfollowed(Weighted(*ends.T), np.array(reason, dtype=np.int8), tuple(numbers))


def _as_one(settled: Sequence[Settled]) -> Settled:
    label = np.concatenate([np.zeros(0, dtype=np.int64), *(each.label for each in settled)])
    return Settled(label, all_of([each.refused for each in settled]))


def all_of(parts: Sequence[Unfollowed]) -> Unfollowed:
    """Several lists of refusals as one."""
    numbers: dict[str, int] = {}
    reasons = [np.zeros(0, dtype=np.int8)]
    for part in parts:
        own = np.array([numbers.setdefault(each, len(numbers)) for each in part.reasons], dtype=np.int8)
        reasons.append(own[part.reason])
    low, high, weight = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(getattr(part.matches, name) for part in parts)])
        for name in ("low", "high", "weight")
    )
    return Unfollowed(Weighted(low, high, weight), np.concatenate(reasons), tuple(numbers))
