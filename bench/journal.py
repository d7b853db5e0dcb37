"""What a unit of work sends to its database: how many statements, and what its writes cost with nothing else.

A unit of work is recorded and rolled back; its writes - the same statements with the same rows, as the bytes that the
driver made of them - are then sent again on a bare connection and committed durably. What the hub reads, compares and
computes is not in it. How it writes is: rows that may be there already go through temporary tables.
"""

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from unittest.mock import patch

import psycopg
from psycopg.abc import Buffer, Params
from psycopg.copy import Copy, LibpqWriter, Writer
from sqlalchemy import Engine, event

from mdm.store.unit_of_work import SEQUENCE_BITS, UnitOfWork

#: Statements that write, or say how the session is to write.
_WRITES: Final = re.compile(r"\b(insert\s+into|update\s|delete\s+from|create\s+temporary|set_config)", re.IGNORECASE)

#: What gives a unit of work its number.
_NUMBERED: Final = re.compile(r"\s*insert\s+into\s+batch\b", re.IGNORECASE)
_AUDIT: Final = re.compile(r'\s*insert\s+into\s+"audit"', re.IGNORECASE)
_AS_NUMBERED: Final = """
    insert into batch (batch_id, cause, feed, committed_at) overriding system value values (%s, %s, %s, %s)"""


@dataclass(slots=True)
class Journal:
    """What was sent: the number of statements, and those that write, in order."""

    statements: int = 0
    #: The number that the unit of work had, which its rows tell.
    batch: int = 0
    writes: list[tuple[Any, Params | None, list[bytes] | None]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all rows that were copied."""
        return sum(len(data) for _, _, copied in self.writes if copied for data in copied)


def _text(query: object) -> str:
    return query.decode() if isinstance(query, bytes) else query if isinstance(query, str) else ""


class _Recording(psycopg.Cursor[Any]):
    journal: ClassVar[Journal] = Journal()

    def execute(self, query: Any, params: Params | None = None, **options: Any) -> "_Recording":
        self.journal.statements += 1
        text = _text(query)
        if _WRITES.search(text):
            self.journal.writes.append((query, params, None))
        super().execute(query, params, **options)
        if _NUMBERED.match(text):
            self.journal.batch = (self.fetchone() or (0,))[0]
            self.scroll(0, "absolute")
        return self

    @contextmanager
    def copy(self, statement: Any, params: Params | None = None, *, writer: Writer | None = None) -> Iterator[Copy]:
        assert writer is None
        self.journal.statements += 1
        kept: list[bytes] = []
        self.journal.writes.append((statement, params, kept))
        with super().copy(statement, params, writer=_Keeping(self, kept)) as copy:
            yield copy


class _Keeping(LibpqWriter):
    def __init__(self, cursor: psycopg.Cursor[Any], kept: list[bytes]) -> None:
        super().__init__(cursor)
        self._kept = kept

    def write(self, data: Buffer) -> None:
        self._kept.append(bytes(data))
        super().write(data)


class _RolledBack(Exception):
    """Thrown where a unit of work would commit."""


@contextmanager
def recorded(engine: Engine, place: int = 0) -> Iterator[Journal]:
    """Record the one unit of work of the block; it is rolled back where it would commit, which also ends the block.

    Args:
        place: of several that are recorded at one state of the hub and sent again together: each numbers what it
            publishes in a range of its own.
    """
    journal = Journal()
    first = UnitOfWork.numbers

    def numbers(work: UnitOfWork, count: int) -> int:
        return first(work, count) + (place << (SEQUENCE_BITS - 2))

    def before_commit(name: str) -> None:
        if name == "unit.written":
            raise _RolledBack

    def checkout(driver: psycopg.Connection[Any], *_: object) -> None:
        driver.cursor_factory = _Recording

    def checkin(driver: psycopg.Connection[Any] | None, *_: object) -> None:
        if driver is not None:
            driver.cursor_factory = psycopg.Cursor

    event.listen(engine, "checkout", checkout)
    event.listen(engine, "checkin", checkin)
    try:
        with (
            patch.object(_Recording, "journal", journal),
            patch.object(UnitOfWork, "numbers", numbers),
            patch("mdm.store.unit_of_work.fault_point", before_commit),
        ):
            yield journal
            raise AssertionError("The unit of work was not written.")
    except _RolledBack:
        pass
    finally:
        event.remove(engine, "checkout", checkout)
        event.remove(engine, "checkin", checkin)


def replayed(engine: Engine, journal: Journal) -> float:
    """Seconds that these writes take when nothing else is done, a durable commit included."""
    raw = engine.raw_connection()
    try:
        driver = raw.driver_connection
        assert isinstance(driver, psycopg.Connection)
        start = time.perf_counter()
        with driver.transaction(), driver.cursor() as cursor:
            for statement, params, copied in journal.writes:
                if copied is not None:
                    with cursor.copy(statement, params) as copy:
                        for data in copied:
                            copy.write(data)
                    continue
                if _NUMBERED.match(_text(statement)):
                    assert isinstance(params, Sequence)
                    cursor.execute(_AS_NUMBERED, (journal.batch, *params))
                else:
                    cursor.execute(statement, params)
        return time.perf_counter() - start
    finally:
        raw.close()


def replayed_together(engine: Engine, journals: Sequence[Journal]) -> float:
    """Seconds from the first begin to the last commit when each of these is sent by a session of its own.

    The one row that each appends to the audit is sent by the first only: its number follows the last that was there.

    Raises:
        psycopg.Error: they write to the same rows; nothing can be said of such.
    """
    for each in journals[1:]:
        each.writes = [write for write in each.writes if not _AUDIT.match(_text(write[0]))]
    start = time.perf_counter()
    with ThreadPoolExecutor(len(journals)) as pool:
        for done in [pool.submit(replayed, engine, each) for each in journals]:
            done.result()
    return time.perf_counter() - start
