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
from mdm.hub.explain_rejected import Rejected, nearest_rejected
from mdm.hub.reach import must_reach_parts, reachable
from mdm.hub.shared_keys import shared_keys
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from mdm.store import neighbourhood
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted


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
    #: The blocking rules under which the two were compared.
    shared_keys: tuple[str, ...]


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
        rejected = nearest_rejected(work, model, hood, clustering, members, members, nearest)
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
                decision=decide(model, score.weight, score.veto),
                members=len(both),
                shared_keys=shared_keys(model, a.comparison, b.comparison),
            )
        )
    return tuple(told)
