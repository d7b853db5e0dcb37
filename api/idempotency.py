"""`Idempotency-Key` on writes: the same key and request get the same answer and one effect.

Every write needs one: without it 400. The same key with another request: 422. While the first is still being answered,
however long that takes: 409; also when it took effect and its process died before the answer was kept: the transaction
of the effect has noted it. Keys belong to their caller and are kept for a day. Commands of stewards keep answer and
effect in one transaction (`mdm.hub.steward`); the route class here is for all other writes.
"""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.auth import caller_of
from api.deps import NAMED
from api.errors import ANSWER_LOST, KEY_IN_USE, KEY_MISSING, KEY_REUSED, ProblemRaised, refuse
from mdm.store import idempotency
from mdm.store.idempotency import Earlier, Named
from mdm.store.lifeline import Lifeline

#: Reads that are sent as POST because their question does not fit an address; a key changes nothing.
READS = frozenset(
    {
        "preview_bulk", "preview_decision", "preview_discard", "rehearse_dead_letters", "rehearse_fix",
        "validate_onboarding", "validate_postings", "classify_ids", "reconcile",
    }
)  # fmt: skip
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LONGEST = 200
#: Headers of an answer that belong to its meaning.
_TOLD = ("ETag", "Location", "Retry-After")
#: Answers that say nothing about an effect; the request may be sent again under its name.
_PASSING = frozenset({401, 403, 429})

PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
    "description": "Your own name for this request: sent again with it within a day, it has one effect and the same "
    "answer. With another request 422; while the first is still being answered 409.",
}


async def _must_be_named(request: Request) -> None:
    """Asked last of all that routes ask of a caller: who may not write is told that, and not how to."""
    if not request.headers.get("idempotency-key"):
        raise refuse(KEY_MISSING, "The header `Idempotency-Key` is missing.")


_NAMING = Depends(_must_be_named)


class OnceRoute(APIRoute):
    """A route whose writes are named by the caller."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        methods = set(how.get("methods") or ())
        self.named = bool(methods & _METHODS) and how.get("name") not in READS
        if self.named:
            extra = dict(how.get("openapi_extra") or {})
            parameters = extra.get("parameters", [])
            if PARAMETER not in parameters and not _knows_keys(endpoint):
                extra["parameters"] = [*parameters, PARAMETER]
            how["openapi_extra"] = extra
            self.named = not _knows_keys(endpoint)
            asked = list(how.get("dependencies") or ())
            how["dependencies"] = asked if _NAMING in asked else [*asked, _NAMING]
        super().__init__(path, endpoint, **how)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler; for named requests with the memory of earlier ones around it."""
        answered = super().get_route_handler()
        if not self.named:
            return answered

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if not key:
                return await answered(request)  # which refuses it
            return await _once(request, key, answered)

        return once


def _knows_keys(endpoint: Callable[..., Any]) -> bool:
    """Whether the route takes the key itself."""
    return "key" in getattr(endpoint, "__annotations__", {})


async def _once(request: Request, key: str, answered: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    if not 1 <= len(key) <= _LONGEST or "\0" in key:
        raise refuse(KEY_REUSED, f"An idempotency key has 1 to {_LONGEST} characters.")
    caller = await caller_of(request)
    fingerprint = await _fingerprint(request)
    lifeline: Lifeline = request.app.state.lifeline
    number = await run_in_threadpool(lifeline.take)
    try:
        return await _claimed(request, Named(caller.key_id, key, fingerprint, number), answered)
    finally:
        await run_in_threadpool(lifeline.give, number)


async def _claimed(
    request: Request, named: Named, answered: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    hub = request.app.state.hub
    request.scope[NAMED] = named

    def claim() -> Earlier | None:
        with hub.engine.begin() as connection:
            return idempotency.claim(connection, named, hub.clock())

    earlier = await run_in_threadpool(claim)
    if earlier is not None:
        return _again(earlier)
    try:
        response = await answered(request)
    except ProblemRaised as refused:
        # A refusal is an answer too, but it is made outside: without an effect, the request may be sent again.
        await run_in_threadpool(_give_back, hub.engine, named)
        raise refused
    except BaseException:
        await run_in_threadpool(_give_back, hub.engine, named)
        raise
    if response.status_code >= 500 or response.status_code in _PASSING:
        await run_in_threadpool(_give_back, hub.engine, named)
    else:
        await run_in_threadpool(_keep, hub.engine, named, response)
    return response


async def _fingerprint(request: Request) -> str:
    """What makes a request the same: method, address, query, condition and body."""
    parts = (request.method, request.url.path, request.url.query, request.headers.get("if-match", ""))
    digest = hashlib.sha256("\0".join(parts).encode())
    digest.update(b"\0" + await request.body())
    return digest.hexdigest()


def _again(earlier: Earlier) -> Response:
    if not earlier.same:
        raise refuse(KEY_REUSED, "This idempotency key was used for another request.")
    if earlier.lost:
        raise refuse(ANSWER_LOST, "The first request with this key took effect; its answer was lost.")
    if earlier.status is None:
        raise refuse(
            KEY_IN_USE, "The first request with this key is still being answered.", headers={"Retry-After": "1"}
        )
    headers = {**earlier.headers, "Idempotency-Replayed": "true"}
    return Response(earlier.body, earlier.status, headers, headers.pop("Content-Type", None))


def _keep(engine: Any, named: Named, response: Response) -> None:
    headers = {name: response.headers[name] for name in (*_TOLD, "Content-Type") if name in response.headers}
    with engine.begin() as connection:
        body = bytes(response.body).decode()
        idempotency.keep(connection, named, response.status_code, headers, body)


def _give_back(engine: Any, named: Named) -> None:
    with engine.begin() as connection:
        idempotency.give_back(connection, named)
