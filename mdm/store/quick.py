"""The one read that everybody does all day: a current golden record by its id, in one round trip.

A prepared statement on a connection in autocommit mode: one statement needs no transaction to see one state. Kept
connections are not asked whether they still live; a statement that finds one dead is tried again on a new one.
"""

import asyncio
from queue import Empty, Full, LifoQueue
from typing import Any

import orjson
import psycopg
from sqlalchemy import Engine

from mdm.access import EVERYTHING, EVERYWHERE, Scope
from mdm.access.scope import DIMENSIONS
from mdm.errors import TransientError
from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import GoldenRow
from mdm.store.scoped import ENTER, entering, granted_in

#: Connections kept between requests: a read takes well under a millisecond, so that few serve many threads.
_KEPT = 8

_GOLDEN = """
select version, name, "values"::text, members, ruleset, seq, cause, known_from
from golden where entity_id = %s and domain = %s and known_to is null
"""
# The same under a scope: a null in a dimension is no limit. Row security holds beside it.
_WITHIN = f"""{_GOLDEN} and exists (
  select 1 from placement p where p.entity_id = golden.entity_id
    and {" and ".join(f"(%s::text[] is null or p.{name} && %s::text[])" for name in DIMENSIONS)}
    and (%s::text[] is null or p.domain = any(%s::text[])))
"""


class QuickReads:
    """Connections of its own to the database of an engine. Safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self._arguments = engine.dialect.create_connect_args(engine.url)
        self._kept: LifoQueue[psycopg.Connection[tuple[Any, ...]]] = LifoQueue(_KEPT)

    def golden(self, domain: Domain, entity_id: str, scope: Scope = EVERYTHING) -> GoldenRow | None:
        """The golden record of an active entity, if the scope reaches it.

        Raises:
            TransientError: the database does not answer.
        """
        row = self._one((entity_id, domain.value), scope)
        return None if row is None else _as_golden(domain, entity_id, row)

    def close(self) -> None:
        """Give the kept connections up."""
        while (connection := self._take()) is not None:
            connection.close()

    def _one(self, parameters: tuple[str, str], scope: Scope) -> tuple[Any, ...] | None:
        kept = self._take()
        if kept is not None:
            try:
                return self._ask(kept, parameters, scope)
            except psycopg.OperationalError:
                kept.close()  # it died while it was kept; a new one will tell whether the database did, too
        try:
            return self._ask(self._connect(), parameters, scope)
        except psycopg.OperationalError as error:
            raise TransientError("The database does not answer.") from error

    def _ask(
        self, connection: psycopg.Connection[tuple[Any, ...]], parameters: tuple[str, str], scope: Scope
    ) -> tuple[Any, ...] | None:
        if scope.limits_rows:
            row = self._within(connection, parameters, scope)
        else:
            row = connection.execute(_GOLDEN, parameters, prepare=True).fetchone()
        try:
            self._kept.put_nowait(connection)
        except Full:
            connection.close()
        return row

    @staticmethod
    def _within(
        connection: psycopg.Connection[tuple[Any, ...]], parameters: tuple[str, str], scope: Scope
    ) -> tuple[Any, ...] | None:
        """Role, settings and the read in one round trip: the pipeline is one transaction until its end."""
        with connection.pipeline(), connection.transaction():
            connection.execute(ENTER, entering(scope), prepare=True)
            return connection.execute(_WITHIN, (*parameters, *_granted(scope)), prepare=True).fetchone()

    def _take(self) -> psycopg.Connection[tuple[Any, ...]] | None:
        try:
            return self._kept.get_nowait()
        except Empty:
            return None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        arguments, options = self._arguments
        return psycopg.connect(*arguments, **{**options, "application_name": "mdm-read"}, autocommit=True)


class AwaitedReads:
    """The same reads for an event loop, which answers others while the database works: no hop to a thread and back.

    Connections belong to the loop that opened them; in another loop new ones are opened.
    """

    def __init__(self, engine: Engine) -> None:
        self._arguments = engine.dialect.create_connect_args(engine.url)
        self._kept: list[psycopg.AsyncConnection[tuple[Any, ...]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Semaphore(_KEPT)

    async def golden(self, domain: Domain, entity_id: str, scope: Scope = EVERYTHING) -> GoldenRow | None:
        """The golden record of an active entity, if the scope reaches it.

        Raises:
            TransientError: the database does not answer.
        """
        self._enter_loop()
        async with self._free:
            row = await self._one((entity_id, domain.value), scope)
        return None if row is None else _as_golden(domain, entity_id, row)

    async def close(self) -> None:
        """Give the kept connections up."""
        self._enter_loop()
        while self._kept:
            await self._kept.pop().close()

    def _enter_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            for connection in self._kept:
                connection.pgconn.finish()
            self._loop, self._kept, self._free = loop, [], asyncio.Semaphore(_KEPT)

    async def _one(self, parameters: tuple[str, str], scope: Scope) -> tuple[Any, ...] | None:
        if self._kept:
            connection = self._kept.pop()
            try:
                return await self._ask(connection, parameters, scope)
            except psycopg.OperationalError:
                await connection.close()  # as above
        try:
            arguments, options = self._arguments
            named = {**options, "application_name": "mdm-read"}
            fresh = await psycopg.AsyncConnection.connect(*arguments, **named, autocommit=True)
            return await self._ask(fresh, parameters, scope)
        except psycopg.OperationalError as error:
            raise TransientError("The database does not answer.") from error

    async def _ask(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], parameters: tuple[str, str], scope: Scope
    ) -> tuple[Any, ...] | None:
        try:
            if scope.limits_rows:
                async with connection.pipeline(), connection.transaction():
                    await connection.execute(ENTER, entering(scope), prepare=True)
                    cursor = await connection.execute(_WITHIN, (*parameters, *_granted(scope)), prepare=True)
                    row = await cursor.fetchone()
            else:
                row = await (await connection.execute(_GOLDEN, parameters, prepare=True)).fetchone()
        except BaseException:  # cancelled in the middle, too: what state it is in is nobody's to guess
            connection.pgconn.finish()
            raise
        self._kept.append(connection)
        return row


def _as_golden(domain: Domain, entity_id: str, row: tuple[Any, ...]) -> GoldenRow:
    version, name, values, members, ruleset, seq, cause, known_from = row
    return GoldenRow(
        EntityId(entity_id),
        domain,
        version,
        name,
        orjson.loads(values),
        members,
        ruleset,
        seq,
        cause,
        known_from,
        None,
    )


def _granted(scope: Scope) -> list[list[str] | None]:
    """The labels of each dimension, twice each, as `_WITHIN` asks for them."""
    found: list[list[str] | None] = []
    for name in (*DIMENSIONS, "domains"):
        granted = granted_in(scope, name)
        everywhere = {EVERYWHERE} if granted and name != "domains" else set()
        found += [None if granted is None else sorted(granted | everywhere)] * 2
    return found
