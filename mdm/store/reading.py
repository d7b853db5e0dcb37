"""A consistent view of the committed state, for reading only. Never waits for writers, never makes them wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from mdm.errors import TransientError
from mdm.store.failures import PASSING, told
from mdm.store.scoped import ENTER, entering, scope_of
from mdm.store.unit_of_work import UnitOfWork


@contextmanager
def snapshot(engine: Engine) -> Iterator[UnitOfWork]:
    """A repeatable-read transaction whose only writes go to its own temporary tables; always rolled back.

    It sees what the engine's scope reaches (`mdm.store.scoped`).
    """
    connection = engine.raw_connection()
    try:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
        with driver.transaction(force_rollback=True), driver.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
            scope = scope_of(engine)
            if scope.limits_rows:
                cursor.execute(ENTER, entering(scope))
            yield UnitOfWork(cursor, 0, datetime.now(UTC))
    finally:
        connection.close()


@contextmanager
def within(connection: Connection) -> Iterator[UnitOfWork]:
    """The transaction of a connection that reads, for readers that take a unit of work: both see the same state."""
    driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        yield UnitOfWork(cursor, 0, datetime.now(UTC))


@contextmanager
def transient_failures() -> Iterator[None]:
    """A database that cannot be reached, or ends the session, as a failure that may pass.

    Raises:
        TransientError: nothing was written by the block's last statement that failed.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise TransientError(f"The database cannot be used now: {told(error)}") from error
    except PASSING as error:
        raise TransientError(f"The database cannot be used now: {told(error)}") from error
    except InternalError as error:
        if not isinstance(error.orig, PASSING):
            raise
        raise TransientError(f"The database cannot be used now: {told(error)}") from error
