"""Who may sign in and which machines may ask, page by page; secrets and hashes are never read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody with an account. `scope` is None for everything."""

    username: str
    name: str
    role: str
    scope: Mapping[str, Any] | None
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    sessions: int


@dataclass(frozen=True, slots=True)
class ClientLine:
    """An API key, without its secret. `consumers` are the readers of the change feed that it owns."""

    key_id: str
    label: str
    role: str
    scope: Mapping[str, Any] | None
    created_at: datetime
    revoked_at: datetime | None
    consumers: int


def people(connection: Connection, after: str, now: datetime, limit: int) -> Sequence[PersonLine]:
    """Up to `limit` accounts behind this name, by name."""
    rows = connection.execute(
        text(
            """select username, name, role, to_jsonb(a)->'scope', created_at, disabled_at, locked_until,
                   (select count(*) from console_session s
                    where s.key_id = 'user:' || a.username and s.expires_at > :now)
               from console_account a where username > :after order by username limit :limit"""
        ),
        {"after": after, "now": now, "limit": limit},
    )
    return [PersonLine(*row) for row in rows]


def clients(connection: Connection, after: str, limit: int) -> Sequence[ClientLine]:
    """Up to `limit` keys behind this id, by id."""
    rows = connection.execute(
        text(
            """select key_id, label, role, to_jsonb(k)->'scope', created_at, revoked_at,
                   (select count(*) from feed_consumer c where c.owner = k.key_id)
               from api_key k where key_id > :after order by key_id limit :limit"""
        ),
        {"after": after, "limit": limit},
    )
    return [ClientLine(*row) for row in rows]
