"""Why two source records are, or are not, one entity - and how an entity hangs together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from matching.blocking import block_keys, dynamic_keys
from matching.decision import decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair
from mdm.core.rules import Rules
from mdm.errors import Invalid, NotFound
from mdm.hub.reach import must_reach_parts
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import neighbourhood, reach
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


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another record that was compared with this one and kept: linked, or close."""

    key: CrosswalkKey
    entity_id: EntityId | None
    decision: str
    weight: float
    veto: str | None


@dataclass(frozen=True, slots=True)
class RecordExplanation:
    """The entity of a record: its members, the links of the record inside it, and the nearest that stayed outside."""

    record: Found
    members: tuple[CrosswalkKey, ...]
    inside: tuple[Neighbour, ...]
    outside: tuple[Neighbour, ...]


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
        a, b = _find(work, first), _find(work, second)
        if a.domain is not b.domain:
            raise NotFound(f"{first} is a {a.domain} and {second} a {b.domain}; only records of one domain compare.")
        model = rules.models[a.domain]
        comparisons = neighbourhood.load_comparisons(work, a.domain, [a.rec_id, b.rec_id])
        score = explain_pair(model, comparisons[a.rec_id], comparisons[b.rec_id])
        veto = score.vetoes[0] if score.vetoes else None
        decision = decide(model, score.weight, veto)
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
            shared_keys=_shared_keys(model, comparisons[a.rec_id], comparisons[b.rec_id]),
            judgement=rows[0][0] if rows else None,
            veto=None if decision is decide(model, score.weight, None) else _reason(model, veto),
            path=_path(work, a, b),
        )


def _reason(model: MatchModel, veto: str | None) -> str | None:
    return next((each.reason for each in model.vetoes if each.name == veto), None)


def explain_one(engine: Engine, key: CrosswalkKey) -> RecordExplanation:
    """Explain the entity of one record.

    Raises:
        NotFound: the record is not live in a resolved domain.
    """
    with snapshot(engine) as work:
        found = _find(work, key)
        members = work.query(
            """select system, type, key from crosswalk join source_record using (rec_id) where entity_id = %s
               order by system, type, key""",
            found.entity_id,
        )
        neighbours = []
        links = reach.links_of(work, [found.rec_id])
        ends = {link.a if link.b == found.rec_id else link.b: link for link in links}
        rows = work.query(
            """select rec_id, system, type, key, entity_id from source_record left join crosswalk using (rec_id)
               where rec_id = any(%s)""",
            list(ends),
        )
        for row in rows:
            link = ends[RecordId(row[0])]
            neighbours.append(Neighbour(CrosswalkKey(*row[1:4]), row[4], link.decision, link.weight, link.veto))
        neighbours.sort(key=lambda each: (-each.weight, each.key))
        return RecordExplanation(
            found,
            tuple(CrosswalkKey(*row) for row in members),
            tuple(each for each in neighbours if each.entity_id == found.entity_id),
            tuple(each for each in neighbours if each.entity_id != found.entity_id),
        )


def _find(work: UnitOfWork, key: CrosswalkKey) -> Found:
    rows = work.query(
        """select rec_id, domain, entity_id from source_record join crosswalk using (rec_id)
           where system = %s and type = %s and key = %s""",
        *key,
    )
    if not rows:
        raise NotFound(
            f"There is no live customer, contract or product record {key}.",
            action="Check platform, table and key; `mdm export crosswalk --domain D` lists all records.",
        )
    return Found(RecordId(rows[0][0]), key, Domain(rows[0][1]), EntityId(rows[0][2]))


def _shared_keys(model: MatchModel, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    shared = {*block_keys(model, a)} & {*block_keys(model, b)}
    rules = {f"{key.rule} = {key.value}" for key in shared}
    rules |= {f"stated about both = {token}" for token in {*a.get("tokens", ())} & {*b.get("tokens", ())}}
    if a.get("customer") is not None and a.get("customer") == b.get("customer"):
        joined = {*dynamic_keys(model, a)} & {*dynamic_keys(model, b)}
        rules |= {f"same customer, {key.rule}" for key in joined}
    return tuple(sorted(rules))


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
