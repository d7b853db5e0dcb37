"""The records that came nearest to an entity, or to one of its records, and stayed outside - and why."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine

from matching.clustering import Clustering
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair, score_pairs
from mdm.hub.against import Against, against, within_reach
from mdm.hub.judged import word_about
from mdm.hub.reach import reachable
from mdm.hub.shared_keys import SharedKey, shared_keys
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.store import evidence, neighbourhood, pairs, read_match
from mdm.store.unit_of_work import UnitOfWork

#: Candidates are looked up for at most this many members: each may be in dozens of blocks.
MOST_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was compared with a member and stayed outside, and why."""

    member: CrosswalkKey
    record: CrosswalkKey
    entity_id: EntityId
    score: PairScore
    decision: Decision
    reason: str
    #: What both have under blocking rules, and whether they were compared because of it.
    shared_keys: tuple[SharedKey, ...]
    #: What the reason is about, where a match between the two entities was not followed.
    refused: Against | None = None


def nearest_rejected(
    work: UnitOfWork,
    model: MatchModel,
    hood: Neighbourhood,
    clustering: Clustering,
    members: Set[RecordId],
    of: Set[RecordId],
    nearest: int,
) -> tuple[Rejected, ...]:
    """For each entity outside the closest pair with one of the members in `of`, the closest entities first."""
    looked_at = sorted(of)[:MOST_MEMBERS]
    found = set(pairs.blocked_pairs(work, looked_at, model.block_cap))
    if hood.domain is not Domain.CONTRACT:
        found |= evidence.evidence_pairs(work, hood.domain, looked_at, model.block_cap)
    found |= {(link.a, link.b) for link in hood.links}
    crossing = sorted(
        pair for pair in found if (pair[0] in members) != (pair[1] in members) and (pair[0] in of or pair[1] in of)
    )
    comparisons = neighbourhood.load_comparisons(work, hood.domain, {end for pair in crossing for end in pair})
    crossing = [pair for pair in crossing if pair[0] in comparisons and pair[1] in comparisons]
    if not crossing:
        return ()
    scores = score_pairs(model, [comparisons[a] for a, _ in crossing], [comparisons[b] for _, b in crossing])
    outsiders = [b if a in members else a for a, b in crossing]
    homes = read_match.golden_homes(work, set(outsiders))
    best: dict[EntityId, tuple[float, RecordId, RecordId]] = {}
    for (a, b), other, weight in zip(crossing, outsiders, scores.weight.tolist(), strict=True):
        if other not in homes:
            continue
        entity = homes[other].entity_id
        if entity not in best or weight > best[entity][0]:
            best[entity] = (weight, a if other == b else b, other)
    refused = _refused(model, hood, clustering, members)
    closest = sorted(best.values(), key=lambda each: (-each[0], each[2]))[:nearest]
    met = shared_keys(work, model, comparisons, [(member, other) for _, member, other in closest])
    return tuple(
        _told(work, model, hood, comparisons, homes[other], member, other, refused, met[member, other])
        for _, member, other in closest
    )


def told_to(engine: Engine, rejected: Sequence[Rejected]) -> tuple[Rejected, ...]:
    """Those that whoever uses this engine may know of, with what they may know."""
    reached = reachable(engine, {each.entity_id for each in rejected})
    seen = [each for each in rejected if each.entity_id in reached]
    why = within_reach(engine, [each.refused for each in seen])
    return tuple(replace(each, refused=refused) for each, refused in zip(seen, why, strict=True))


def _told(
    work: UnitOfWork,
    model: MatchModel,
    hood: Neighbourhood,
    comparisons: Mapping[RecordId, Mapping[str, Any]],
    home: read_match.Home,
    member: RecordId,
    other: RecordId,
    refused: Mapping[RecordId, Against],
    met: tuple[SharedKey, ...],
) -> Rejected:
    score = explain_pair(model, comparisons[member], comparisons[other])
    decision = decide(model, score.weight, score.veto)
    why: Against | None = None
    word = word_about(work, member, other) if frozenset((member, other)) in hood.not_same else None
    if word is not None:
        reason = f"a steward judged them not the same ({word.words})"
    elif other in refused:
        why = refused[other]
        reason = why.reason
    elif score.reasons:
        reason = score.reasons[0]
    elif decision is Decision.POSSIBLE:
        reason = "possible match: waits for a steward"
    else:
        reason = "too little evidence"
    return Rejected(hood.records[member].key, home.key, home.entity_id, score, decision, reason, met, why)


def _refused(
    model: MatchModel, hood: Neighbourhood, clustering: Clustering, members: Set[RecordId]
) -> dict[RecordId, Against]:
    """Why a match with a group was not followed, for every record of that group."""
    groups = {rec: frozenset(map(RecordId, group)) for group in clustering.groups for rec in group}
    found: dict[RecordId, Against] = {}
    for refusal in clustering.refused:
        ends = (refusal.a, refusal.b)
        for inside, outside in (ends, reversed(ends)):
            if inside in members and outside not in members and outside not in found:
                why = against(model, hood, clustering, members, groups[outside])
                if why is not None:
                    found |= dict.fromkeys(groups[outside], why)
    return found
