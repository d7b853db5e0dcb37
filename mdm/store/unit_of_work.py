"""One unit of work is one PostgreSQL transaction: claimed, read, written in bulk, published, committed once.

Statements go through psycopg directly because COPY and staging tables are what makes a batch cheap. A unit of work
either has the hub for itself (stewards' commands, truncates, anything that can touch everything), or shares it with
others and claims what it touches (`mdm.store.claims`). What has one order for the whole hub - the change feed, the
audit chain, counters - is written in the last, short step, for which units of work take turns (`defer`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Literal, TypeAlias, cast

import psycopg
from psycopg import errors, sql
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from mdm.clock import Clock
from mdm.errors import TransientError
from mdm.faults import fault_point
from mdm.store.failures import PASSING, told
from mdm.store.idempotency import note_effect
from mdm.store.shared_hub import SharedHub, shared_hub

#: Held shared by units of work that claim what they touch, exclusively by those that have the hub for themselves.
_HUB_LOCK = 0x6D646D  # "mdm"
#: Held from the first numbered write to the commit: what is published has one order, and no gap that fills later.
_PUBLISH_LOCK = 0x6D646E
#: Added to both by an engine whose tables are its own (`OWN_TABLES`): it waits for nobody, and nobody for it.
_APART = 0x100
#: Execution option of an engine that works on tables of its own, in a scratch schema.
OWN_TABLES = "mdm_own_tables"
#: SQLSTATE class 54: a statement or value is larger than PostgreSQL can take.
_BEYOND_LIMITS = "54"

#: Announcements of one unit of work that the change feed can number: seq = publication * 2^20 + position.
SEQUENCE_BITS = 20

#: Numbers of publications that are rolled back: far beyond all real ones, and still numbers of the change feed.
_NEVER_PUBLISHED = 1 << 40

#: Statistics lag behind a hub that fills, and every query here starts from a few thousand known keys. So plans that
#: read whole tables are the mistake to rule out, compiling such plans would take longer than running them, and one
#: plan per statement, made once, is the right one for any keys.
#: The lock table is shared by all sessions of the server: one unit of work takes no more than a quarter of it.
_MANNERS = """
    select set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true),
           current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int / 4,
           set_config('jit', 'off', true), {lock}({key})"""

#: Statements that a session keeps prepared: more than there are, or they push each other out.
_PREPARED = 500

#: Rows that are inserted rather than copied.
_FEW = 3

_LAST_PUBLICATION = "select coalesce(max(publication), 0) from batch"
#: Number and time of the last unit of work that has committed.
_LAST = "select publication, committed_at from batch where publication = (select max(publication) from batch)"

#: Clocks of machines that share a hub differ by less: what is known later carries the later time all the same. A clock
#: that was further ahead was wrong, and the hub does not wait until its time has come.
_CLOCKS_DIFFER = timedelta(minutes=5)


#: Whether a unit of work has the hub for itself: it waits for that, takes it where nobody else is at work, or shares.
Alone: TypeAlias = bool | Literal["if free"]


class Overlap(TransientError):
    """Another unit of work is at work on what this one turned out to touch. Nothing was written; do it again."""

    code = "OVERLAP"

    def __init__(self, message: str, claims: frozenset[int] = frozenset()) -> None:
        super().__init__(message)
        #: What to claim first when trying again.
        self.claims = claims


@dataclass(slots=True)
class UnitOfWork:
    """A running transaction. `batch_id` names it in what it writes; `now` is when the hub knows.

    `now` moves forward whenever claims had to be waited for, so that what one unit of work knows after another about
    the same thing also carries the later time.
    """

    cursor: psycopg.Cursor[tuple[Any, ...]]
    batch_id: int
    now: datetime
    #: Nobody else writes to the hub while this unit of work runs.
    alone: bool = True
    #: It is only looked at and rolled back: what it publishes is numbered apart, so nobody waits for its turn.
    kept: bool = True
    clock: Clock | None = None
    #: The tables are those of a scratch schema, on which nobody else works.
    own_tables: bool = False
    #: Claims held, for a unit of work that is not alone: key -> exclusively (see `mdm.store.claims`).
    held: dict[int, bool] = field(default_factory=dict)
    most_claims: int = 0
    #: Blocks whose claims are shared because they are remembered as being above their cap.
    relied_on: set[int] = field(default_factory=set)
    hub: SharedHub = field(default_factory=SharedHub)
    #: The last unit of work that had committed when this one last made sure (see `nothing_committed`).
    _seen: int = 0
    _staged: set[str] = field(default_factory=set)
    _deferred: list[Callable[[], None]] = field(default_factory=list)
    _publication: int | None = None
    _numbered: int = 0

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a named query of ours. `parameters` fill `%s` in order."""
        return self.cursor.execute(statement, _adapted(parameters)).fetchall()

    def probe(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query that starts from known keys: `from unnest(...)` over the lists among the parameters.

        Where there are no keys, the database is not asked.
        """
        return self.query(statement, *parameters) if any(isinstance(each, list) and each for each in parameters) else []

    def execute(self, statement: str, *parameters: object) -> int:
        """Run a statement of ours and return the number of rows it touched."""
        return self.cursor.execute(statement, _adapted(parameters)).rowcount

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Bulk-write rows into a table: by COPY, or by INSERT where they are so few that its round trips weigh more."""
        iterator = iter(rows)
        first = list(islice(iterator, _FEW + 1))
        if not first:
            return
        if len(first) <= _FEW:
            self.cursor.execute(_insert(table, tuple(columns), len(first)), [value for each in first for value in each])
            return
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        with self.cursor.copy(sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)) as copy:
            for each in chain(first, iterator):
                copy.write_row(each)

    def stage(self, name: str, definition: str, rows: Iterable[Sequence[object]]) -> None:
        """Fill a staging table (`definition` as in CREATE TABLE) that set-based statements of this unit join with.

        Staging the same name again in one unit of work replaces its rows.
        """
        if name in self._staged:
            self.execute(f"delete from {name}")
        else:
            self.execute(f"create temporary table if not exists {name} ({definition}) on commit delete rows")
            self._staged.add(name)
        self.copy(name, [part.split()[0].strip('"') for part in definition.split(",")], rows)

    def execute_with(
        self, name: str, definition: str, rows: Iterable[Sequence[object]], statement: str, *parameters: object
    ) -> None:
        """Run one statement that reads these rows under this name, as from a table (`definition` as in CREATE TABLE).

        A few rows go with the statement, for a staging table would cost three round trips. The statement begins with
        neither WITH nor a placeholder of its own before those of the rows.
        """
        iterator = iter(rows)
        first = list(islice(iterator, _FEW + 1))
        if len(first) > _FEW:
            self.stage(name, definition, chain(first, iterator))
            self.execute(statement, *parameters)
        elif first:
            values = [value for each in first for value in each]
            self.cursor.execute(_beside(name, definition, len(first)) + statement, [*values, *_adapted(parameters)])

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of this unit of work that is undone by itself when it raises: rows, claims, and what it deferred."""
        before = dict(self.held), list(self._deferred), set(self._staged), self._publication
        try:
            with self.cursor.connection.transaction():
                yield
        except BaseException:
            self.held, self._deferred, self._staged, self._publication = before
            raise

    def nothing_committed(self) -> bool:
        """Whether no unit of work has committed since this was last asked, or since this one began: what it has read
        is what it would read now.
        """
        last, committed_at = next(iter(self.query(_LAST)), (0, None))
        unchanged = bool(last == self._seen)
        self._seen = last
        self.not_before(committed_at)
        return unchanged

    def refresh_now(self) -> None:
        """Move `now` to the present: what was waited for is known before it."""
        if self.clock is not None:
            self.now = max(self.now, self.clock())

    def not_before(self, committed_at: datetime | None) -> None:
        """Move `now` forward to what another machine's clock has said of what is known already."""
        if committed_at is not None and self.now < committed_at <= self.now + _CLOCKS_DIFFER:
            self.now = committed_at

    def defer(self, write: Callable[[], None]) -> None:
        """Leave a write to the last step, which units of work take one after the other.

        For what has one order in the whole hub, and for rows that every unit of work counts up. Deferred writes run in
        the order in which they were handed in; nothing in this unit of work sees them before.
        """
        self._deferred.append(write)

    def publish(self) -> None:
        """Take the turn to publish, if it is not taken yet, and run what was deferred.

        The end of the unit of work does this by itself; earlier, it lets this unit of work see what it writes.
        """
        while self._deferred:
            self.publication()
            deferred, self._deferred = self._deferred, []
            for write in deferred:
                write()

    def publication(self) -> int:
        """This unit of work's number in the order of commits, without gaps. Nobody else publishes before the commit."""
        if self._publication is None and not self.kept:
            self._publication = _NEVER_PUBLISHED + self.batch_id
            self.execute("update batch set publication = %s where batch_id = %s", self._publication, self.batch_id)
        if self._publication is None:
            self.execute("select pg_advisory_xact_lock(%s)", _PUBLISH_LOCK + _APART * self.own_tables)
            row = self.query(
                """update batch set publication = (select coalesce(max(publication), 0) + 1 from batch),
                     committed_at = greatest(committed_at, %s)
                   where batch_id = %s returning publication""",
                self.now,
                self.batch_id,
            )
            self._publication = int(row[0][0])
        return self._publication

    def numbers(self, count: int) -> int:
        """The first of `count` consecutive numbers of the change feed, greater than all that are visible."""
        first = (self.publication() << SEQUENCE_BITS) + self._numbered
        self._numbered += count
        return first


@lru_cache(4096)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> bytes:
    """An INSERT of so many rows, put together once."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    row = sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(columns)))
    statement = sql.SQL("insert into {} ({}) values {}").format(
        sql.Identifier(table), names, sql.SQL(", ").join([row] * rows)
    )
    return statement.as_bytes(None)


@lru_cache(256)
def _beside(name: str, definition: str, rows: int) -> str:
    """A WITH of so many rows of a staging table, put together once."""
    columns = [part.split() for part in definition.split(",")]
    row = f"({', '.join(f'%s::{kind}' for _, kind in columns)})"
    return f"with {name}({', '.join(column for column, _ in columns)}) as (values {', '.join([row] * rows)}) "


def _adapted(parameters: Sequence[object]) -> list[object]:
    """Lists of numbers as array literals: the driver's own conversion of long lists costs more than the query."""
    return [
        "{" + ",".join(map(str, each)) + "}" if isinstance(each, list) and each and isinstance(each[0], int) else each
        for each in parameters
    ]


@contextmanager
def unit_of_work(
    engine: Engine,
    clock: Clock,
    cause: str,
    feed: str | None = None,
    *,
    alone: Alone = True,
    kept: bool = True,
) -> Iterator[UnitOfWork]:
    """Open a unit of work; commits when the block ends, rolls everything back when it raises.

    Args:
        alone: wait until no other unit of work runs, and keep others out. One that shares the hub must claim what it
            touches before it reads it. "if free" is alone where nobody else is at work now, and shares otherwise.
        kept: roll back when the block ends, too. Such a unit of work sees the hub as it was when it began, whatever
            others commit meanwhile.

    Raises:
        TransientError: the database cannot be reached or ended the session; nothing was written.
        Overlap: another unit of work was at work on the same; nothing was written.
    """
    try:
        connection = engine.raw_connection()
    except (OperationalError, psycopg.OperationalError) as error:
        # A raw connection's failure comes from the driver, unless the pool looked at an old connection first.
        raise TransientError(f"The database cannot be reached: {told(error)}") from error
    hub, driver = shared_hub(engine), None
    try:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
        driver.prepared_max = _PREPARED
        with hub.at_work(), driver.transaction(), driver.cursor() as cursor:
            if not kept:
                cursor.execute("set transaction isolation level repeatable read")
            own_tables = bool(engine.get_execution_options().get(OWN_TABLES, False))
            work = _opened(cursor, clock, cause, feed, alone=alone, kept=kept, own_tables=own_tables)
            alone, work.hub = work.alone, hub
            hub.saw(work._seen)
            yield work
            if not kept:
                raise psycopg.Rollback
            work.publication()
            work.publish()
            note_effect(engine, cursor)
            fault_point("unit.written")
        if kept:
            hub.published(work.publication())
            fault_point("unit.committed")
    except errors.DeadlockDetected as error:
        raise Overlap("Two units of work waited for each other.") from error
    except errors.SerializationFailure as error:
        raise Overlap("Another unit of work changed what this one had seen.") from error
    except errors.UniqueViolation as error:
        if alone:
            raise
        raise Overlap(f"Another unit of work wrote the same: {told(error)}") from error
    except PASSING as error:
        if (error.sqlstate or "").startswith(_BEYOND_LIMITS):
            raise  # it will not pass: the driver counts it among failures of the surroundings, and it is not one
        raise TransientError(f"The database ended the unit of work: {told(error)}") from error
    finally:
        if driver is not None and driver.closed:
            connection.invalidate()  # or the pool tries to reset it, and tells at length that it cannot
        connection.close()


@contextmanager
def unit_of_work_in(connection: Connection, clock: Clock, cause: str) -> Iterator[UnitOfWork]:
    """A unit of work, alone, within a transaction of SQLAlchemy's: that commits it with whatever else it wrote."""
    driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        work = _opened(cursor, clock, cause, None, alone=True, kept=True, own_tables=False)
        yield work
        work.publication()
        work.publish()


def _opened(
    cursor: psycopg.Cursor[tuple[Any, ...]],
    clock: Clock,
    cause: str,
    feed: str | None,
    *,
    alone: Alone,
    kept: bool,
    own_tables: bool,
) -> UnitOfWork:
    key = _HUB_LOCK + _APART * own_tables
    if alone == "if free":
        alone = cursor.execute("select pg_try_advisory_xact_lock(%s)", (key,)).fetchone() == (True,)
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    manners = cursor.execute(_MANNERS.format(lock=lock, key=key)).fetchone()
    now = clock()
    row = cursor.execute(
        f"""insert into batch (cause, feed, committed_at) values (%s, %s, %s)
            returning batch_id, ({_LAST_PUBLICATION}),
              (select committed_at from batch where publication = ({_LAST_PUBLICATION}))""",
        (cause, feed, now),
    ).fetchone()
    assert row is not None
    assert manners is not None
    work = UnitOfWork(cursor, row[0], now, alone, kept, clock, own_tables, most_claims=manners[2], _seen=row[1])
    work.not_before(row[2])
    return work
