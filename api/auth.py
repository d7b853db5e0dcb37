"""Who is asking, and whether they may: API keys on every route, refused unless a route says otherwise.

A route states its roles with `allows(...)`. Routes without a statement must be in the application's list of public
routes; the application does not start otherwise (`api.app`).
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.deps import Reads, ReadsDep
from api.errors import FORBIDDEN, UNAUTHENTICATED, refuse
from mdm.access import Caller, Role
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
        remembered = self._known.get(digest)
        now = time.monotonic()
        if remembered is not None and now < remembered[0]:
            return remembered[1]
        caller = await run_in_threadpool(_verify, presented, reads)
        if caller is None:
            self._known.pop(digest, None)
            return None
        self._known[digest] = (now + self._remember, caller)
        self._known.move_to_end(digest)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return caller


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
    # Whoever sends an Authorization header means it: no falling back to the other one when it is of another scheme.
    bearer_key = bearer.credentials if bearer is not None else "of another scheme"
    presented = bearer_key if "authorization" in request.headers else header
    ring: KeyRing = request.app.state.key_ring
    caller = await ring.caller(presented, reads) if presented else None
    if caller is None:
        raise refuse(
            UNAUTHENTICATED,
            "The API key is unknown, malformed or revoked." if presented else "The request carries no API key.",
            headers={"WWW-Authenticate": 'Bearer realm="mdm"'},
        )
    # Read by the request log, which sits outside of the routes.
    request.scope["mdm.key_id"] = caller.key_id
    request.scope["mdm.freshness"] = await request.app.state.freshness.text(reads)
    return caller


class RoleGuard:
    """A dependency that lets some roles pass. The set is an attribute, so that the whole matrix can be read."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles


class Allowed(RoleGuard):
    """Lets API keys of some roles pass."""

    async def __call__(self, caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if caller.role not in self.roles:
            raise refuse(FORBIDDEN, f"The role {caller.role.value!r} does not include this.")
        return caller


def allows(roles: frozenset[Role]) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """The dependency to put on a route or router."""
    return Allowed(roles)


#: For handlers that need to know who is asking; the route itself states who may.
CallerDep = Annotated[Caller, Depends(authenticate)]
