"""Which id a cluster carries: ids are issued once, survive merges and splits, and are never lost.

The rules, in order: an entity stays with the cluster that holds its founding record, else with the one that holds most
of its members; of several entities in one cluster the oldest survives and the others redirect to it; a cluster without
an entity takes back an id that one of its records founded or last belonged to, before a new one is minted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mdm.model.delta import Founding, KnownEntity, Succession
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId, mint_entity_id


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
) -> Assignment:
    """Give every group its id.

    Args:
        names: the crosswalk key of every record in `groups`.
        membership: the entity each record belonged to before, for records that had one.
        departed: entity of records that are no longer live.
        entities: every entity named by the other arguments, and those founded by a record in `groups`.
        claims: for records without an entity, the entity they last belonged to.
    """
    ordered = [sorted(group, key=lambda rec: names[rec]) for group in groups]
    group_of = {rec: index for index, members in enumerate(ordered) for rec in members}
    held: dict[int, list[EntityId]] = {index: [] for index in range(len(ordered))}
    for entity_id, index in _keepers(ordered, group_of, membership, entities).items():
        held[index].append(entity_id)
    founders: dict[RecordId, list[EntityId]] = {}
    for entity in entities.values():
        founders.setdefault(entity.founder, []).append(entity.entity_id)
    taken = {entity_id for ids in held.values() for entity_id in ids}
    # An active entity is free to be taken back only when all its members have just departed.
    left = set(departed.values())
    free = {key: entity for key, entity in entities.items() if entity.status != "active" or key in left}

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
                if returning.status != "active":
                    succession.append(Succession(returning.entity_id, "active"))
        if candidates:
            survivor, *absorbed = sorted(candidates, key=lambda each: (entities[each].founded_at, each))
            succession.extend(Succession(loser, "merged", survivor) for loser in absorbed)
        else:
            survivor = mint_entity_id(domain, names[members[0]], now)
            founded.append(Founding(survivor, domain, members[0]))
        ids.append(survivor)

    touched = set(membership.values()) | set(departed.values())
    lost = sorted(touched - taken)
    succession.extend(Succession(entity_id, "retired") for entity_id in lost if entities[entity_id].status == "active")
    return Assignment(tuple(ids), tuple(founded), tuple(succession))


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
