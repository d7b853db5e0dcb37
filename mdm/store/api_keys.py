"""API keys: issued once, stored as a hash, checked in constant time, revoked with a date.

A key reads `mdm_<key id>_<secret>`. The secret has 200 random bits, so one round of SHA-256 is enough: there is
nothing to guess that a slow hash would protect.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from mdm.access import EVERYTHING, Caller, Role, Scope, read_role, read_scope
from mdm.errors import Invalid, OperatorError
from mdm.store.tables import api_key

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_KEY_ID, _SECRET = 10, 40
_FORM = re.compile(rf"mdm_([{_ALPHABET}]{{{_KEY_ID}}})_([{_ALPHABET}]{{{_SECRET}}})")
_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be told about a key. The secret is not among it: nobody has it but its holder."""

    key_id: str
    role: Role
    label: str
    created_at: datetime
    revoked_at: datetime | None
    scope: Scope = EVERYTHING


def issue_key(connection: Connection, role: Role, label: str, scope: Scope = EVERYTHING) -> str:
    """A new key, to be shown once. The caller commits.

    Raises:
        OperatorError: the label is empty; a key nobody can tell apart cannot be revoked with confidence.
    """
    if not label.strip():
        raise OperatorError("An API key needs a label that says what it is for.")
    key_id, secret = _random(_KEY_ID), _random(_SECRET)
    connection.execute(
        insert(api_key).values(
            key_id=key_id,
            secret_hash=_hash(secret),
            role=str(role),
            label=label.strip(),
            scope=scope.as_json() or None,
        )
    )
    return f"mdm_{key_id}_{secret}"


def verify(connection: Connection, presented: str) -> Caller | None:
    """Who holds this key, or None when it is malformed, unknown or revoked."""
    form = _FORM.fullmatch(presented)
    if form is None:
        return None
    key_id, secret = form.groups()
    row = connection.execute(
        select(api_key.c.secret_hash, api_key.c.role, api_key.c.label, api_key.c.scope).where(
            api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)
        )
    ).one_or_none()
    # An unknown key id costs the same comparison as a known one, so the two cannot be told apart by time.
    matches = hmac.compare_digest(_hash(secret), bytes(row.secret_hash) if row else _NOBODY)
    if row is None or not matches:
        return None
    try:
        return Caller(key_id, read_role(row.role), row.label, read_scope(row.scope or {}))
    except Invalid:
        return None  # a role or scope of another release: nothing is guessed


def is_live(connection: Connection, key_id: str) -> bool:
    """Whether the key exists and was not revoked: asked for sessions that were opened with it."""
    return (
        connection.scalar(select(api_key.c.key_id).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)))
        is not None
    )


def limit_key(connection: Connection, key_id: str, scope: Scope) -> bool:
    """Give a live key another scope; True when there is one. Holds within seconds. The caller commits."""
    done = connection.execute(
        update(api_key)
        .where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None))
        .values(scope=scope.as_json() or None)
    )
    return done.rowcount == 1


def give_roles(connection: Connection, key_id: str, role: Role) -> bool:
    """Give a live key other roles; True when there is one. Holds within seconds. The caller commits."""
    done = connection.execute(
        update(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)).values(role=str(role))
    )
    return done.rowcount == 1


def revoke(connection: Connection, key_id: str) -> bool:
    """End a key; True when it was live. The row stays, so that past actions keep their author. The caller commits."""
    done = connection.execute(
        update(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=func.now())
    )
    return done.rowcount == 1


def list_keys(connection: Connection) -> Sequence[KeyInfo]:
    """Every key ever issued, oldest first."""
    rows = connection.execute(
        select(
            api_key.c.key_id,
            api_key.c.role,
            api_key.c.label,
            api_key.c.created_at,
            api_key.c.revoked_at,
            api_key.c.scope,
        ).order_by(api_key.c.created_at, api_key.c.key_id)
    )
    return [KeyInfo(row[0], read_role(row[1]), *row[2:5], read_scope(row[5] or {})) for row in rows]


def labels_of(connection: Connection, key_ids: Iterable[str]) -> dict[str, str]:
    """What keys are for, by their ids, of revoked ones too; ids of accounts and people are none."""
    rows = connection.execute(select(api_key.c.key_id, api_key.c.label).where(api_key.c.key_id.in_(set(key_ids))))
    return {row.key_id: row.label for row in rows}


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
