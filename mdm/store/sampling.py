"""A part of a large hub that can stand for the whole where everything would take too long: training reads it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mdm.model.candidates import Pair
from mdm.model.ids import Domain, RecordId
from mdm.store.evidence import evidence_pairs
from mdm.store.pairs import blocked_pairs
from mdm.store.unit_of_work import UnitOfWork

#: Records whose candidates are looked up at once.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """Some live records of a domain.

    Attributes:
        records: the chosen, ascending: `seeds`, and everybody whom the hub compares with one of these.
        seeds: chosen by a hash of their names, so neither by what they say nor by when they came.
        pairs: which of the chosen the hub compares with one another, as places in `records`; (2, n), lower above
            higher, ascending. Blocks that are too large in the hub pair nobody.
        plain: as many as there are `records`, by that hash alone: words and values are counted in these.
        of: how many live records the domain has.
    """

    records: Sequence[RecordId]
    seeds: frozenset[RecordId]
    pairs: NDArray[np.intp]
    plain: Sequence[RecordId]
    of: int


def sample_with_candidates(work: UnitOfWork, domain: Domain, cap: int, most: int) -> Sample | None:
    """About `most` records of a domain, the same whenever it is drawn; None when it has no more than that.

    Args:
        cap: members that a block may have to pair them, by the model; fewer where a rule is coarse.
        most: the sample ends with the seed that reaches it.
    """
    live = "from source_record where domain = %s and not deleted"
    [(of,)] = work.query(f"select count(*) {live}", domain.value)
    if of <= most:
        return None
    plain = [
        RecordId(row[0])
        for row in work.query(
            f"""select rec_id {live} order by md5(system || chr(31) || type || chr(31) || key), rec_id limit %s""",
            domain.value,
            most,
        )
    ]
    seeds, chosen = _drawn(work, domain, plain, cap, most)
    records = sorted(chosen)
    return Sample(records, frozenset(seeds), _pairs_among(work, domain, records, cap), plain, of)


def _drawn(
    work: UnitOfWork, domain: Domain, order: Sequence[RecordId], cap: int, most: int
) -> tuple[list[RecordId], set[RecordId]]:
    """The first of these that have `most` records together with whom they are compared with, and all of those."""
    chosen: set[RecordId] = set()
    seeds: list[RecordId] = []
    for start in range(0, len(order), _AT_ONCE):
        part = order[start : start + _AT_ONCE]
        mates: defaultdict[RecordId, set[RecordId]] = defaultdict(set)
        for a, b in _compared(work, domain, part, cap):
            mates[a].add(b)
            mates[b].add(a)
        for rec in part:
            if len(chosen) >= most:
                return seeds, chosen
            seeds.append(rec)
            chosen.update((rec, *mates[rec]))
    return seeds, chosen


def _pairs_among(work: UnitOfWork, domain: Domain, records: Sequence[RecordId], cap: int) -> NDArray[np.intp]:
    places = {rec: place for place, rec in enumerate(records)}
    packed: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(records), _AT_ONCE):
        found = _compared(work, domain, records[start : start + _AT_ONCE], cap)
        inside = [sorted((places[a], places[b])) for a, b in found if a in places and b in places]
        lower, higher = np.array(inside, dtype=np.int64).reshape(-1, 2).T
        packed.append(lower << 32 | higher)
    pairs = np.unique(np.concatenate(packed))
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF]).astype(np.intp)


def _compared(work: UnitOfWork, domain: Domain, ids: Collection[RecordId], cap: int) -> set[Pair]:
    """Pairs of one of these with whomever the hub compares it with: by shared blocks, and by what is stated of both."""
    return blocked_pairs(work, ids, cap) | evidence_pairs(work, domain, ids, cap)
