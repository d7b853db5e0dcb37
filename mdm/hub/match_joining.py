"""What would become of a record that is not in the hub if it arrived: which golden record it would be joined to.

A pair that matches is not enough: an entity of several records is joined as a whole, so another of its records may
state a number that contradicts the newcomer's, or have nothing in common with it; and where the heaviest pair is
refused, the next one may not be. So everything that arrival would cluster is clustered, the newcomer among it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from matching.clustering import Clustering, Edge, cluster
from matching.decision import Decision
from matching.model import MatchModel
from mdm.core.groups import together
from mdm.core.succession import assign
from mdm.model.delta import KnownEntity
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import neighbourhood, reach, read_match
from mdm.store.unit_of_work import UnitOfWork

#: Weights are kept to a millionth of a bit, as those of links are.
DIGITS: Final = 6

#: The newcomer among records, whose numbers are positive.
NEWCOMER: Final = RecordId(-1)


class Newcomer(NamedTuple):
    """A record that is not in the hub: its name, its comparison form, and the links that it would have on arrival.

    An edge goes from `NEWCOMER` to a live record.
    """

    name: CrosswalkKey
    comparison: Mapping[str, Any]
    edges: Sequence[Edge]

    @property
    def matched(self) -> set[RecordId]:
        return {RecordId(edge.b) for edge in self.edges if edge.decision is Decision.MATCH}


@dataclass(frozen=True, slots=True)
class Joining:
    """The golden records that a newcomer would be one with; of others, of which a record matches, why it would not.

    Several where it would make them one.
    """

    joined: frozenset[EntityId] = frozenset()
    refused: Mapping[EntityId, str] = field(default_factory=dict)


def joinings(
    work: UnitOfWork, model: MatchModel, asked: Sequence[Newcomer], known: Mapping[RecordId, Mapping[str, Any]]
) -> list[Joining]:
    """What would become of each newcomer if it arrived alone. One look into the store for all of them.

    Clustered is what arrival would cluster: everything that its matches, and from there links, entities and stewards'
    verdicts reach. Questions join nobody, and nobody has judged a record that has not come.

    Args:
        known: comparison forms that were read already.
    """
    domain, matched = Domain(model.domain), {rec for each in asked for rec in each.matched}
    if not matched:
        return [Joining() for _ in asked]
    reached = reach.reach(work, matched, ())
    unread = reached.home.keys() - known.keys()
    forms = {**known, **neighbourhood.load_comparisons(work, domain, unread)}
    live = [rec for rec in reached.home if rec in forms]
    stored = _Stored(
        forms,
        read_match.names_of_records(work, live),
        {each.entity_id: each for each in read_match.known_entities(work, set(filter(None, reached.home.values())))},
        work.now,
    )
    parts = reached.parted([list(map(RecordId, part)) for part in together(reached.held_by(), 1, cut=False)])
    return [
        _joining(model, each, [part for part in parts if not each.matched.isdisjoint(part.home)], stored)
        for each in asked
    ]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store says of everything that was reached."""

    forms: Mapping[RecordId, Mapping[str, Any]]
    names: Mapping[RecordId, CrosswalkKey]
    entities: Mapping[EntityId, KnownEntity]
    now: datetime


def _joining(model: MatchModel, newcomer: Newcomer, parts: Sequence[reach.Reached], stored: _Stored) -> Joining:
    homes = {rec: home for part in parts for rec, home in part.home.items() if home is not None and rec in stored.forms}
    if not homes:
        return Joining()
    edges = [
        Edge(link.a, link.b, link.weight, Decision(link.decision), link.veto)
        for part in parts
        for link in part.links.values()
    ]
    found = cluster(
        model,
        {NEWCOMER: newcomer.comparison} | {rec: stored.forms[rec] for rec in homes},
        [*edges, *newcomer.edges],
        {pair for part in parts for pair in part.same},
        {pair for part in parts for pair in part.not_same},
    )
    joined = _joined(Domain(model.domain), newcomer, found, homes, stored)
    matched = {homes[rec] for rec in newcomer.matched if rec in homes} - joined
    return Joining(joined, {entity: _why_not(found, homes, entity) for entity in matched})


def _joined(
    domain: Domain, newcomer: Newcomer, found: Clustering, homes: Mapping[RecordId, EntityId], stored: _Stored
) -> frozenset[EntityId]:
    """The entities whose id would come to stand for the newcomer; none where it would found one."""
    names = {NEWCOMER: newcomer.name} | {rec: stored.names[rec] for rec in homes}
    groups = sorted(
        (frozenset(map(RecordId, group)) for group in found.groups),
        key=lambda group: min(names[rec] for rec in group),
    )
    given = assign(domain, groups, names, homes, {}, stored.entities, {}, stored.now)
    own = next(id for group, id in zip(groups, given.ids, strict=True) if NEWCOMER in group)
    if own not in stored.entities:
        return frozenset()
    return frozenset({own, *(each.entity_id for each in given.succession if each.merged_into == own)})


def _why_not(found: Clustering, homes: Mapping[RecordId, EntityId], entity: EntityId) -> str:
    """Why the newcomer is not one with an entity of which a record matches it."""
    group = next(group for group in found.groups if NEWCOMER in group)
    outside = {rec for rec, home in homes.items() if home == entity} - group
    apart = (each.reason for each in found.refused if {each.a, each.b} & group and {each.a, each.b} & outside)
    # With some of them only: it would take these away from the others.
    return next(apart, _ELSEWHERE if any(homes[RecordId(rec)] != entity for rec in group - {NEWCOMER}) else _PARTED)


_ELSEWHERE: Final = "another golden record fits better"
_PARTED: Final = "it fits some of its records and not the others"
#: Of a golden record that is known by a number alone.
UNMET: Final = "it shares nothing with it that arriving records are looked for under"
