"""How an entity came to be: its members joined step by step, and the nearest records that stayed outside.

The steps are those of the clustering itself, run again over what links and judgements reach, so the story can never
differ from what the hub did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from matching.clustering import Clustering
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair, score_pairs
from mdm.core.identity import group
from mdm.core.rules import Rules
from mdm.errors import NotFound
from mdm.hub.reach import must_reach_parts, reachable
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.store import neighbourhood, pairs, read_match
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork

#: Candidates are looked up for at most this many members: each may be in dozens of blocks.
_MOST_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class JoinStep:
    """Two groups of records became one. `score` explains the pair along which it happened.

    `decision` is what the model alone makes of the pair, also where a steward joined it.
    """

    number: int
    a: CrosswalkKey
    b: CrosswalkKey
    by: str  # model or steward
    score: PairScore
    decision: Decision
    #: Records of the group after this step.
    members: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was compared with a member and stayed outside, and why."""

    member: CrosswalkKey
    record: CrosswalkKey
    entity_id: EntityId
    score: PairScore
    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class EntityExplanation:
    """An entity taken apart. `steps` are in the order in which they were decided, the surest first."""

    entity_id: EntityId
    domain: Domain
    members: tuple[CrosswalkKey, ...]
    steps: tuple[JoinStep, ...]
    rejected: tuple[Rejected, ...]
    model: str


def explain_entity(engine: Engine, rules: Rules, entity_id: str, nearest: int = 10) -> EntityExplanation:
    """Explain an active entity; one that was merged as the one that it is now.

    Raises:
        NotFound: no live record belongs to it.
    """
    must_reach_parts(engine, entities=[entity_id])
    with snapshot(unrestricted(engine)) as work:
        rows = work.query(
            """select e.domain, e.status, coalesce(e.merged_into, e.entity_id), c.rec_id from entity e
               left join crosswalk c on c.entity_id = coalesce(e.merged_into, e.entity_id)
               where e.entity_id = %s order by c.rec_id""",
            entity_id,
        )
        if not rows:
            raise NotFound(
                f"No golden record was ever called {entity_id}.",
                action="Check the id; `mdm export golden --domain D` lists all golden records.",
            )
        if rows[0][3] is None:
            raise NotFound(
                f"No live record belongs to {entity_id}: it is {rows[0][1]}.",
                action="`GET /v1/ids/{id}` says what became of an id.",
            )
        must_reach_parts(engine, entities=[rows[0][2]])
        entity_id = str(rows[0][2])
        domain, members = Domain(rows[0][0]), frozenset(RecordId(row[3]) for row in rows)
        model = rules.models[domain]
        hood = neighbourhood.load_neighbourhood(work, domain, (), members, {})
        clustering = group(hood, model)
        rejected = _rejected(work, model, hood, clustering, members, nearest)
    reached = reachable(engine, {each.entity_id for each in rejected})
    return EntityExplanation(
        entity_id=EntityId(entity_id),
        domain=domain,
        members=tuple(sorted(hood.records[rec].key for rec in members)),
        steps=_steps(model, hood, clustering, members),
        rejected=tuple(each for each in rejected if each.entity_id in reached),
        model=model.fingerprint,
    )


def _steps(
    model: MatchModel, hood: Neighbourhood, clustering: Clustering, members: frozenset[RecordId]
) -> tuple[JoinStep, ...]:
    joined: dict[int, set[int]] = {rec: {rec} for rec in members}
    told: list[JoinStep] = []
    for step in clustering.steps:
        if step.a not in joined or step.b not in joined:
            continue
        both = joined[step.a] | joined[step.b]
        for rec in both:
            joined[rec] = both
        a, b = hood.records[RecordId(step.a)], hood.records[RecordId(step.b)]
        score = explain_pair(model, a.comparison, b.comparison)
        told.append(
            JoinStep(
                number=len(told) + 1,
                a=a.key,
                b=b.key,
                by="steward" if step.weight is None else "model",
                score=score,
                decision=decide(model, score.weight, score.vetoes[0] if score.vetoes else None),
                members=len(both),
            )
        )
    return tuple(told)


def _rejected(
    work: UnitOfWork,
    model: MatchModel,
    hood: Neighbourhood,
    clustering: Clustering,
    members: frozenset[RecordId],
    nearest: int,
) -> tuple[Rejected, ...]:
    """For each entity outside the closest pair with a member, the closest entities first."""
    looked_at = sorted(members)[:_MOST_MEMBERS]
    found = set(pairs.blocked_pairs(work, looked_at, model.block_cap))
    if hood.domain is not Domain.CONTRACT:
        found |= pairs.evidence_pairs(work, hood.domain, looked_at, model.block_cap)
    found |= {(link.a, link.b) for link in hood.links}
    crossing = sorted(pair for pair in found if (pair[0] in members) != (pair[1] in members))
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
    reasons = _reasons(hood, clustering, members)
    return tuple(
        _told(model, hood, comparisons, homes[other], member, other, reasons)
        for _, member, other in sorted(best.values(), key=lambda each: (-each[0], each[2]))[:nearest]
    )


def _told(
    model: MatchModel,
    hood: Neighbourhood,
    comparisons: Mapping[RecordId, Mapping[str, Any]],
    home: read_match.Home,
    member: RecordId,
    other: RecordId,
    reasons: Mapping[RecordId, str],
) -> Rejected:
    score = explain_pair(model, comparisons[member], comparisons[other])
    veto = score.vetoes[0] if score.vetoes else None
    decision = decide(model, score.weight, veto)
    if frozenset((member, other)) in hood.not_same:
        reason = "a steward judged them not the same"
    elif other in reasons:
        reason = reasons[other]
    elif veto is not None:
        reason = veto
    elif decision is Decision.POSSIBLE:
        reason = "possible match: waits for a steward"
    else:
        reason = "too little evidence"
    return Rejected(hood.records[member].key, home.key, home.entity_id, score, decision, reason)


def _reasons(hood: Neighbourhood, clustering: Clustering, members: frozenset[RecordId]) -> dict[RecordId, str]:
    """Why a match with a group was not followed, for every record of that group."""
    groups = {rec: members_ for members_ in clustering.groups for rec in members_}
    reasons: dict[RecordId, str] = {}
    for refusal in clustering.refused:
        ends = (refusal.a, refusal.b)
        for inside, outside in (ends, reversed(ends)):
            if inside in members and outside not in members:
                for rec in groups.get(outside, {outside}):
                    if rec in hood.records:
                        reasons.setdefault(RecordId(rec), refusal.reason)
    return reasons
