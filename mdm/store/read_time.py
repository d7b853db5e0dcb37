"""What the hub knew at an instant about rows as they were at another: memberships and row versions by both times."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from mdm.model.events import SourcePosition
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import TableName, Version
from mdm.store.mirror import OF_KEYS, read_versions, truncations_of
from mdm.store.pairs import columns_of
from mdm.store.unit_of_work import UnitOfWork


def members_known_at(work: UnitOfWork, entity_id: str, known_at: datetime) -> list[RecordId]:
    """The records that the hub held as members of an entity at an instant."""
    rows = work.query(
        """select rec_id from crosswalk where entity_id = %s and since <= %s
           union
           select rec_id from crosswalk_history where entity_id = %s and since <= %s and until > %s
           order by rec_id""",
        entity_id,
        known_at,
        entity_id,
        known_at,
        known_at,
    )
    return [RecordId(row[0]) for row in rows]


def names(work: UnitOfWork, ids: Collection[RecordId]) -> dict[CrosswalkKey, RecordId]:
    """The records by their crosswalk keys."""
    rows = work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", list(ids))
    return {CrosswalkKey(*row[1:]): RecordId(row[0]) for row in rows}


def versions_known_at(
    work: UnitOfWork, keys: Collection[CrosswalkKey], known_at: datetime, valid_at: datetime | None
) -> Mapping[CrosswalkKey, Sequence[Version]]:
    """The versions of rows that the hub had received at `known_at`, of changes made until `valid_at`.

    A change is made when its platform says so (event time), and known when its unit of work was committed.
    """
    work.stage("stage_instant", "known_at timestamptz, valid_at timestamptz", [(known_at, valid_at)])
    found: dict[CrosswalkKey, list[Version]] = {}
    narrowed = """join batch b on b.batch_id = h.batch_id
        cross join stage_instant i
        where b.committed_at <= i.known_at and (i.valid_at is null or h.event_time <= i.valid_at)"""
    for key, version in read_versions(work, OF_KEYS, narrowed, *columns_of(keys)):
        found.setdefault(key, []).append(version)
    return found


def truncations_until(
    work: UnitOfWork, known_at: datetime, valid_at: datetime | None
) -> Mapping[TableName, Sequence[SourcePosition]]:
    """Every truncate of each table made until both instants; a source that was retired later had its rows then."""
    return truncations_of(work, "where event_time <= least(%s, %s::timestamptz)", known_at, valid_at)
