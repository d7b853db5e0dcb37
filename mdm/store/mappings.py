"""By which mappings the stored rows of each table were standardised: kept by table, read at every start."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, text

#: Platform and table.
Table: TypeAlias = tuple[str, str]


def note(connection: Connection, mappings: Mapping[Table, str], now: datetime) -> None:
    """Rows of these tables are standardised by these mappings from now on. What no row is left of is forgotten."""
    connection.execute(
        text(
            """delete from mapping_applied m where not exists (
                   select from source_record r where r.system = m.system and r.type = m.type)"""
        )
    )
    connection.execute(
        text(
            """insert into mapping_applied (system, type, fingerprint, since)
               values (:system, :type, :fingerprint, :now) on conflict do nothing"""
        ),
        _rows(mappings, now),
    )


def note_all(connection: Connection, mappings: Mapping[Table, str], now: datetime, only: Collection[Table]) -> None:
    """Every row of the tables `only` was standardised anew, by these mappings."""
    for system, table in sorted(only):
        connection.execute(
            text("delete from mapping_applied where system = :system and type = :type"),
            {"system": system, "type": table},
        )
    kept = {table: fingerprint for table, fingerprint in mappings.items() if table in only}
    if kept:
        note(connection, kept, now)


def differing(connection: Connection, mappings: Mapping[Table, str]) -> list[Table]:
    """Tables with rows that another mapping than the one of now was applied to, in order."""
    applied = connection.execute(text("select system, type, fingerprint from mapping_applied order by 1, 2")).all()
    found = dict.fromkeys((row[0], row[1]) for row in applied if row[2] != mappings.get((row[0], row[1]), ""))
    return [table for table in found if _has_rows(connection, table)]


def _has_rows(connection: Connection, table: Table) -> bool:
    asked = text("select exists (select from source_record where system = :system and type = :type)")
    return bool(connection.scalar(asked, {"system": table[0], "type": table[1]}))


def _rows(mappings: Mapping[Table, str], now: datetime) -> list[dict[str, object]]:
    return [
        {"system": system, "type": table, "fingerprint": fingerprint, "now": now}
        for (system, table), fingerprint in sorted(mappings.items())
    ]
