"""Clustering of a whole table: the same entities as `matching.clustering`, set by set, for a million records."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.clustering import Pair
from matching.decision import keeps_apart
from matching.engines.linked import Ints, LinkedSets, linked_sets_of, verdict_pairs
from matching.engines.links import Links
from matching.engines.settling import Statements, Unfollowed, all_of, settle_sets, unfollowed
from matching.engines.table import TableFrame, name_ranks
from matching.merging import UNIT, Limits, limits_of
from matching.model import MatchModel
from matching.scoring import score_columns
from matching.support import in_units


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

    entity: Ints
    refused: tuple[TableRefusal, ...]


def cluster_table(
    model: MatchModel,
    table: pa.Table,
    frame: TableFrame,
    links: Links,
    same: Collection[Pair] = (),
    not_same: Collection[Pair] = (),
    workers: int = 1,
) -> TableClusters:
    """Group the rows of a table by their links and the verdicts of stewards about rows, on this many cores."""
    ranks = name_ranks(table)
    rows = np.argsort(ranks)
    together, apart = (sorted(verdict_pairs(verdicts, ranks)) for verdicts in (same, not_same))

    def weigh(low: Ints, high: Ints) -> Ints:
        return in_units(model, score_columns(model, frame, rows[low], rows[high]))

    if workers > 1:
        frame.encode(model)
    # What is only asked about, whatever it weighs, supports nothing.
    supporting = links.at(np.flatnonzero(links.weight >= model.thresholds.possible))
    parted = keeps_apart(model)[supporting.veto]
    sets, given_up = linked_sets_of(ranks, supporting, parted, together, model.reach_cap, weigh, workers)
    said = Statements(model, table, rows)
    agreed = _agreed(sets, said, limits_of(model.thresholds))
    if together or apart:
        agreed[:] = False
    label = np.arange(len(table), dtype=np.int64)
    first = np.repeat(sets.members[sets.member_starts[:-1]], sets.sizes())
    easy = np.repeat(agreed, sets.sizes())
    label[sets.members[easy]] = first[easy]
    others = sets.only(np.flatnonzero(~agreed))
    settled = settle_sets(model, others, said, together, apart, workers)
    label[others.members] = settled.label
    refused = all_of([unfollowed(given_up), settled.refused])
    return TableClusters(rows[label][ranks], tuple(_strongest(refused, label, rows)))


def _agreed(sets: LinkedSets, said: Statements, limits: Limits) -> NDArray[np.bool_]:
    """Sets that are one entity in whatever order their records join.

    Nothing in them can contradict, and no average over the pairs, all known, can be too low. Of two records that match
    nothing more is asked.
    """
    several, parental = said.in_sets(sets)
    quiet = ~(several | parental)
    sizes, pairs = sets.sizes(), np.diff(sets.pair_starts)
    least = np.full(len(sets), np.iinfo(np.int64).min)
    some = np.flatnonzero(pairs)
    if len(some):
        least[some] = np.minimum.reduceat(sets.pairs.weight, sets.pair_starts[:-1][some])
    scored = pairs == sizes * (sizes - 1) // 2
    found: NDArray[np.bool_] = quiet & ((sizes == 2) | scored & (least >= max(limits.groups, limits.attach)))
    return found


def _strongest(refused: Unfollowed, label: Ints, rows: Ints) -> Iterator[TableRefusal]:
    """The strongest refusal between each two entities that are apart at the end."""
    matches = refused.matches
    first, second = label[matches.low], label[matches.high]
    apart = np.flatnonzero(first != second)
    apart = apart[np.lexsort((matches.high[apart], matches.low[apart], -matches.weight[apart]))]
    _, best = np.unique(np.minimum(first, second)[apart] << 32 | np.maximum(first, second)[apart], return_index=True)
    chosen = apart[np.sort(best)]
    a, b, weight = rows[matches.low[chosen]], rows[matches.high[chosen]], matches.weight[chosen] / UNIT
    for row, other, bits, reason in zip(
        a.tolist(), b.tolist(), weight.tolist(), refused.reason[chosen].tolist(), strict=True
    ):
        yield TableRefusal(row, other, bits, refused.reasons[reason])
