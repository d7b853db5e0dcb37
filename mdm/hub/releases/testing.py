"""A release against what must hold: it fits, it was simulated, and no verdict of a steward speaks against it.

The test set is what every hub grows by itself: each verdict about two live records is a labelled pair. The model
decides it from the records alone; verdicts outrank it in the hub, so what it gets wrong there changes nothing there and
tells much about pairs that nobody has looked at. What the rules in force decide rightly and a release would not is a
contradiction, and blocks it until somebody says why it may.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from matching.model import MatchModel
from mdm.core.linking import decide_links
from mdm.core.releases import Check, Contradiction, checks_of, contradictions
from mdm.core.rules import Rules
from mdm.errors import MdmError
from mdm.hub.in_force import in_force, must_still_fit, part
from mdm.hub.releases.proving import check_proof
from mdm.hub.steward.workplace import Workplace
from mdm.model.ids import Domain, RecordId
from mdm.model.releases import Release, RuleKind, Run, RunKind
from mdm.store import neighbourhood, whole
from mdm.store import releases as store
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: What a model says of a pair that stewards judged: it joins it, asks about it, or sees nothing in it.
JOINED, ASKED, APART = "joined", "asked", "apart"

Pair = tuple[RecordId, RecordId]


@dataclass(frozen=True, slots=True)
class Judged:
    """How two models decide pairs that stewards judged: counts by verdict, and where the second one is newly wrong."""

    counts: dict[str, dict[str, Mapping[str, int]]]
    contradicted: tuple[Contradiction, ...]


def against_verdicts(engine: Engine, before: Rules, after: Rules, domain: Domain) -> Judged:
    """By verdict (`same`, `not_same`) and by model (`before`, `after`): how many pairs it joins, asks about, leaves."""
    with snapshot(engine) as work:
        same, not_same = whole.judgements(work)
        counts: dict[str, dict[str, Mapping[str, int]]] = {}
        found: list[Contradiction] = []
        for verdict, pairs in (("same", same), ("not_same", not_same)):
            was, would = (_decided(work, each.models[domain], domain, pairs) for each in (before, after))
            counts[verdict] = {"before": _counted(was), "after": _counted(would)}
            found += contradictions(verdict, was, would)
    return Judged(counts, tuple(found))


def checks(query: store.Query, hub: Workplace, release: Release) -> list[Check]:
    """Everything that must hold before a release comes into force, and whether it does."""
    simulation = next(iter(store.runs(query, release.release_id, RunKind.SIMULATION, 1)), None)
    unfit, parity = "", None
    try:
        must_still_fit(query, hub.rules, release)
    except MdmError as error:
        unfit = error.message
    if release.kind is RuleKind.MATCHING:
        parity = _parity(query, release, simulation)
    against = part(in_force(query, hub.rules), release.kind, release.domain).fingerprint
    return checks_of(release, simulation, against, unfit, parity)


def _parity(query: store.Query, release: Release, simulation: Run | None) -> Check:
    try:
        proof = check_proof(query, release, simulation)
    except MdmError as error:
        return Check("parity", False, error.message)
    return Check("parity", True, proof.words if proof is not None else "")


def _decided(
    work: UnitOfWork, model: MatchModel, domain: Domain, verdicts: Collection[frozenset[RecordId]]
) -> dict[Pair, str]:
    mine = set(whole.live_records(work, domain))
    pairs: set[Pair] = {(min(pair), max(pair)) for pair in verdicts if len(pair) == 2 and pair <= mine}
    comparisons = neighbourhood.load_comparisons(work, domain, {end for pair in pairs for end in pair})
    links = {(link.a, link.b): link.decision for link in decide_links(model, pairs, comparisons)}
    return {pair: {"match": JOINED, "possible": ASKED}.get(links.get(pair, ""), APART) for pair in sorted(pairs)}


def _counted(decided: Mapping[Pair, str]) -> dict[str, int]:
    counted = Counter(decided.values())
    return {name: counted[name] for name in (JOINED, ASKED, APART)}
