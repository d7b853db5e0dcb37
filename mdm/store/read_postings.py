"""What the pre-posting check asks the store: for a whole batch at once, each question in one statement."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, EntityId

_GONE = """
select r.system, r.type, r.key
from unnest(cast(:systems as text[]), cast(:types as text[]), cast(:keys as text[])) as w(system, type, key)
join source_record r using (system, type, key) where r.deleted
"""
_IDS = """
select entity_id, coalesce(merged_into, entity_id), status from entity
where entity_id = any(:ids) and domain = 'customer'
"""
_PLACED = "select entity_id, legal_entities from placement where entity_id = any(:ids)"
_PARTNERED = """
select distinct c.entity_id from crosswalk c join source_record r using (rec_id)
where c.entity_id = any(:ids) and r.system || '.' || r.type = any(:tables) and not r.deleted
"""
_CLOSED = """
select month from close_sign_off where month = any(:months) and withdrawn_at is null and reviewed_at is not null
"""


def deleted_rows(connection: Connection, names: Collection[CrosswalkKey]) -> set[CrosswalkKey]:
    """Those of the rows that their platform deleted."""
    wanted = sorted(names)
    columns = {part: [name[place] for name in wanted] for place, part in enumerate(("systems", "types", "keys"))}
    return {CrosswalkKey(*row) for row in connection.execute(text(_GONE), columns)}


def customers_now(connection: Connection, ids: Collection[str]) -> Mapping[str, tuple[EntityId, str]]:
    """What became of ids of customers: the id of now and the status of the one that was asked for."""
    rows = connection.execute(text(_IDS), {"ids": sorted(ids)})
    return {row[0]: (EntityId(row[1]), row[2]) for row in rows}


def legal_entities_of(connection: Connection, ids: Collection[EntityId]) -> Mapping[EntityId, frozenset[str]]:
    """The labels of the legal entities that golden records belong to."""
    rows = connection.execute(text(_PLACED), {"ids": sorted(ids)})
    return {EntityId(row[0]): frozenset(row[1]) for row in rows}


def with_row_in(connection: Connection, ids: Collection[EntityId], tables: Collection[str]) -> set[EntityId]:
    """Those of the golden records to which a live row of one of the tables (`erp.business_partner`) belongs."""
    rows = connection.scalars(text(_PARTNERED), {"ids": sorted(ids), "tables": sorted(tables)})
    return set(map(EntityId, rows))


def closed_months(connection: Connection, months: Collection[str]) -> set[str]:
    """Those of the months whose close two persons signed, and nobody took back."""
    return set(connection.scalars(text(_CLOSED), {"months": sorted(months)}))
