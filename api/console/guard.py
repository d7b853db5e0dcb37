"""Who may use the console: a dependency that every page states, and what happens to those who are not signed in."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.auth import RoleGuard
from api.console.sessions import COOKIE, PERSON, Session, Sessions
from api.deps import Reads, ReadsDep
from mdm.access import STEWARDS
from mdm.store import accounts, api_keys
from mdm.store.read_console import open_counts

SIGN_IN = "/console/sign-in"


class SignInNeeded(Exception):
    """The page needs a session. `target` is where to continue after signing in."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    @property
    def address(self) -> str:
        return f"{SIGN_IN}?next={quote(self.target, safe='')}"


class SignedIn(RoleGuard):
    """Lets stewards with an open session pass whose account or API key is still live."""

    async def __call__(self, request: Request, reads: ReadsDep) -> Session:
        sessions: Sessions = request.app.state.sessions
        session = sessions.find(request.cookies.get(COOKIE, ""))
        if session is None or session.caller.role not in self.roles:
            raise SignInNeeded(_target(request))
        counts = await run_in_threadpool(_look, session, reads)
        if counts is None:
            sessions.end(session)
            raise SignInNeeded(_target(request))
        request.state.counts = counts
        request.scope["mdm.key_id"] = session.caller.key_id
        return session


#: One object, so that a page that states it twice (on its router and as a parameter) checks it once.
signed_in = SignedIn(STEWARDS)
SessionDep = Annotated[Session, Depends(signed_in)]


def safe_target(target: str) -> str:
    """A page of the console to continue with: never an address of another host."""
    inside = target.startswith("/console/") and "\\" not in target and "//" not in target
    return target if inside and target.isprintable() else "/console/"


def _look(session: Session, reads: Reads) -> dict[str, int] | None:
    """How much work is open, for the navigation; None when the key is no longer live."""
    with reads.snapshot() as connection:
        if not _is_live(connection, session.caller.key_id):
            return None
        return open_counts(connection, session.actor)


def _is_live(connection: Connection, name: str) -> bool:
    """Whether the key or account is still good. People of an identity provider are, until their session ends."""
    if name.startswith(PERSON):
        return accounts.is_active(connection, name.removeprefix(PERSON))
    return name.startswith("oidc:") or api_keys.is_live(connection, name)


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
