"""Who is who in one domain after a batch, and what survives of each.

`settle` is the second half of `resolve`: links are already decided; it clusters everything they reach, gives every
cluster its id, consolidates golden records, opens and closes questions for stewards, and says what to announce.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matching.clustering import TOO_MANY, Clustering, Edge, cluster
from matching.decision import Decision
from matching.model import MatchModel
from mdm.core.digest import golden_digest, surviving_support
from mdm.core.overrides import challenges
from mdm.core.rules import Rules
from mdm.core.succession import Assignment, assign
from mdm.model.delta import Announcement, GoldenVersion, IdentityDelta, LinkChange, Membership, Renewal, Task
from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood
from survivorship.engine import consolidate


def settle(
    hood: Neighbourhood, rules: Rules, now: datetime, links: LinkChange | None = None, cause: str = "source"
) -> IdentityDelta:
    """Everything to write for one domain.

    Args:
        hood: closed under match links; see `Neighbourhood`.
        links: the change of links that led here, carried into the delta.
        cause: what new golden versions say caused them, where neither a merge nor a split did.
    """
    clustering = group(hood, rules.models[hood.domain])
    names = {rec: record.key for rec, record in hood.records.items()}
    membership = {rec: record.entity_id for rec, record in hood.records.items() if record.entity_id is not None}
    found = [frozenset(map(RecordId, members)) for members in clustering.groups]
    groups = sorted(found, key=lambda members: min(names[rec] for rec in members))
    assignment = assign(
        hood.domain, groups, names, membership, hood.departed, hood.entities, hood.claims, now, hood.recall
    )
    entity_of = {rec: entity_id for members, entity_id in zip(groups, assignment.ids, strict=True) for rec in members}
    joined = tuple(
        Membership(rec, entity_id, membership.get(rec))
        for rec, entity_id in sorted(entity_of.items())
        if membership.get(rec) != entity_id
    )
    settled = list(_golden(hood, rules, groups, assignment, joined, cause))
    golden = tuple(each for each in settled if isinstance(each, GoldenVersion))
    closed = tuple(change.entity_id for change in assignment.succession if change.status != "active")
    opened, answered = _tasks(hood, clustering, entity_of)
    return IdentityDelta(
        domain=hood.domain,
        links=links or LinkChange(),
        founded=assignment.founded,
        succession=assignment.succession,
        joined=joined,
        departed=tuple(sorted(hood.departed.items())),
        golden=golden,
        renewed=tuple(each for each in settled if isinstance(each, Renewal)),
        closed=closed,
        tasks_opened=opened,
        tasks_closed=answered,
        announcements=tuple(_announcements(hood, assignment, golden)),
    )


def group(hood: Neighbourhood, model: MatchModel) -> Clustering:
    """The clusters of a neighbourhood: a function of its records, live match links and judgements only."""
    inside = hood.records
    edges = [
        Edge(link.a, link.b, link.weight, Decision(link.decision), link.veto)
        for link in hood.links
        if link.a in inside and link.b in inside
    ]
    nodes: dict[int, Mapping[str, Any]] = {rec: record.comparison for rec, record in inside.items()}
    return cluster(model, nodes, edges, hood.same, hood.not_same)


def _golden(
    hood: Neighbourhood,
    rules: Rules,
    groups: Sequence[frozenset[RecordId]],
    assignment: Assignment,
    joined: Sequence[Membership],
    cause: str,
) -> Iterable[GoldenVersion | Renewal]:
    """New versions of the golden records whose members, or whose members' content, changed.

    Where the values stay and only the reasons changed, the version is renewed instead.
    """
    ruleset = rules.rulesets[hood.domain]
    merged = {change.merged_into for change in assignment.succession}
    parted = {change.left for change in joined}
    moved = {change.entity_id for change in joined} | {change.left for change in joined if change.left is not None}
    moved |= set(hood.departed.values())
    for members, entity_id in zip(groups, assignment.ids, strict=True):
        current = hood.golden.get(entity_id)
        if entity_id not in moved and current is not None and current.live and not members & hood.changed:
            continue
        records = [hood.records[rec] for rec in sorted(members, key=lambda rec: hood.records[rec].key)]
        pinned = [override for rec in members for override in hood.overrides.get(rec, ())]
        surviving = consolidate(ruleset, records, rules.trust, pinned)
        keys = tuple(record.key for record in records)
        digest = golden_digest(keys, surviving.values)
        support = surviving_support(surviving)
        if current is not None and current.live and current.digest == digest:
            if current.support != support:
                lineage = {name: each.as_json() for name, each in surviving.lineage.items()}
                yield Renewal(entity_id, hood.domain, lineage, support, surviving.search_terms)
            continue
        before = current.values if current is not None else {}
        yield GoldenVersion(
            entity_id=entity_id,
            domain=hood.domain,
            version=current.version + 1 if current is not None else 1,
            name=surviving.name,
            values=surviving.values,
            lineage={name: lineage.as_json() for name, lineage in surviving.lineage.items()},
            members=keys,
            digest=digest,
            support=support,
            ruleset=ruleset.fingerprint,
            cause=(
                "merge"
                if entity_id in merged
                else "founded"
                if current is None
                else "split"
                if entity_id in parted
                else cause
            ),
            changed=_changed_attributes(before, surviving.values),
            search_terms=surviving.search_terms,
        )


def _changed_attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A pair that a person should look at."""

    a: RecordId
    b: RecordId
    weight: float
    kind: str
    detail: str


def _tasks(
    hood: Neighbourhood, clustering: Clustering, entity_of: Mapping[RecordId, EntityId]
) -> tuple[tuple[Task, ...], tuple[int, ...]]:
    """One question per pair of entities: the strongest doubt between them. Answered questions are closed."""
    names = {rec: record.key for rec, record in hood.records.items()}
    names |= {rec: outsider.name for rec, outsider in hood.outsiders.items()}
    home = dict(entity_of) | {rec: outsider.entity_id for rec, outsider in hood.outsiders.items()}
    # Whoever parted two entities has answered every question about the two, whichever of their records asks.
    parted = {frozenset(home[rec] for rec in pair) for pair in hood.not_same if pair <= home.keys()}
    best: dict[frozenset[EntityId], tuple[tuple[float, CrosswalkKey, CrosswalkKey], _Doubt]] = {}
    for doubt in _doubts(hood, clustering):
        if doubt.a not in home or doubt.b not in home:
            continue  # the other record is no longer live; its link is superseded in this same unit of work
        pair = frozenset((home[doubt.a], home[doubt.b]))
        if len(pair) < 2 or pair in parted or frozenset((doubt.a, doubt.b)) in hood.not_same:
            continue
        low, high = sorted((names[doubt.a], names[doubt.b]))
        rank = (-doubt.weight, low, high)
        if pair not in best or rank < best[pair][0]:
            best[pair] = (rank, doubt)
    wanted = {}
    for (_, low, high), doubt in best.values():
        question = f"{hood.domain}:{low}|{high}"
        a, b = sorted((doubt.a, doubt.b))
        wanted[question] = Task(question, doubt.kind, hood.domain, a, b, doubt.weight, doubt.detail)
    wanted |= {task.question: task for task in challenges(hood, entity_of)}
    known = {task.question for task in hood.open_tasks}
    opened = tuple(task for question, task in sorted(wanted.items()) if question not in known)
    answered = tuple(sorted(task.task_id for task in hood.open_tasks if task.question not in wanted))
    return opened, answered


def _doubts(hood: Neighbourhood, clustering: Clustering) -> Iterable[_Doubt]:
    for link in hood.links:
        if link.decision == Decision.POSSIBLE:
            yield _Doubt(link.a, link.b, link.weight, "possible_match", link.veto or "")
    for refusal in clustering.refused:
        kind = "oversize" if refusal.reason == TOO_MANY else "conflict"
        yield _Doubt(RecordId(refusal.a), RecordId(refusal.b), refusal.weight, kind, refusal.reason)


def _announcements(
    hood: Neighbourhood, assignment: Assignment, golden: Sequence[GoldenVersion]
) -> Iterable[Announcement]:
    for change in assignment.succession:
        if change.status == "active":
            continue  # announced by its next golden version
        payload = {"entity_id": change.entity_id, "domain": hood.domain.value, "status": change.status}
        if change.merged_into is not None:
            payload["merged_into"] = change.merged_into
        yield Announcement(hood.domain, change.entity_id, f"{hood.domain}.{change.status}", payload)
    for version in golden:
        kind = "created" if version.version == 1 else "changed"
        yield Announcement(
            hood.domain,
            version.entity_id,
            f"{hood.domain}.{kind}",
            {
                "entity_id": version.entity_id,
                "domain": hood.domain.value,
                "version": version.version,
                "cause": version.cause,
                "changed": list(version.changed),
                "values": version.values,
                "members": [{"system": key.system, "type": key.type, "key": key.key} for key in version.members],
            },
        )
