"""A second set of the hub's tables in a schema of its own, beside the live ones: for proofs and rebuilds.

Every statement of the hub names tables without a schema, so an engine whose search path is the scratch schema works on
the scratch tables and cannot reach the live ones by mistake. Only one process uses a scratch schema at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL

from mdm.errors import Conflict
from mdm.store.tables import metadata
from mdm.store.unit_of_work import OWN_TABLES, UnitOfWork

#: Schemas of ours start with this; a table of the live hub never does.
PREFIX = "mdm_scratch_"


def scratch_engine(url: URL | str, schema: str) -> Engine:
    """An engine that sees the tables of one scratch schema only. Its units of work hold nobody up in the live hub."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"application_name": "mdm scratch"},
        execution_options={OWN_TABLES: True},
    )

    @event.listens_for(engine, "connect")
    def _stay_inside(driver: Any, _record: object) -> None:  # Any: the driver's own connection
        with driver.cursor() as cursor:
            cursor.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
        driver.commit()

    return engine


@contextmanager
def scratch_schema(engine: Engine, purpose: str, *, keep: bool = False) -> Iterator[str]:
    """The name of a fresh schema with all tables of the hub, empty; dropped at the end unless it is to be kept.

    What an interrupted run has left under the same purpose is dropped first.

    Raises:
        Conflict: another process uses the scratch schema of this purpose.
    """
    schema = PREFIX + purpose
    with engine.connect() as guard:
        if not guard.scalar(text("select pg_try_advisory_lock(hashtext(:name))"), {"name": schema}):
            raise Conflict(
                f"Another process works in the schema {schema}.", action="Wait until it has finished, then try again."
            )
        guard.commit()
        try:
            _create(engine, schema)
            yield schema
        finally:
            if not keep:
                drop_schema(engine, schema)
            guard.rollback()
            guard.execute(text("select pg_advisory_unlock(hashtext(:name))"), {"name": schema})
            guard.commit()


def drop_schema(engine: Engine, schema: str) -> None:
    """Drop a schema with everything in it; nothing happens when it is not there."""
    with engine.begin() as connection:
        connection.execute(text(f'drop schema if exists "{schema}" cascade'))


def live_schema(connection: Connection) -> str:
    """The schema that holds the live tables."""
    return str(connection.scalar(text("select current_schema()")))


def _create(engine: Engine, schema: str) -> None:
    drop_schema(engine, schema)
    with engine.begin() as connection:
        connection.execute(text(f'create schema "{schema}"'))
    inside = scratch_engine(engine.url, schema)
    try:
        metadata.create_all(inside)
    finally:
        inside.dispose()
    _judge_alike(engine, schema)


def _judge_alike(engine: Engine, schema: str) -> None:
    """What is derived in the scratch schema is decided by the rules in force in the live hub."""
    with engine.begin() as connection:
        for table in ("rule_release", "rules_in_force"):
            columns = ", ".join(f'"{column.name}"' for column in metadata.tables[table].columns)
            condition = "where release_id in (select release_id from rules_in_force)" if table == "rule_release" else ""
            connection.execute(
                text(
                    f"""insert into "{schema}".{table} ({columns}) overriding system value
                        select {columns} from {table} {condition}"""
                )
            )


@contextmanager
def consistent(engine: Engine) -> Iterator[UnitOfWork]:
    """One transaction that sees the live state as of its start and may write to scratch tables; commits at the end.

    It takes no lock and no batch id: what it writes is nobody else's.
    """
    connection = engine.raw_connection()
    try:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
        with driver.transaction(), driver.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
            row = cursor.execute("select now()").fetchone()
            assert row is not None
            yield UnitOfWork(cursor, 0, row[0])
    finally:
        connection.close()
