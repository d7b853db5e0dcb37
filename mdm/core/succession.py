"""Which id a cluster carries: ids are issued once, survive merges and splits, and are never lost.

The rules, in order: an entity stays with the cluster that holds its founding record, else with the one that holds most
of its members; of several entities in one cluster the oldest survives and the others redirect to it; a cluster without
an entity takes back an id that one of its records founded or last belonged to, before a new one is minted.

Where a decision is taken back, or a source comes back into service, records count as members of the entities they had
left for it: long histories leave ids with records that did not found them, so that neither founders nor ages tell what
was before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.model.delta import Founding, KnownEntity, Recall, Succession
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId, mint_entity_id

_NOTHING = Recall()
#: Of an id that no record carries; an erased one never comes back.
_ENDED = frozenset({"merged", "retired"})


@dataclass(frozen=True, slots=True)
class Assignment:
    """The id of each group (in the order given), and what that means for ids."""

    ids: tuple[EntityId, ...]
    founded: tuple[Founding, ...]
    succession: tuple[Succession, ...]


def assign(
    domain: Domain,
    groups: Sequence[frozenset[RecordId]],
    names: Mapping[RecordId, CrosswalkKey],
    membership: Mapping[RecordId, EntityId],
    departed: Mapping[RecordId, EntityId],
    entities: Mapping[EntityId, KnownEntity],
    claims: Mapping[RecordId, EntityId],
    now: datetime,
    recall: Recall = _NOTHING,
) -> Assignment:
    """Give every group its id.

    Args:
        names: the crosswalk key of every record in `groups`.
        membership: the entity each record belonged to before, for records that had one.
        departed: entity of records that are no longer live.
        entities: every entity named by the other arguments, and those founded by a record in `groups`.
        claims: for records without an entity, the entity they last belonged to.
        recall: what was before a decision that is taken back.
    """
    ordered = [sorted(group, key=lambda rec: names[rec]) for group in groups]
    group_of = {rec: index for index, members in enumerate(ordered) for rec in members}
    held: dict[int, list[EntityId]] = {index: [] for index in range(len(ordered))}
    left = set(departed.values())
    inside = set(membership.values()) | left
    # An id that lives on among records that are not looked at here cannot be given again.
    homes = {
        rec: home
        for rec, home in recall.homes.items()
        if (rec in membership or rec in claims)
        and home in entities
        and (home in inside or entities[home].status in _ENDED)
    }
    for entity_id, index in _keepers(ordered, group_of, {**membership, **homes}, entities).items():
        held[index].append(entity_id)
    founders: dict[RecordId, list[EntityId]] = {}
    for entity in entities.values():
        founders.setdefault(entity.founder, []).append(entity.entity_id)
    taken = {entity_id for ids in held.values() for entity_id in ids}
    # An active entity is free to be taken back only when all its members have just departed.
    free = {key: entity for key, entity in entities.items() if entity.status in _ENDED or key in left}

    ids: list[EntityId] = []
    founded: list[Founding] = []
    succession: list[Succession] = []
    for index, members in enumerate(ordered):
        candidates = held[index]
        if not candidates:
            returning = _returning(members, founders, claims, free, taken)
            if returning is not None:
                candidates = [returning.entity_id]
                taken.add(returning.entity_id)
        if candidates:
            survivor, *absorbed = sorted(candidates, key=lambda each: _rank(entities[each]))
            if entities[survivor].status != "active":
                succession.append(Succession(survivor, "active", absorbed_by=entities[survivor].absorbed_by))
            succession.extend(
                Succession(loser, "merged", survivor) for loser in absorbed if entities[loser].status == "active"
            )
        else:
            survivor = mint_entity_id(domain, names[members[0]], now)
            founded.append(Founding(survivor, domain, members[0]))
        ids.append(survivor)

    lost = {each for each in inside - taken if entities[each].status == "active"}
    for entity_id in sorted(lost):
        absorber = recall.absorbers.get(entity_id)
        back = absorber is not None and _leads_away(entity_id, absorber, lost, set(ids), entities, recall.absorbers)
        succession.append(Succession(entity_id, "merged", absorber) if back else Succession(entity_id, "retired"))
    return Assignment(tuple(ids), tuple(founded), tuple(succession))


def _rank(entity: KnownEntity) -> tuple[bool, datetime, EntityId]:
    """The oldest first; an id that is only recalled yields to one in use."""
    return entity.status != "active", entity.founded_at, entity.entity_id


def _leads_away(
    lost_id: EntityId,
    absorber: EntityId,
    lost: Collection[EntityId],
    carried: Collection[EntityId],
    entities: Mapping[EntityId, KnownEntity],
    absorbers: Mapping[EntityId, EntityId],
) -> bool:
    """Whether a redirect to the absorber ends at another id, and not at the very one that is redirected."""
    passed = {lost_id}
    at: EntityId | None = absorber
    while at is not None and at not in passed:
        passed.add(at)
        known = entities.get(at)
        if at in carried:
            return True
        if at in lost:
            at = absorbers.get(at)
        elif known is not None and known.status == "merged":
            at = known.merged_into
        else:
            return True
    return at is None


def _keepers(
    ordered: Sequence[Sequence[RecordId]],
    group_of: Mapping[RecordId, int],
    membership: Mapping[RecordId, EntityId],
    entities: Mapping[EntityId, KnownEntity],
) -> dict[EntityId, int]:
    """The group that each existing entity stays with."""
    share: dict[EntityId, dict[int, int]] = {}
    for index, members in enumerate(ordered):
        for rec in members:
            entity_id = membership.get(rec)
            if entity_id is not None:
                counts = share.setdefault(entity_id, {})
                counts[index] = counts.get(index, 0) + 1
    keepers: dict[EntityId, int] = {}
    for entity_id, counts in share.items():
        founder = entities[entity_id].founder
        home = group_of.get(founder)
        if home is not None and home in counts and membership.get(founder) == entity_id:
            keepers[entity_id] = home
        else:
            # Groups are handed over in name order, so the lower index is a stable tie-break.
            keepers[entity_id] = min(counts, key=lambda index: (-counts[index], index))
    return keepers


def _returning(
    members: Iterable[RecordId],
    founders: Mapping[RecordId, Sequence[EntityId]],
    claims: Mapping[RecordId, EntityId],
    free: Mapping[EntityId, KnownEntity],
    taken: set[EntityId],
) -> KnownEntity | None:
    """An id without members that these records founded or last carried, the oldest first."""
    options = {
        entity_id
        for rec in members
        for entity_id in (*founders.get(rec, ()), *((claims[rec],) if rec in claims else ()))
        if entity_id in free and entity_id not in taken
    }
    return min((free[each] for each in options), key=lambda each: (each.founded_at, each.entity_id), default=None)
