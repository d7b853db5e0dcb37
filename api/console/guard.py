"""Who may use the console: a dependency that every page states, and what happens to those who are not signed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.auth import Guard
from api.console.cookies import read_cookie
from api.console.sessions import COOKIE, PERSON, Session, Sessions
from api.deps import SCOPE, ReadHub, Reads, ReadsDep
from api.errors import FORBIDDEN, MALFORMED, refuse
from mdm.access import Permission
from mdm.store import accounts, api_keys
from mdm.store.read_console import open_counts

SIGN_IN = "/console/sign-in"
#: A confirm page of a bulk decision sends one field per task.
_MOST_FIELDS = 1200


class SignInNeeded(Exception):
    """The page needs a session. `target` is where to continue after signing in; `sent`: the form that came without."""

    def __init__(self, target: str, sent: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(target)
        self.target = target
        self.sent = sent

    @property
    def address(self) -> str:
        return f"{SIGN_IN}?next={quote(self.target, safe='')}"


class SignedIn(Guard):
    """Lets people with an open session pass whose account or API key is still live."""

    async def __call__(self, request: Request, reads: ReadsDep) -> Session:
        sessions: Sessions = request.app.state.sessions
        found = await run_in_threadpool(_look, sessions, read_cookie(request, COOKIE), reads.own())
        if found is None or not found[0].caller.may(self.permission):
            raise SignInNeeded(page_before(request), await _sent(request))
        session, live = found
        request.scope[SCOPE] = session.caller.scope
        if not live:
            await run_in_threadpool(sessions.end, session)
            raise SignInNeeded(page_before(request), await _sent(request))
        hub: ReadHub = request.app.state.hub
        counts = await run_in_threadpool(_count, session, reads, hub.clock())
        request.state.counts = counts
        request.state.session = session
        request.scope["mdm.key_id"] = session.caller.key_id
        request.scope["mdm.role"] = session.caller.role
        return session


#: One object, so that a page that states it twice (on its router and as a parameter) checks it once.
signed_in = SignedIn(Permission.CONSOLE)
SessionDep = Annotated[Session, Depends(signed_in)]


class Needs(Guard):
    """Lets those who are signed in pass whose role includes the permission; others are told so on a page."""

    async def __call__(self, session: SessionDep) -> Session:
        self.check(session.caller)
        return session


def needs(permission: Permission) -> Any:  # Any: a dependency for the route, as FastAPI types it
    """What a page of the console takes beside a session; to be put on its route or router."""
    return Depends(Needs(permission))


async def whole_hub(session: SessionDep) -> None:
    """Keeps those out whose scope reaches a part of the hub only: for pages that are about all of it.

    Raises:
        ProblemRaised: the scope is limited.
    """
    if session.caller.scope.limits_rows:
        raise refuse(FORBIDDEN, "This page is about the whole hub, and your scope reaches a part of it.")


def safe_target(target: str) -> str:
    """A page of the console to continue with: never an address of another host."""
    inside = target.startswith("/console/") and "\\" not in target and "//" not in target
    return target if inside and target.isprintable() else "/console/"


def _look(sessions: Sessions, cookie: str, reads: Reads) -> tuple[Session, bool] | None:
    """The session of a cookie, and whether its key or account is still live."""
    with reads.snapshot() as connection:
        session = sessions.find(connection, cookie)
        return None if session is None else (session, _is_live(connection, session.caller.key_id))


def _count(session: Session, reads: Reads, now: datetime) -> dict[str, int]:
    """How much work is open in the person's scope, for the navigation."""
    with reads.snapshot() as connection:
        return open_counts(connection, session.actor, now)


def _is_live(connection: Connection, name: str) -> bool:
    """Whether the key or account is still good. People of an identity provider are, until their session ends."""
    if name.startswith(PERSON):
        return accounts.is_active(connection, name.removeprefix(PERSON))
    return name.startswith("oidc:") or api_keys.is_live(connection, name)


async def read_fields(request: Request) -> dict[str, list[str]]:
    """The fields of a form. The body's size is limited by the application.

    Raises:
        ProblemRaised: there are more fields than any form of the console has, or one holds a NUL character.
    """
    text = (await request.body()).decode("utf-8", "replace")
    # No browser sends it, and no text in the database can hold it.
    if "%00" in text or "\0" in text:
        raise refuse(MALFORMED, "A field of the form holds a NUL character.")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise refuse(FORBIDDEN, "The form has more fields than any form of the console.") from error


def came_from_here(request: Request) -> bool:
    """Whether the browser says that a page of this very host sent a form: nobody else may choose what we show."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host")


async def _sent(request: Request) -> dict[str, list[str]] | None:
    """What a form of ours holds whose session is over, so that it can be sent again; not of one that only signs out."""
    if request.method != "POST" or request.url.path == "/console/sign-out" or not came_from_here(request):
        return None
    return await read_fields(request)


def page_before(request: Request) -> str:
    """Where to continue after signing in: the page itself, or the page that a form was on."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page = urlsplit(request.headers.get("referer", ""))
    return safe_target(page.path + (f"?{page.query}" if page.query else ""))
