"""Would a record that is not in the hub join a golden record that it matches? Judged as when records arrive.

A pair that matches is not enough: an entity of several records is joined as a whole, so another of its records may
state a number that contradicts the newcomer's, or have nothing in common with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import score_pairs
from mdm.core.groups import together
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.store import neighbourhood, reach
from mdm.store.unit_of_work import UnitOfWork

#: The newcomer among records, whose numbers are positive.
_NEW: Final = -1
_DIGITS: Final = 6


class Matched(NamedTuple):
    """A newcomer's comparison form, and the entities of which it matches a record."""

    newcomer: Mapping[str, Any]
    entities: Sequence[EntityId]


def refusals(
    work: UnitOfWork, model: MatchModel, asked: Sequence[Matched], known: Mapping[RecordId, Mapping[str, Any]]
) -> list[dict[EntityId, str]]:
    """For each newcomer, which of the entities that it matches it would not join, and why. One look for all of them.

    Clustered is what arrival would cluster: everything that links, entities and stewards' verdicts reach.

    Args:
        known: comparison forms that were read already.
    """
    reached = reach.reach(work, (), {entity for each in asked for entity in each.entities})
    unread = reached.home.keys() - known.keys()
    forms = {**known, **neighbourhood.load_comparisons(work, Domain(model.domain), unread)}
    parts = reached.parted([list(map(RecordId, part)) for part in together(reached.held_by(), 1, cut=False)])
    found = []
    for newcomer, entities in asked:
        touched = [part for part in parts if not set(entities).isdisjoint(part.home.values())]
        refused = _refusals(model, newcomer, touched, forms)
        found.append({entity: refused[entity] for entity in entities if entity in refused})
    return found


def _refusals(
    model: MatchModel,
    newcomer: Mapping[str, Any],
    parts: Sequence[reach.Reached],
    comparisons: Mapping[RecordId, Mapping[str, Any]],
) -> dict[EntityId, str]:
    """Of all entities in these parts, those that the newcomer would not join, and why."""
    homes = {rec: home for part in parts for rec, home in part.home.items() if home is not None and rec in comparisons}
    ids = sorted(homes)
    if not ids:
        return {}
    scores = score_pairs(model, [newcomer] * len(ids), [comparisons[rec] for rec in ids])
    weights = np.round(scores.weight, _DIGITS).tolist()
    edges = [
        Edge(link.a, link.b, link.weight, Decision(link.decision), link.veto)
        for part in parts
        for link in part.links.values()
    ]
    edges += [
        Edge(_NEW, rec, weight, decision, veto)
        for rec, weight, veto in zip(ids, weights, scores.veto, strict=True)
        if (decision := decide(model, weight, veto)) is not Decision.NONE
    ]
    found = cluster(
        model,
        {_NEW: newcomer} | {rec: comparisons[rec] for rec in ids},
        edges,
        {pair for part in parts for pair in part.same},
        {pair for part in parts for pair in part.not_same},
    )
    return {entity: why for entity in set(homes.values()) if (why := _why_not(found, homes, entity)) is not None}


def _why_not(found: Clustering, homes: Mapping[RecordId, EntityId], entity: EntityId) -> str | None:
    """Why the newcomer does not join an entity; None where it is with all of its records."""
    group = next(group for group in found.groups if _NEW in group)
    outside = {rec for rec, home in homes.items() if home == entity} - group
    if not outside:
        return None
    apart = (each.reason for each in found.refused if {each.a, each.b} & group and {each.a, each.b} & outside)
    # With some of them only: it would take these away from the others.
    return next(apart, _ELSEWHERE if any(homes[RecordId(rec)] != entity for rec in group - {_NEW}) else _PARTED)


_ELSEWHERE: Final = "another golden record fits better"
_PARTED: Final = "it fits some of its records and not the others"
