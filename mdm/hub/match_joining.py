"""Would a record that is not in the hub join a golden record that it matches? Judged as when records arrive.

A pair that matches is not enough: an entity of several records is joined as a whole, so another of its records may
state a number that contradicts the newcomer's, or have nothing in common with it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from matching.clustering import Edge, cluster
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import score_pairs
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.store import neighbourhood, read_match
from mdm.store.unit_of_work import UnitOfWork

#: The newcomer among records, whose numbers are positive.
_NEW: Final = -1
#: Records of one entity are together already: stronger than whatever the newcomer may match, in bits.
_TOGETHER: Final = 1000.0
_DIGITS: Final = 6


class Matched(NamedTuple):
    """A newcomer's comparison form, and the entities of which it matches a record."""

    newcomer: Mapping[str, Any]
    entities: Sequence[EntityId]


def refusals(
    work: UnitOfWork, model: MatchModel, asked: Sequence[Matched], known: Mapping[RecordId, Mapping[str, Any]]
) -> list[dict[EntityId, str]]:
    """For each newcomer, which of the entities that it matches it would not join, and why. One look for all of them.

    Args:
        known: comparison forms that were read already.
    """
    members = read_match.members(work, {entity for each in asked for entity in each.entities})
    unread = {rec for ids in members.values() for rec in ids} - known.keys()
    forms = {**known, **neighbourhood.load_comparisons(work, Domain(model.domain), unread)}
    return [
        _refusals(model, newcomer, {entity: members.get(entity, ()) for entity in entities}, forms)
        for newcomer, entities in asked
    ]


def _refusals(
    model: MatchModel,
    newcomer: Mapping[str, Any],
    members: Mapping[EntityId, Sequence[RecordId]],
    comparisons: Mapping[RecordId, Mapping[str, Any]],
) -> dict[EntityId, str]:
    """An entity that contradicts itself was joined by a steward; it is then one of its parts that is joined."""
    homes = {rec: entity for entity, ids in members.items() for rec in ids if rec in comparisons}
    ids = sorted(homes)
    if not ids:
        return {}
    scores = score_pairs(model, [newcomer] * len(ids), [comparisons[rec] for rec in ids])
    weights = np.round(scores.weight, _DIGITS).tolist()
    edges = [
        Edge(_NEW, rec, weight, decision, veto)
        for rec, weight, veto in zip(ids, weights, scores.veto, strict=True)
        if (decision := decide(model, weight, veto)) is not Decision.NONE
    ]
    for records in members.values():
        known = [rec for rec in records if rec in comparisons]
        edges += [Edge(a, b, _TOGETHER, Decision.MATCH) for a, b in pairwise(known)]
    found = cluster(model, {_NEW: newcomer} | {rec: comparisons[rec] for rec in ids}, edges, set(), set())
    joined = {homes[RecordId(rec)] for group in found.groups if _NEW in group for rec in group if rec != _NEW}
    told: dict[EntityId, str] = {}
    for each in found.refused:
        if _NEW in (each.a, each.b):
            told.setdefault(homes[RecordId(each.a if each.b == _NEW else each.b)], each.reason)
    return {entity: told.get(entity, _ELSEWHERE) for entity in members if entity not in joined}


_ELSEWHERE: Final = "another golden record fits better"
