"""That somebody is still at work, as every other process can see: a lock of the database, held by a session of its own.

The lock goes with the session, and the session with the process, however it dies. So nobody has to guess after how
many minutes somebody is dead, and nobody who is merely slow is taken for it. A session may also be lost while its
process lives; what relies on a lock asks for it again when it commits (`mdm.store.idempotency`).
"""

import secrets
from threading import Lock
from typing import Any, cast

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from mdm.errors import TransientError
from mdm.store.failures import told

#: The first of the two numbers of each lock. The second is whoever holds it.
_LIVES = 0x6D646C  # "mdl"

#: A condition on a number in `{holder}`: whoever drew it is at work.
AT_WORK = f"""exists (
    select 1 from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 2 and l.granted and l.classid = {_LIVES}::oid
      and l.objid = {{holder}}::oid
      and l.database = (select d.oid from pg_database d where d.datname = current_database()))"""


class Lifeline:
    """The locks of one process. All are held by one session, which is opened when the first is taken."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = Lock()
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None
        self._held: set[int] = set()

    def take(self) -> int:
        """A number that nobody else has, and that is seen to be at work until it is given back.

        Raises:
            TransientError: the database cannot be reached.
        """
        with self._turns:
            if self._session is not None:
                try:
                    return self._draw(self._session)
                except psycopg.OperationalError:
                    self._lose()
            try:
                return self._draw(self._open())
            except (OperationalError, psycopg.OperationalError) as error:
                raise TransientError(f"The database cannot be reached: {told(error)}") from error

    def give(self, number: int) -> None:
        """Whoever had this number has finished."""
        with self._turns:
            if number not in self._held or self._session is None:
                return  # its session was lost, and the lock with it
            self._held.discard(number)
            try:
                self._session.execute("select pg_advisory_unlock(%s, %s)", (_LIVES, number))
            except psycopg.OperationalError:
                self._lose()

    def close(self) -> None:
        """Give back everything."""
        with self._turns:
            self._lose()

    def _draw(self, session: psycopg.Connection[tuple[Any, ...]]) -> int:
        while True:
            number = secrets.randbelow((1 << 31) - 1) + 1
            # The session itself would get a lock of its own a second time.
            if number in self._held:
                continue
            row = session.execute("select pg_try_advisory_lock(%s, %s)", (_LIVES, number)).fetchone()
            if row is not None and row[0]:
                self._held.add(number)
                return number

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        pooled = self._engine.raw_connection()
        session = cast("psycopg.Connection[tuple[Any, ...]]", pooled.driver_connection)
        # Requests do not have to do with one connection less.
        pooled.detach()
        session.autocommit = True
        self._session = session
        return session

    def _lose(self) -> None:
        self._held.clear()
        if self._session is not None:
            self._session.close()
            self._session = None
