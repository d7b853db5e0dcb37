"""Why two source records are, or are not, one entity."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from matching.decision import decide
from matching.scoring import PairScore, explain_pair
from mdm.core.rules import Rules
from mdm.errors import Invalid, NotFound
from mdm.hub.reach import must_reach_parts
from mdm.hub.shared_keys import shared_keys
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import neighbourhood, reach
from mdm.store.read_identity import OFFER_ROLE
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Found:
    """A live record and the entity it belongs to."""

    rec_id: RecordId
    key: CrosswalkKey
    domain: Domain
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """Everything that speaks for and against two records being one.

    `shared_keys` are the blocking rules under which they were compared; without one they never were. `judgement` is
    what a steward decided, `veto` why the model decides less than their weight says. `path` is the chain of matches
    that joins them when they are not linked directly.
    """

    a: Found
    b: Found
    together: bool
    score: PairScore
    decision: str
    shared_keys: tuple[str, ...]
    judgement: str | None
    veto: str | None
    path: tuple[CrosswalkKey, ...]

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        if self.judgement == "same":
            return "One entity: a steward judged them the same."
        if self.judgement == "not_same":
            return "Not one entity: a steward judged them not the same."
        if self.together and self.decision == "match":
            return f"One entity: they match with {self.score.weight:.1f} bits."
        if self.together:
            via = " - ".join(map(str, self.path))
            return f"One entity through other records: {via}."
        if not self.shared_keys:
            return "Not one entity: they share no blocking key, so they were never compared."
        if self.decision == "match":
            return "Not one entity although the pair matches: joining their entities was refused; see the open task."
        if self.veto is not None:
            effect = "a question for a steward" if self.decision == "possible" else "never joined by the model"
            return f"Not one entity: {effect}, though they weigh {self.score.weight:.1f} bits. {self.veto}"
        if self.decision == "possible":
            return f"Not one entity: a possible match ({self.score.weight:.1f} bits) that waits for a steward."
        return f"Not one entity: {self.score.weight:.1f} bits are too little evidence."


def explain_two(engine: Engine, rules: Rules, first: CrosswalkKey, second: CrosswalkKey) -> PairExplanation:
    """Explain a pair.

    Raises:
        NotFound: one of the records is not live in a resolved domain, or they are of different domains.
        Invalid: they are one record.
    """
    if first == second:
        raise Invalid(
            f"{first} is one record: there is nothing to compare it with.", action="Name another one, or only this one."
        )
    must_reach_parts(engine, rows=[first, second])
    with snapshot(engine) as work:
        a, b = find_live(work, first), find_live(work, second)
        if a.domain is not b.domain:
            raise NotFound(f"{first} is a {a.domain} and {second} a {b.domain}; only records of one domain compare.")
        model = rules.models[a.domain]
        comparisons = neighbourhood.load_comparisons(work, a.domain, [a.rec_id, b.rec_id])
        score = explain_pair(model, comparisons[a.rec_id], comparisons[b.rec_id])
        decision = decide(model, score.weight, score.veto)
        rows = work.query(
            "select verdict from judgement where a = %s and b = %s and superseded_at is null",
            *sorted((a.rec_id, b.rec_id)),
        )
        return PairExplanation(
            a=a,
            b=b,
            together=a.entity_id == b.entity_id,
            score=score,
            decision=decision.value,
            shared_keys=shared_keys(model, comparisons[a.rec_id], comparisons[b.rec_id]),
            judgement=rows[0][0] if rows else None,
            veto=None if decision is decide(model, score.weight, None) else score.reasons[0],
            path=_path(work, a, b),
        )


def find_live(work: UnitOfWork, key: CrosswalkKey) -> Found:
    """The live record of this name.

    Raises:
        NotFound: no customer, contract or product row has it.
    """
    rows = work.query(
        """select rec_id, domain, entity_id from source_record join crosswalk using (rec_id)
           where system = %s and type = %s and key = %s""",
        *key,
    )
    if not rows:
        whose = _offer_of(work, key)
        raise NotFound(
            f"There is no live customer, contract or product record {key}.",
            action=f"It is an offer of {whose}: explain that one."
            if whose is not None
            else "Check platform, table and key; `mdm export crosswalk --domain D` lists all records.",
        )
    return Found(RecordId(rows[0][0]), key, Domain(rows[0][1]), EntityId(rows[0][2]))


def _offer_of(work: UnitOfWork, key: CrosswalkKey) -> CrosswalkKey | None:
    """The product row that a price belongs to: the price is in no entity, and crosswalks list it beside it."""
    rows = work.query(
        """select p.system, p.type, p.key from source_record o
           join record_reference r on r.rec_id = o.rec_id and r.role = %s
           join source_record p on (p.system, p.type, p.key) = (r.system, r.type, r.key)
           where o.system = %s and o.type = %s and o.key = %s and not o.deleted""",
        OFFER_ROLE,
        *key,
    )
    return CrosswalkKey(*rows[0]) if rows else None


def _path(work: UnitOfWork, a: Found, b: Found) -> tuple[CrosswalkKey, ...]:
    """The shortest chain of matches inside the entity, or nothing when there is none."""
    if a.entity_id != b.entity_id:
        return ()
    rows = work.query("select rec_id, system, type, key from crosswalk join source_record using (rec_id) "
                      "where entity_id = %s", a.entity_id)  # fmt: skip
    names = {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}
    steps: dict[RecordId, list[RecordId]] = {rec: [] for rec in names}
    for link in reach.links_of(work, list(names)):
        if link.decision == "match" and link.a in names and link.b in names:
            steps[link.a].append(link.b)
            steps[link.b].append(link.a)
    came_from: dict[RecordId, RecordId | None] = {a.rec_id: None}
    frontier: Sequence[RecordId] = [a.rec_id]
    while frontier and b.rec_id not in came_from:
        reached = []
        for rec in frontier:
            for other in sorted(steps[rec], key=names.__getitem__):
                if other not in came_from:
                    came_from[other] = rec
                    reached.append(other)
        frontier = reached
    if b.rec_id not in came_from:
        return ()
    chain: list[CrosswalkKey] = []
    step: RecordId | None = b.rec_id
    while step is not None:
        chain.append(names[step])
        step = came_from[step]
    return tuple(reversed(chain))
