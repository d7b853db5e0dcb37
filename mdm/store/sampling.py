"""A part of a large hub that can stand for the whole where everything would take too long: training reads it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mdm.model.ids import Domain, RecordId
from mdm.store.pairs import blocked_pairs
from mdm.store.unit_of_work import UnitOfWork

#: Seeds whose candidates are looked up at once.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """Some live records of a domain.

    Attributes:
        records: the chosen, ascending: `seeds`, and everybody whom any of these would be compared with.
        seeds: chosen by a hash of their names, so neither by what they say nor by when they came.
        plain: as many as there are `records`, by that hash alone: how often a word occurs is counted in these.
        of: how many live records the domain has.
    """

    records: Sequence[RecordId]
    seeds: frozenset[RecordId]
    plain: Sequence[RecordId]
    of: int


def sample_with_candidates(work: UnitOfWork, domain: Domain, cap: int, most: int) -> Sample | None:
    """About `most` records of a domain, the same whenever it is drawn; None when it has no more than that.

    Args:
        cap: members that a block may have to pair them.
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
    chosen: set[RecordId] = set()
    seeds: list[RecordId] = []
    for start in range(0, len(plain), _AT_ONCE):
        part = plain[start : start + _AT_ONCE]
        mates: defaultdict[RecordId, set[RecordId]] = defaultdict(set)
        for a, b in blocked_pairs(work, part, cap):
            mates[a].add(b)
            mates[b].add(a)
        for rec in part:
            if len(chosen) >= most:
                return Sample(sorted(chosen), frozenset(seeds), plain, of)
            seeds.append(rec)
            chosen.update((rec, *mates[rec]))
    return Sample(sorted(chosen), frozenset(seeds), plain, of)
