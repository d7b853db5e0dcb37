"""Administration with an audit: accounts and API keys come, change and go, and the chain says by whom.

A change and its audit entry are one transaction. A password or key is shown once and is in no entry.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from mdm.access import EVERYTHING, Permission, Role, Scope
from mdm.clock import Clock
from mdm.errors import NotFound, Refused
from mdm.hub.reach import must_reach_all
from mdm.hub.steward.actor import Actor
from mdm.store import accounts, api_keys
from mdm.store.ledger import write_audit
from mdm.store.reading import transient_failures
from mdm.store.unit_of_work import unit_of_work_in


def create_person(
    engine: Engine, clock: Clock, actor: Actor, username: str, name: str, role: Role, scope: Scope = EVERYTHING
) -> str:
    """A new account; returns its password, to be handed over once.

    Raises:
        Refused: the actor does not administer the hub.
        Invalid, Conflict: the name cannot be used, or is taken.
    """
    detail = {"role": str(role)} | _limits(scope)
    with _audited(engine, clock, actor, "admin.create_account", _person(username), detail) as connection:
        return accounts.create_account(connection, username, name, role, scope=scope)


def reset_password(engine: Engine, clock: Clock, actor: Actor, username: str) -> str:
    """A new password for an account; returns it. Open sessions of the account end.

    Raises:
        Refused: the actor does not administer the hub.
        NotFound: there is no active account of this name.
    """
    with _audited(engine, clock, actor, "admin.reset_password", _person(username)) as connection:
        return accounts.set_password(connection, username)


def disable_person(engine: Engine, clock: Clock, actor: Actor, username: str) -> None:
    """End an account and its sessions. Nobody ends their own, so that somebody is left.

    Raises:
        Refused: the actor does not administer the hub, or means themselves.
        NotFound: there is no active account of this name.
    """
    if actor.name == _person(username):
        raise Refused("Nobody disables their own account.", action="Ask another administrator.")
    with _audited(engine, clock, actor, "admin.disable_account", _person(username)) as connection:
        if not accounts.disable(connection, username, clock()):
            raise _no_account(username)


def give_person_roles(engine: Engine, clock: Clock, actor: Actor, username: str, role: Role) -> None:
    """Give an account other roles; its open sessions end.

    Raises:
        Refused: the actor does not administer the hub.
        NotFound: there is no active account of this name.
    """
    with _audited(
        engine, clock, actor, "admin.give_account_roles", _person(username), {"role": str(role)}
    ) as connection:
        if not accounts.give_roles(connection, username, role):
            raise _no_account(username)


def limit_person(engine: Engine, clock: Clock, actor: Actor, username: str, scope: Scope) -> None:
    """Give an account another scope; it holds from the next sign-in.

    Raises:
        Refused: the actor does not administer the hub.
        NotFound: there is no active account of this name.
    """
    with _audited(engine, clock, actor, "admin.limit_account", _person(username), _limits(scope)) as connection:
        if not accounts.limit_account(connection, username, scope):
            raise _no_account(username)


def issue_client(engine: Engine, clock: Clock, actor: Actor, role: Role, label: str, scope: Scope = EVERYTHING) -> str:
    """A new API key, to be shown once.

    Raises:
        Refused: the actor does not administer the hub.
        OperatorError: the label is empty.
    """
    detail = {"role": str(role)} | _limits(scope)
    with _audited(engine, clock, actor, "admin.issue_key", label.strip(), detail) as connection:
        return api_keys.issue_key(connection, role, label, scope)


def revoke_client(engine: Engine, clock: Clock, actor: Actor, key_id: str) -> None:
    """End an API key.

    Raises:
        Refused: the actor does not administer the hub, or means the key that they came with.
        NotFound: it is not live.
    """
    if actor.name == key_id:
        raise Refused("Nobody revokes the key that they came with.", action="Ask another administrator.")
    with _audited(engine, clock, actor, "admin.revoke_key", key_id) as connection:
        if not api_keys.revoke(connection, key_id):
            raise _no_key(key_id)


def give_client_roles(engine: Engine, clock: Clock, actor: Actor, key_id: str, role: Role) -> None:
    """Give an API key other roles; they hold within seconds.

    Raises:
        Refused: the actor does not administer the hub.
        NotFound: it is not live.
    """
    with _audited(engine, clock, actor, "admin.give_key_roles", key_id, {"role": str(role)}) as connection:
        if not api_keys.give_roles(connection, key_id, role):
            raise _no_key(key_id)


def limit_client(engine: Engine, clock: Clock, actor: Actor, key_id: str, scope: Scope) -> None:
    """Give an API key another scope; it holds within seconds.

    Raises:
        Refused: the actor does not administer the hub.
        NotFound: it is not live.
    """
    with _audited(engine, clock, actor, "admin.limit_key", key_id, _limits(scope)) as connection:
        if not api_keys.limit_key(connection, key_id, scope):
            raise _no_key(key_id)


@contextmanager
def _audited(
    engine: Engine, clock: Clock, actor: Actor, action: str, subject: str, detail: Mapping[str, object] | None = None
) -> Iterator[Connection]:
    actor.must(Permission.ADMINISTER)
    must_reach_all(engine, "Accounts and keys")
    with (
        transient_failures(),
        engine.begin() as connection,
        unit_of_work_in(connection, clock, "admin") as work,
    ):
        yield connection
        write_audit(work, actor.name, action, subject, detail or {})


def _person(username: str) -> str:
    return f"user:{username.strip().lower()}"


def _limits(scope: Scope) -> dict[str, object]:
    return {"scope": scope.as_json()} if scope != EVERYTHING else {}


def _no_account(username: str) -> NotFound:
    return NotFound(f"There is no active account {username}.", action="`mdm accounts list` shows all of them.")


def _no_key(key_id: str) -> NotFound:
    return NotFound(f"There is no live key {key_id}.", action="`mdm keys list` shows all keys.")
