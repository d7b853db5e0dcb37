"""One unit of work is one PostgreSQL transaction: read under the hub's lock, written in bulk, committed once.

Statements go through psycopg directly because COPY and staging tables are what makes a batch cheap.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from mdm.clock import Clock
from mdm.errors import TransientError

#: Writers take turns: whoever holds this lock sees everything the one before has written. Readers never wait.
_WRITER_LOCK = 0x6D646D  # "mdm"


@dataclass(slots=True)
class UnitOfWork:
    """A running transaction. `batch_id` orders it among all units of work; `now` is when the hub knows."""

    cursor: psycopg.Cursor[tuple[Any, ...]]
    batch_id: int
    now: datetime
    _staged: set[str] = field(default_factory=set)

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a named query of ours. `parameters` fill `%s` in order."""
        return self.cursor.execute(statement, _adapted(parameters)).fetchall()

    def execute(self, statement: str, *parameters: object) -> int:
        """Run a statement of ours and return the number of rows it touched."""
        return self.cursor.execute(statement, _adapted(parameters)).rowcount

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Bulk-write rows into a table by COPY."""
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self.cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def stage(self, name: str, definition: str, rows: Iterable[Sequence[object]]) -> None:
        """Fill a staging table (`definition` as in CREATE TABLE) that set-based statements of this unit join with.

        Staging the same name again in one unit of work replaces its rows.
        """
        if name in self._staged:
            self.execute(f"delete from {name}")
        else:
            self.execute(f"create temporary table if not exists {name} ({definition}) on commit delete rows")
            self._staged.add(name)
        self.copy(name, [part.split()[0] for part in definition.split(",")], rows)


def _adapted(parameters: Sequence[object]) -> list[object]:
    """Lists of numbers as array literals: the driver's own conversion of long lists costs more than the query."""
    return [
        "{" + ",".join(map(str, each)) + "}" if isinstance(each, list) and each and isinstance(each[0], int) else each
        for each in parameters
    ]


@contextmanager
def unit_of_work(engine: Engine, clock: Clock, cause: str, feed: str | None = None) -> Iterator[UnitOfWork]:
    """Open a unit of work; commits when the block ends, rolls everything back when it raises.

    Raises:
        TransientError: the database cannot be reached or ended the session; nothing was written.
    """
    try:
        connection = engine.raw_connection()
    except OperationalError as error:
        raise TransientError(f"The database cannot be reached: {error.orig}") from error
    try:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
        with driver.transaction(), driver.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_WRITER_LOCK,))
            now = clock()
            row = cursor.execute(
                "insert into batch (cause, feed, committed_at) values (%s, %s, %s) returning batch_id",
                (cause, feed, now),
            ).fetchone()
            assert row is not None
            yield UnitOfWork(cursor, row[0], now)
    except psycopg.OperationalError as error:
        raise TransientError(f"The database ended the unit of work: {error}") from error
    finally:
        connection.close()
