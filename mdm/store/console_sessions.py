"""Who is signed in to the console, kept where every server process finds it. Only digests of cookies are stored."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from mdm.access import Caller, read_role, read_scope
from mdm.store.tables_console import console_secret, console_session, console_sign_in

#: Sign-ins of one person that stay open; the oldest ends when there are more.
_MOST_OPEN = 20
#: Sign-ins through the identity provider that are under way at once; more is somebody trying to fill the table.
_MOST_PENDING = 10_000
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One sign-in of somebody. `digest` names it without opening it."""

    digest: bytes
    caller: Caller
    agent: str
    begun_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that somebody began and the identity provider has not answered yet."""

    verifier: str
    nonce: str
    target: str


def digest(secret: str) -> bytes:
    """What is kept of a cookie or state."""
    return sha256(secret.encode()).digest()


def begin(connection: Connection, session: OpenSession) -> None:
    """Keep a sign-in. What has expired goes, and so do the oldest of a person with very many. The caller commits."""
    table = console_session
    connection.execute(delete(table).where(table.c.expires_at <= session.begun_at))
    connection.execute(
        insert(table).values(
            session_hash=session.digest,
            key_id=session.caller.key_id,
            role=str(session.caller.role),
            label=session.caller.label,
            scope=session.caller.scope.as_json() or None,
            agent=session.agent[:_LONGEST_AGENT],
            begun_at=session.begun_at,
            expires_at=session.expires_at,
        )
    )
    kept = (
        select(table.c.session_hash)
        .where(table.c.key_id == session.caller.key_id)
        .order_by(table.c.begun_at.desc(), table.c.session_hash)
        .limit(_MOST_OPEN)
    )
    connection.execute(delete(table).where(table.c.key_id == session.caller.key_id, table.c.session_hash.not_in(kept)))


def find(connection: Connection, cookie: str, now: datetime) -> OpenSession | None:
    """The sign-in that a cookie names, unless it has ended or expired."""
    table = console_session
    row = connection.execute(
        select(table).where(table.c.session_hash == digest(cookie), table.c.expires_at > now)
    ).one_or_none()
    return None if row is None else _session(row)


def open_sessions(connection: Connection, key_id: str, now: datetime) -> Sequence[OpenSession]:
    """The sign-ins of a person that are open, newest first."""
    table = console_session
    query = select(table).where(table.c.key_id == key_id, table.c.expires_at > now)
    return [_session(row) for row in connection.execute(query.order_by(table.c.begun_at.desc(), table.c.session_hash))]


def end(connection: Connection, session: bytes) -> None:
    """End one sign-in; harmless when it has ended. The caller commits."""
    connection.execute(delete(console_session).where(console_session.c.session_hash == session))


def end_everywhere(connection: Connection, key_id: str) -> int:
    """End every sign-in of a person; says how many there were. The caller commits."""
    return connection.execute(delete(console_session).where(console_session.c.key_id == key_id)).rowcount


def remember_sign_in(
    connection: Connection, state: str, pending: PendingSignIn, now: datetime, expires_at: datetime
) -> bool:
    """Keep a sign-in that leaves for the identity provider; False when far too many are under way."""
    table = console_sign_in
    connection.execute(delete(table).where(table.c.expires_at <= now))
    under_way = connection.scalar(select(func.count()).select_from(table)) or 0
    if under_way >= _MOST_PENDING:
        return False
    connection.execute(
        insert(table).values(
            state_hash=digest(state),
            verifier=pending.verifier,
            nonce=pending.nonce,
            target=pending.target,
            expires_at=expires_at,
        )
    )
    return True


def take_sign_in(connection: Connection, state: str, now: datetime) -> PendingSignIn | None:
    """The sign-in that comes back with this state, once. The caller commits."""
    table = console_sign_in
    row = connection.execute(
        delete(table)
        .where(table.c.state_hash == digest(state))
        .returning(table.c.verifier, table.c.nonce, table.c.target, table.c.expires_at)
    ).one_or_none()
    return None if row is None or row.expires_at <= now else PendingSignIn(row.verifier, row.nonce, row.target)


def shared_secret(connection: Connection, name: str) -> bytes:
    """The secret of this name that all server processes share; made by whoever needs it first. The caller commits."""
    table = console_secret
    made = upsert(table).values(name=name, value=secrets.token_bytes(32))
    connection.execute(made.on_conflict_do_nothing())
    return bytes(connection.execute(select(table.c.value).where(table.c.name == name)).scalar_one())


def _session(row: Row[Any]) -> OpenSession:
    caller = Caller(row.key_id, read_role(row.role), row.label, read_scope(row.scope or {}))
    return OpenSession(bytes(row.session_hash), caller, row.agent, row.begun_at, row.expires_at)
