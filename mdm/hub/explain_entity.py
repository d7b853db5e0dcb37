"""How an entity came to be: its members joined step by step, and the nearest records that stayed outside.

The steps are those of the clustering itself, run again over what links and judgements reach, so the story can never
differ from what the hub did.
"""

from dataclasses import dataclass

from sqlalchemy import Engine

from matching.clustering import Clustering
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair
from mdm.core.identity import group
from mdm.core.rules import Rules
from mdm.errors import NotFound
from mdm.hub.explain_rejected import MOST_MEMBERS, Rejected, nearest_rejected, told_to
from mdm.hub.reach import must_reach_parts
from mdm.hub.shared_keys import SharedKey, oversized_keys, shared_keys
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.store import neighbourhood
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted
from mdm.store.unit_of_work import UnitOfWork


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
    #: What both have under blocking rules, and whether they were compared because of it.
    shared_keys: tuple[SharedKey, ...]


@dataclass(frozen=True, slots=True)
class EntityExplanation:
    """An entity taken apart. `steps` are in the order in which they were decided, the surest first.

    `oversized` is what members have under blocking rules that too many records have to be compared because of it.
    """

    entity_id: EntityId
    domain: Domain
    members: tuple[CrosswalkKey, ...]
    steps: tuple[JoinStep, ...]
    rejected: tuple[Rejected, ...]
    oversized: tuple[SharedKey, ...]
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
        rejected = nearest_rejected(work, model, hood, clustering, members, members, nearest)
        steps = _steps(work, model, hood, clustering, members)
        oversized = oversized_keys(
            work, model, (hood.records[rec].comparison for rec in sorted(members)[:MOST_MEMBERS])
        )
    return EntityExplanation(
        entity_id=EntityId(entity_id),
        domain=domain,
        members=tuple(sorted(hood.records[rec].key for rec in members)),
        steps=steps,
        rejected=told_to(engine, rejected),
        oversized=oversized,
        model=model.fingerprint,
    )


def _steps(
    work: UnitOfWork,
    model: MatchModel,
    hood: Neighbourhood,
    clustering: Clustering,
    members: frozenset[RecordId],
) -> tuple[JoinStep, ...]:
    joined: dict[int, set[int]] = {rec: {rec} for rec in members}
    told: list[JoinStep] = []
    taken = [step for step in clustering.steps if step.a in joined and step.b in joined]
    comparisons = {rec: hood.records[rec].comparison for rec in members}
    met = shared_keys(work, model, comparisons, ((RecordId(step.a), RecordId(step.b)) for step in taken))
    for step in taken:
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
                decision=decide(model, score.weight, score.veto),
                members=len(both),
                shared_keys=met[RecordId(step.a), RecordId(step.b)],
            )
        )
    return tuple(told)
