"""A matching release against the test set that every hub grows by itself: what its stewards have decided.

Each verdict about two live records is a labelled pair. The model decides it from the records alone; verdicts outrank
it in the hub, so what it gets wrong here changes nothing there and tells much about pairs that nobody has looked at.
"""

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Engine

from matching.model import MatchModel
from mdm.core.linking import decide_links
from mdm.core.rules import Rules
from mdm.model.ids import Domain, RecordId
from mdm.store import neighbourhood, whole
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: What a model says of a pair that stewards judged: it joins it, asks about it, or sees nothing in it.
JOINED, ASKED, APART = "joined", "asked", "apart"

Pair = tuple[RecordId, RecordId]


def against_verdicts(
    engine: Engine, before: Rules, after: Rules, domain: Domain
) -> dict[str, dict[str, Mapping[str, int]]]:
    """By verdict (`same`, `not_same`) and by model (`before`, `after`): how many pairs it joins, asks about, leaves."""
    with snapshot(engine) as work:
        same, not_same = whole.judgements(work)
        return {
            verdict: {
                "before": _decided(work, before.models[domain], domain, pairs),
                "after": _decided(work, after.models[domain], domain, pairs),
            }
            for verdict, pairs in (("same", same), ("not_same", not_same))
        }


def _decided(
    work: UnitOfWork, model: MatchModel, domain: Domain, verdicts: Collection[frozenset[RecordId]]
) -> dict[str, int]:
    mine = set(whole.live_records(work, domain))
    pairs: set[Pair] = {(min(pair), max(pair)) for pair in verdicts if len(pair) == 2 and pair <= mine}
    comparisons = neighbourhood.load_comparisons(work, domain, {end for pair in pairs for end in pair})
    links = {(link.a, link.b): link.decision for link in decide_links(model, pairs, comparisons)}
    counted = Counter({"match": JOINED, "possible": ASKED}.get(links.get(pair, ""), APART) for pair in pairs)
    return {name: counted[name] for name in (JOINED, ASKED, APART)}
