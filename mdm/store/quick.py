"""The one read that everybody does all day: a current golden record by its id, in one round trip.

A prepared statement on a connection in autocommit mode: one statement needs no transaction to see one state. Kept
connections are not asked whether they still live; a statement that finds one dead is tried again on a new one.
"""

from queue import Empty, Full, LifoQueue
from typing import Any

import orjson
import psycopg
from sqlalchemy import Engine

from mdm.errors import TransientError
from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import GoldenRow

#: Connections kept between requests: a read takes well under a millisecond, so that few serve many threads.
_KEPT = 8

_GOLDEN = """
select version, name, "values"::text, members, ruleset, seq, cause, known_from
from golden where entity_id = %s and domain = %s and known_to is null
"""


class QuickReads:
    """Connections of its own to the database of an engine. Safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self._arguments = engine.dialect.create_connect_args(engine.url)
        self._kept: LifoQueue[psycopg.Connection[tuple[Any, ...]]] = LifoQueue(_KEPT)

    def golden(self, domain: Domain, entity_id: str) -> GoldenRow | None:
        """The golden record of an active entity.

        Raises:
            TransientError: the database does not answer.
        """
        row = self._one((entity_id, domain.value))
        if row is None:
            return None
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

    def close(self) -> None:
        """Give the kept connections up."""
        while (connection := self._take()) is not None:
            connection.close()

    def _one(self, parameters: tuple[str, str]) -> tuple[Any, ...] | None:
        kept = self._take()
        if kept is not None:
            try:
                return self._ask(kept, parameters)
            except psycopg.OperationalError:
                kept.close()  # it died while it was kept; a new one will tell whether the database did, too
        try:
            return self._ask(self._connect(), parameters)
        except psycopg.OperationalError as error:
            raise TransientError("The database does not answer.") from error

    def _ask(
        self, connection: psycopg.Connection[tuple[Any, ...]], parameters: tuple[str, str]
    ) -> tuple[Any, ...] | None:
        row = connection.execute(_GOLDEN, parameters, prepare=True).fetchone()
        try:
            self._kept.put_nowait(connection)
        except Full:
            connection.close()
        return row

    def _take(self) -> psycopg.Connection[tuple[Any, ...]] | None:
        try:
            return self._kept.get_nowait()
        except Empty:
            return None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        arguments, options = self._arguments
        return psycopg.connect(*arguments, **{**options, "application_name": "mdm-read"}, autocommit=True)
