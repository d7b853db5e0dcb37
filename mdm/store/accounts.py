"""People who sign in to the console with a password: argon2id hashes, a pause after many wrong ones, an end date.

A company that has an identity provider needs none of this; it is what makes the embedded default safe to try.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, insert, select, update

from mdm.access import EVERYTHING, Permission, Role, Scope, read_role, read_scope, roles_that
from mdm.errors import Conflict, Invalid, NotFound
from mdm.store import console_sessions
from mdm.store.tables_console import console_account

#: Wrong passwords in a row after which an account rests, and how long.
_TRIES, _PAUSE = 5, timedelta(minutes=5)
_SHORTEST = 10
_hasher = PasswordHasher()
#: Checked when the account is unknown, so that known and unknown names take the same time.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    username: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    scope: Scope = EVERYTHING


def create_account(
    connection: Connection,
    username: str,
    name: str,
    role: Role,
    password: str | None = None,
    scope: Scope = EVERYTHING,
) -> str:
    """A new account; returns its password, made up when none is given. The caller commits.

    Raises:
        Invalid: the name or the password cannot be used, or the role has no place in the console.
        Conflict: there is an account of this name.
    """
    user = username.strip().lower()
    if not user or len(user) > 64 or not user.isprintable() or any(letter.isspace() for letter in user):
        raise Invalid("A user name has 1 to 64 characters without spaces.")
    _must_have_a_place(role)
    secret = password if password is not None else secrets.token_urlsafe(12)
    if len(secret) < _SHORTEST:
        raise Invalid(f"A password has at least {_SHORTEST} characters.")
    known = connection.scalar(select(console_account.c.username).where(console_account.c.username == user))
    if known is not None:
        raise Conflict(f"There is an account {user} already.", action="Choose another name, or set its password.")
    connection.execute(
        insert(console_account).values(
            username=user,
            name=name.strip() or user,
            role=str(role),
            scope=scope.as_json() or None,
            password_hash=_hasher.hash(secret),
        )
    )
    return secret


def set_password(connection: Connection, username: str, password: str | None = None) -> str:
    """Another password for an account, made up when none is given; also ends a pause, and every open session of it.

    The caller commits.

    Raises:
        NotFound: there is no such account.
    """
    secret = password if password is not None else secrets.token_urlsafe(12)
    if len(secret) < _SHORTEST:
        raise Invalid(f"A password has at least {_SHORTEST} characters.")
    done = connection.execute(
        update(console_account)
        .where(console_account.c.username == username.lower())
        .values(password_hash=_hasher.hash(secret), failures=0, locked_until=None)
    )
    if done.rowcount == 0:
        raise NotFound(f"There is no account {username}.", action="`mdm accounts list` shows all of them.")
    console_sessions.end_everywhere(connection, f"user:{username.lower()}")
    return secret


def check_password(connection: Connection, username: str, password: str, now: datetime) -> Account | None:
    """Whose password this is, or None. Wrong ones are counted; the caller commits in either case."""
    row = connection.execute(
        select(console_account).where(console_account.c.username == username.strip().lower()).with_for_update()
    ).one_or_none()
    right = _matches(row.password_hash if row is not None else _NOBODY, password)
    if row is None or row.disabled_at is not None or (row.locked_until is not None and row.locked_until > now):
        return None
    if not right:
        failures = row.failures + 1
        locked = now + _PAUSE if failures % _TRIES == 0 else None
        connection.execute(
            update(console_account)
            .where(console_account.c.username == row.username)
            .values(failures=failures, locked_until=locked)
        )
        return None
    connection.execute(
        update(console_account).where(console_account.c.username == row.username).values(failures=0, locked_until=None)
    )
    return _account(row)


def give_roles(connection: Connection, username: str, role: Role) -> bool:
    """Give an active account other roles; True when there is one. Its open sessions end. The caller commits.

    Raises:
        Invalid: they have no place in the console.
    """
    _must_have_a_place(role)
    done = connection.execute(
        update(console_account)
        .where(console_account.c.username == username.lower(), console_account.c.disabled_at.is_(None))
        .values(role=str(role))
    )
    console_sessions.end_everywhere(connection, f"user:{username.lower()}")
    return done.rowcount == 1


def _must_have_a_place(role: Role) -> None:
    if not role.may(Permission.CONSOLE):
        raise Invalid(
            f"The role {str(role)!r} has no place in the console.",
            action=f"Choose {', '.join(sorted(map(str, roles_that(Permission.CONSOLE))))}.",
        )


def limit_account(connection: Connection, username: str, scope: Scope) -> bool:
    """Give an active account another scope; True when there is one. Open sessions keep theirs until they end. The
    caller commits."""
    done = connection.execute(
        update(console_account)
        .where(console_account.c.username == username.lower(), console_account.c.disabled_at.is_(None))
        .values(scope=scope.as_json() or None)
    )
    return done.rowcount == 1


def is_active(connection: Connection, username: str) -> bool:
    """Whether the account exists and was not disabled: asked for open sessions."""
    found = connection.scalar(
        select(console_account.c.username).where(
            console_account.c.username == username, console_account.c.disabled_at.is_(None)
        )
    )
    return found is not None


def disable(connection: Connection, username: str, now: datetime) -> bool:
    """End an account; True when it was active. Its sessions end with it. The caller commits."""
    done = connection.execute(
        update(console_account)
        .where(console_account.c.username == username.lower(), console_account.c.disabled_at.is_(None))
        .values(disabled_at=now)
    )
    console_sessions.end_everywhere(connection, f"user:{username.lower()}")
    return done.rowcount == 1


def list_accounts(connection: Connection) -> Sequence[Account]:
    """Everybody who ever could sign in, by name."""
    rows = connection.execute(select(console_account).order_by(console_account.c.username))
    return [_account(row) for row in rows]


def _account(row: Any) -> Account:  # Any: a row of the table
    scope = read_scope(row.scope or {})
    return Account(row.username, row.name, read_role(row.role), row.created_at, row.disabled_at, scope)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
