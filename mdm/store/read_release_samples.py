"""Names of what a report of a release tells by id: golden records, source rows, and the people behind a release."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from mdm.model.ids import CrosswalkKey


def names_of(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """The present names of golden records; those that are gone are left out."""
    rows = connection.exec_driver_sql(
        "select entity_id, name from golden where known_to is null and entity_id = any(%s)", (list(ids),)
    )
    return {row[0]: row[1] for row in rows}


def records_of(connection: Connection, ids: Collection[int]) -> Mapping[int, CrosswalkKey]:
    """The names of source rows."""
    rows = connection.exec_driver_sql(
        "select rec_id, system, type, key from source_record where rec_id = any(%s)", (list(ids),)
    )
    return {row[0]: CrosswalkKey(*row[1:]) for row in rows}
