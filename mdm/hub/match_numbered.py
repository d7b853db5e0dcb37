"""Which golden records are called by a number as a whole: so many as can tell anybody apart, of those in reach."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

from mdm.model.ids import Domain, EntityId
from mdm.store import read_match
from mdm.store.unit_of_work import UnitOfWork

#: More golden records of one number than this tell nobody apart.
MOST: Final = 50
#: A caller with a scope is looked for among so many, some at a time: a number may be in a table of millions.
_WALKED, _AT_A_TIME = 10_000, 500


def numbered(
    work: UnitOfWork,
    domain: Domain,
    terms: Collection[str],
    reachable: Callable[[Collection[str]], Collection[str]] | None,
) -> dict[str, set[EntityId]]:
    """The golden records that are found by each of these words or numbers.

    Args:
        reachable: those of some ids that the caller may reach; None where that is all. The first `MOST` that are
            reached are found, whoever comes before them, and the first `MOST` of all.
    """
    found: dict[str, set[EntityId]] = {term: set() for term in terms}
    within: Counter[str] = Counter()
    walked: Counter[str] = Counter()
    behind, most = dict.fromkeys(terms, ""), MOST
    while behind:
        page = read_match.entities_of_term(work, domain, behind, most)
        reached = frozenset(reachable({each for ids in page.values() for each in ids}) if reachable is not None else ())
        for term, ids in page.items():
            mine = [each for each in ids if each in reached][: MOST - within[term]]
            found[term].update(mine if walked[term] else ids)
            within[term] += len(mine)
            walked[term] += len(ids)
        behind = {
            term: ids[-1]
            for term, ids in page.items()
            if reachable is not None and len(ids) == most and within[term] < MOST and walked[term] < _WALKED
        }
        most = _AT_A_TIME
    return found
