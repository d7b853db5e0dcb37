"""Golden records as they are and as they were known: one entity at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, tuple_

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import visible
from mdm.store.tables import crosswalk, entity, golden, record_history, source_record


@dataclass(frozen=True, slots=True)
class EntityState:
    """What became of an issued id. `merged_into` is set exactly when `status` is `merged`, and never leads on."""

    entity_id: EntityId
    domain: Domain
    status: str
    merged_into: EntityId | None
    founded_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """One version of a golden record without its lineage (`lineage_of`). `known_to` is None for the current one."""

    entity_id: EntityId
    domain: Domain
    version: int
    name: str
    values: Mapping[str, Any]
    members: int
    ruleset: str
    seq: int
    cause: str
    known_from: datetime
    known_to: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A live source row of an entity, with the change event that gave it its present form."""

    key: CrosswalkKey
    kind: str
    attributes: Mapping[str, Any]
    rejected: Mapping[str, str]
    topic: str
    partition: int
    offset: int
    lsn: int | None
    transaction: str | None
    event_time: datetime
    member_since: datetime


#: Columns of a golden version in the order of `GoldenRow`.
GOLDEN_COLUMNS = (
    golden.c.entity_id,
    golden.c.domain,
    golden.c.version,
    golden.c.name,
    golden.c["values"],
    golden.c.members,
    golden.c.ruleset,
    golden.c.seq,
    golden.c.cause,
    golden.c.known_from,
    golden.c.known_to,
)


def golden_row(row: Sequence[Any]) -> GoldenRow:
    """A row of `GOLDEN_COLUMNS` as a value."""
    return GoldenRow(EntityId(row[0]), Domain(row[1]), *row[2:])


def find_entity(connection: Connection, entity_id: str) -> EntityState | None:
    """The state of an id, or None when it was never issued."""
    row = connection.execute(
        select(
            entity.c.entity_id,
            entity.c.domain,
            entity.c.status,
            entity.c.merged_into,
            entity.c.founded_at,
            entity.c.changed_at,
        ).where(entity.c.entity_id == entity_id, *visible(connection, entity.c.entity_id))
    ).one_or_none()
    return None if row is None else EntityState(row[0], Domain(row[1]), *row[2:])


def absorbed_ids(connection: Connection, entity_id: str) -> Sequence[EntityId]:
    """The ids that redirect to this one, oldest first."""
    return list(
        connection.scalars(
            select(entity.c.entity_id)
            .where(entity.c.merged_into == entity_id, *visible(connection, entity.c.entity_id))
            .order_by(entity.c.founded_at, entity.c.entity_id)
        )
    )


def current_golden(connection: Connection, domain: Domain, entity_id: str) -> GoldenRow | None:
    """The golden record of an active entity."""
    row = connection.execute(
        select(*GOLDEN_COLUMNS).where(
            golden.c.entity_id == entity_id,
            golden.c.domain == domain.value,
            golden.c.known_to.is_(None),
            *visible(connection, golden.c.entity_id),
        )
    ).one_or_none()
    return None if row is None else golden_row(row)


def current_names(connection: Connection, domain: Domain, ids: Iterable[str]) -> Mapping[EntityId, str]:
    """The display names of active entities."""
    rows = connection.execute(
        select(golden.c.entity_id, golden.c.name).where(
            golden.c.entity_id.in_(list(ids)),
            golden.c.domain == domain.value,
            golden.c.known_to.is_(None),
            *visible(connection, golden.c.entity_id),
        )
    )
    return {EntityId(row[0]): row[1] for row in rows}


def current_goldens(connection: Connection, domain: Domain, ids: Sequence[str]) -> Sequence[GoldenRow]:
    """The golden records of active entities, in the order of the ids."""
    rows = connection.execute(
        select(*GOLDEN_COLUMNS).where(
            golden.c.entity_id.in_(list(ids)),
            golden.c.domain == domain.value,
            golden.c.known_to.is_(None),
            *visible(connection, golden.c.entity_id),
        )
    )
    found = {row[0]: golden_row(row) for row in rows}
    return [found[each] for each in ids if each in found]


def golden_known_at(connection: Connection, domain: Domain, entity_id: str, known_at: datetime) -> GoldenRow | None:
    """The version that the hub held as current at this instant, whatever became of the entity later."""
    row = connection.execute(
        select(*GOLDEN_COLUMNS)
        .where(
            golden.c.entity_id == entity_id,
            golden.c.domain == domain.value,
            golden.c.known_from <= known_at,
            or_(golden.c.known_to.is_(None), golden.c.known_to > known_at),
            *visible(connection, golden.c.entity_id),
        )
        .order_by(golden.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else golden_row(row)


def golden_version(connection: Connection, domain: Domain, entity_id: str, version: int) -> GoldenRow | None:
    """One version, whatever became of the entity later."""
    row = connection.execute(
        select(*GOLDEN_COLUMNS).where(
            golden.c.entity_id == entity_id,
            golden.c.domain == domain.value,
            golden.c.version == version,
            *visible(connection, golden.c.entity_id),
        )
    ).one_or_none()
    return None if row is None else golden_row(row)


def lineage_of(connection: Connection, entity_id: str, version: int) -> Mapping[str, Any]:
    """Where each value of a version comes from, by attribute; empty when there is no such version."""
    found = connection.scalar(
        select(golden.c.lineage).where(
            golden.c.entity_id == entity_id, golden.c.version == version, *visible(connection, golden.c.entity_id)
        )
    )
    return found or {}


def golden_versions(connection: Connection, entity_id: str, before: int | None, limit: int) -> Sequence[GoldenRow]:
    """Versions below `before`, newest first."""
    query = select(*GOLDEN_COLUMNS).where(golden.c.entity_id == entity_id, *visible(connection, golden.c.entity_id))
    if before is not None:
        query = query.where(golden.c.version < before)
    rows = connection.execute(query.order_by(golden.c.version.desc()).limit(limit))
    return [golden_row(row) for row in rows]


def told_since(connection: Connection, entity_id: str) -> datetime | None:
    """When the first of the changes happened that the present source rows of a golden record tell of."""
    query = select(func.min(record_history.c.event_time)).where(
        record_history.c.rec_id.in_(select(crosswalk.c.rec_id).where(crosswalk.c.entity_id == entity_id))
    )
    since: datetime | None = connection.execute(query).scalar_one()
    return since


#: Columns of a member in the order of `Member`, the key in three.
MEMBER_COLUMNS = (
    source_record.c.system,
    source_record.c.type,
    source_record.c.key,
    source_record.c.kind,
    source_record.c.attributes,
    source_record.c.rejected,
    source_record.c.topic,
    source_record.c.partition,
    source_record.c.offset,
    source_record.c.lsn,
    source_record.c.transaction,
    source_record.c.event_time,
    crosswalk.c.since,
)


def member(row: Sequence[Any]) -> Member:
    """A row of `MEMBER_COLUMNS` as a value."""
    return Member(CrosswalkKey(row[0], row[1], row[2]), row[3], row[4] or {}, row[5] or {}, *row[6:])


def members_of(connection: Connection, entity_id: str, after: CrosswalkKey | None, limit: int) -> Sequence[Member]:
    """The live source rows of an entity in the order of their keys."""
    name = (source_record.c.system, source_record.c.type, source_record.c.key)
    query = (
        select(*MEMBER_COLUMNS)
        .join(crosswalk, crosswalk.c.rec_id == source_record.c.rec_id)
        .where(crosswalk.c.entity_id == entity_id, *visible(connection, crosswalk.c.entity_id))
    )
    if after is not None:
        query = query.where(tuple_(*name) > tuple_(*after))
    return [member(row) for row in connection.execute(query.order_by(*name).limit(limit))]
