"""Who is asking, and whether they may: API keys on every route, refused unless a route says otherwise.

A route states the permission it takes with `allows(...)`; which roles hold it, `mdm.access` says. Routes without a
statement must be in the application's list of public
routes; the application does not start otherwise (`api.app`).
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from api.deps import SCOPE, Reads, ReadsDep, hub_of
from api.errors import FORBIDDEN, TOO_MANY, UNAUTHENTICATED, refuse
from api.rate import Standing
from api.strangers import refuse_strangers
from api.versions import heed_pin
from mdm.access import MEANINGS, Caller, Permission
from mdm.hub.tokens import TokenVerifier
from mdm.store import api_keys

_bearer = HTTPBearer(auto_error=False, scheme_name="Bearer", description="An API key: `Authorization: Bearer mdm_...`")
_header = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="ApiKey", description="An API key: `X-API-Key: mdm_...`"
)


class KeyRing:
    """Checks API keys and remembers the answer for a moment.

    Remembering saves a query per request; the price is that a revoked key may work for `remember_seconds` longer.
    """

    def __init__(self, remember_seconds: float = 5.0, capacity: int = 1024) -> None:
        self._remember = remember_seconds
        self._capacity = capacity
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def caller(self, presented: str, reads: Reads) -> Caller | None:
        """Who holds this key now, or None."""
        digest = hashlib.sha256(presented.encode()).digest()
        now = time.monotonic()
        remembered = self._remembered(digest, now)
        if remembered is not None:
            return remembered
        caller = await run_in_threadpool(_verify, presented, reads)
        if caller is None:
            self._known.pop(digest, None)
            return None
        self._known[digest] = (now + self._remember, caller)
        self._known.move_to_end(digest)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return caller

    def remembered(self, presented: str) -> Caller | None:
        """Who held this key a moment ago; None when the store has to be asked."""
        return self._remembered(hashlib.sha256(presented.encode()).digest(), time.monotonic())

    def _remembered(self, digest: bytes, now: float) -> Caller | None:
        found = self._known.get(digest)
        return found[1] if found is not None and now < found[0] else None


def _verify(presented: str, reads: Reads) -> Caller | None:
    with reads.snapshot() as connection:
        return api_keys.verify(connection, presented)


async def authenticate(
    request: Request,
    reads: ReadsDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
    header: Annotated[str | None, Depends(_header)] = None,
) -> Caller:
    """The caller behind the request's API key.

    Raises:
        ProblemRaised: `unauthenticated`.
    """
    known: Caller | None = request.scope.get("mdm.caller")
    if known is not None:
        return known
    # Whoever sends an Authorization header means it: no falling back to the other one when it is of another scheme.
    bearer_key = bearer.credentials if bearer is not None else "of another scheme"
    presented = bearer_key if "authorization" in request.headers else header
    ring: KeyRing = request.app.state.key_ring
    tokens: TokenVerifier | None = request.app.state.tokens
    caller = None
    if presented and tokens is not None and presented.count(".") == 2:
        caller = await run_in_threadpool(tokens.caller, presented)
    elif presented:
        caller = await ring.caller(presented, reads.own())
    if caller is None:
        raise refuse(
            UNAUTHENTICATED,
            "The API key is unknown, malformed or revoked." if presented else "The request carries no API key.",
            headers={"WWW-Authenticate": 'Bearer realm="mdm"'},
        )
    await admit(request.scope, caller, reads.own())
    return caller


async def admit(scope: Scope, caller: Caller, own: Reads) -> None:
    """Let a known caller in: count the request, and put down for log, answer and queries who asks.

    Raises:
        ProblemRaised: `too-many-requests`, or `version-not-served`.
    """
    state = scope["app"].state
    # Read by the request log, which sits outside of the routes.
    scope["mdm.key_id"] = caller.key_id
    scope[SCOPE] = caller.scope
    scope["mdm.role"] = caller.role
    standing: Standing = state.limiter.take(caller.key_id)
    scope["mdm.rate"] = state.limiter.policy, standing.limit
    if standing.wait > 0:
        raise refuse(
            TOO_MANY,
            "This key sends more requests than it may.",
            headers={"Retry-After": str(math.ceil(standing.wait))},
        )
    heed_pin(scope)
    scope["mdm.caller"] = caller
    scope["mdm.freshness"] = await state.freshness.text(own)


async def caller_of(request: Request) -> Caller:
    """The caller behind a request that no dependency has looked at yet.

    Raises:
        ProblemRaised: `unauthenticated` or `too-many-requests`.
    """
    return await authenticate(request, Reads(hub_of(request)), await _bearer(request), await _header(request))


class Guard:
    """A dependency that asks for a permission. It is an attribute, so that the whole matrix can be read."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def check(self, caller: Caller) -> None:
        """Raises ProblemRaised (`forbidden`) when the caller's role does not include it."""
        if not caller.may(self.permission):
            raise refuse(
                FORBIDDEN, f"The role {str(caller.role)!r} does not include this: {MEANINGS[self.permission]}."
            )


class Allowed(Guard):
    """Lets API keys and tokens pass whose role includes the permission, when they ask for what the route knows."""

    async def __call__(self, request: Request, caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        self.check(caller)
        refuse_strangers(request)
        return caller


def allows(permission: Permission) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """The dependency to put on a route or router. Of several all must hold."""
    return Allowed(permission)


#: For handlers that need to know who is asking; the route itself states who may.
CallerDep = Annotated[Caller, Depends(authenticate)]
