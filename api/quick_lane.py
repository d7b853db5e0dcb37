"""The everyday read, answered before routing: a current golden record by its id, to a key that was seen a moment ago.

Routing, dependencies and the hop to a thread cost several times what the read itself does. Only the ordinary success
is answered here, with the functions that the route itself uses; whatever is not ordinary (parameters, access tokens,
unknown keys or ids, references to resolve, a database that does not answer) goes the long way, which decides and
explains. That both ways answer the same is tested (`tests/api/test_quick_lane.py`).
"""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import admit
from api.deps import Reads
from api.errors import ProblemRaised
from api.present import record_object
from api.wire import tagged
from mdm.access import Caller, Permission
from mdm.errors import TransientError
from mdm.model.ids import Domain
from mdm.store.quick import AwaitedReads
from mdm.store.read_references import references_in

#: Contracts refer to their customer, and so always go the long way.
_DOMAINS = {domain.plural: domain for domain in (Domain.CUSTOMER, Domain.PRODUCT)}
_PATH = re.compile(rf"/v1/({'|'.join(_DOMAINS)})/([A-Za-z0-9_-]{{1,64}})")


class QuickLane:
    """The innermost middleware. `open_to` has the domains' routes, and what they ask of callers."""

    def __init__(self, app: ASGIApp, open_to: dict[Domain, tuple[BaseRoute, frozenset[Permission]]]) -> None:
        self._app = app
        self._open_to = open_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        if scope["method"] != "GET" or scope["query_string"]:
            return None
        named = _PATH.fullmatch(scope["path"])
        if named is None:
            return None
        domain, entity_id = _DOMAINS[named[1]], named[2]
        state = scope["app"].state
        presented = _presented(scope)
        caller: Caller | None = state.key_ring.remembered(presented) if presented is not None else None
        route, asked = self._open_to[domain]
        if caller is None or not all(caller.may(each) for each in asked):
            return None
        reads: AwaitedReads = state.awaited
        try:
            await admit(scope, caller, Reads(state.hub))
            row = await reads.golden(domain, entity_id, caller.scope)
        except (ProblemRaised, TransientError):
            return None
        if row is None or references_in(domain, row.values):
            return None
        scope["route"], scope["path_params"] = route, {"id": entity_id}
        return tagged(Request(scope), row.version, record_object(row, {}, caller.eyes))


def _presented(scope: Scope) -> str | None:
    """The one key of a request, None when there is none, more than one, or one of another kind."""
    found = [(name, value) for name, value in scope["headers"] if name in (b"x-api-key", b"authorization")]
    if len(found) != 1:
        return None
    (name, value), *_ = found
    text: str = value.decode("latin-1")
    return text if name == b"x-api-key" else text[7:] if text.startswith("Bearer ") else None
