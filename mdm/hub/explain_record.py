"""Why one record belongs to its entity: what links it there, and what came nearest to it and stayed outside."""

from dataclasses import dataclass

from sqlalchemy import Engine

from matching.decision import Decision, decide
from matching.scoring import PairScore, explain_pair
from mdm.core.identity import group
from mdm.core.rules import Rules
from mdm.hub.explain import Found, find_live
from mdm.hub.explain_rejected import Rejected, nearest_rejected, told_to
from mdm.hub.reach import must_reach_parts
from mdm.hub.shared_keys import SharedKey, oversized_keys, shared_keys
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.store import neighbourhood
from mdm.store.reading import snapshot
from mdm.store.scoped import unrestricted


@dataclass(frozen=True, slots=True)
class Linked:
    """Another record of the same entity, compared with this one."""

    key: CrosswalkKey
    score: PairScore
    decision: Decision
    #: What both have under blocking rules, and whether they were compared because of it.
    shared_keys: tuple[SharedKey, ...]


@dataclass(frozen=True, slots=True)
class RecordExplanation:
    """The entity of a record: its members, the links of the record inside it, and the nearest that stayed outside.

    `oversized` is what it has under blocking rules that too many records have to be compared because of it.
    """

    record: Found
    members: tuple[CrosswalkKey, ...]
    inside: tuple[Linked, ...]
    rejected: tuple[Rejected, ...]
    oversized: tuple[SharedKey, ...]
    model: str


def explain_one(engine: Engine, rules: Rules, key: CrosswalkKey, nearest: int = 10) -> RecordExplanation:
    """Explain the place of one record.

    Raises:
        RowDeleted: its platform deleted the record.
        NotFound: the record is not live in a resolved domain.
    """
    must_reach_parts(engine, rows=[key])
    with snapshot(unrestricted(engine)) as work:
        found = find_live(engine, work, key)
        model = rules.models[found.domain]
        rows = work.query("select rec_id from crosswalk where entity_id = %s", found.entity_id)
        members = frozenset(RecordId(row[0]) for row in rows)
        hood = neighbourhood.load_neighbourhood(work, found.domain, (), members, {})
        clustering = group(hood, model)
        rejected = nearest_rejected(work, model, hood, clustering, members, {found.rec_id}, nearest)
        own = hood.records[found.rec_id].comparison
        ends = [(link.a, link.b) for link in hood.links if found.rec_id in (link.a, link.b)]
        linked = {a if b == found.rec_id else b for a, b in ends} & members
        comparisons = {rec: hood.records[rec].comparison for rec in members}
        met = shared_keys(work, model, comparisons, [(found.rec_id, rec) for rec in linked])
        oversized = oversized_keys(work, model, [own])
    inside = []
    for rec in linked:
        other = hood.records[rec]
        score = explain_pair(model, own, other.comparison)
        decision = decide(model, score.weight, score.veto)
        inside.append(Linked(other.key, score, decision, met[found.rec_id, rec]))
    return RecordExplanation(
        record=found,
        members=tuple(sorted(hood.records[rec].key for rec in members)),
        inside=tuple(sorted(inside, key=lambda each: (-each.score.weight, each.key))),
        rejected=told_to(engine, rejected),
        oversized=oversized,
        model=model.fingerprint,
    )
