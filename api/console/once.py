"""A form that is sent twice has one effect: by a double click, from the page before, or because the answer got lost.

Every page that is made carries a number of its own in its forms (`numbered`). What is sent a second time from the same
page, word for word, is answered as it was the first time; while the first is still at work, the second waits for it.
A form that was refused changed nothing, and is looked at anew. It is the memory that `Idempotency-Key` has in the API.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.console.sessions import Session
from mdm.store import idempotency
from mdm.store.idempotency import Earlier, Named

#: Where a request leaves the name under which its form is carried out.
_CLAIM = "mdm.form"
#: How often, and how long at most, a form waits for the same form that is at work: longer than any page takes.
_LOOK_SECONDS = 0.1
_WAIT_SECONDS = 60.0


class SentBefore(Exception):
    """The very same form was sent before. `location` is where it led to; None: it was answered on the spot, with what
    is shown once, or is still at work."""

    def __init__(self, session: Session, location: str | None) -> None:
        super().__init__()
        self.session, self.location = session, location


def numbered(token: str) -> str:
    """The token of a session's forms, with a number for the page that they are on."""
    return f"{token}.{secrets.token_urlsafe(9)}"


def of_session(token: str) -> str:
    """The session's part of a form's token; empty when the page's number is missing."""
    secret, _, number = token.partition(".")
    return secret if number else ""


def carried_out(request: Request) -> None:
    """Say that the form took effect although its answer is a page: sent again, it is not carried out again."""
    request.state.carried_out = True


async def claim(request: Request, session: Session) -> None:
    """Take the form of this request as the first of its kind.

    Raises:
        SentBefore: it is not.
    """
    digest = hashlib.sha256("\0".join((session.digest.hex(), request.url.path, request.url.query)).encode())
    digest.update(b"\0" + await request.body())
    name = digest.hexdigest()
    number = await run_in_threadpool(request.app.state.lifeline.take)
    named = Named(session.actor, f"form:{name}", name, number)
    request.scope[_CLAIM] = named  # given back by the route, whatever becomes of it
    for _ in range(round(_WAIT_SECONDS / _LOOK_SECONDS)):
        earlier = await run_in_threadpool(_claimed, request, named)
        if earlier is None:
            return
        if earlier.status is not None:
            raise SentBefore(session, earlier.headers.get("Location"))
        await asyncio.sleep(_LOOK_SECONDS)
    raise SentBefore(session, None)


class FormRoute(APIRoute):
    """A route that remembers what became of each form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the memory around it."""
        answered = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return answered

        async def once(request: Request) -> Response:
            location: str | None = None
            done = False
            try:
                response = await answered(request)
                location = response.headers.get("location") if response.status_code == 303 else None
                done = location is not None or getattr(request.state, "carried_out", False)
                return response
            finally:
                named: Named | None = request.scope.get(_CLAIM)
                if named is not None:
                    await run_in_threadpool(_settle, request, named, done, location)

        return once


def _claimed(request: Request, named: Named) -> Earlier | None:
    hub = request.app.state.hub
    with hub.engine.begin() as connection:
        return idempotency.claim(connection, named, hub.clock())


def _settle(request: Request, named: Named, done: bool, location: str | None) -> None:
    """Keep where the form led to, or forget it; what this request never claimed is not touched."""
    with request.app.state.hub.engine.begin() as connection:
        if done:
            headers = {"Location": location} if location is not None else {}
            idempotency.keep(connection, named, 303 if location is not None else 200, headers, "")
        else:
            idempotency.give_back(connection, named)
    request.app.state.lifeline.give(named.holder)
