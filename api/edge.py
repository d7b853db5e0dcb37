"""The edge of the service: limits before anything is parsed; trace id, headers, metrics and log for every answer.

Plain ASGI, because a wrapper around every request must not cost more than the request. The log names routes, key ids
and durations: never addresses, queries, names or values.
"""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from starlette.datastructures import MutableHeaders
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import deprecation
from api.access_log import note_answer
from api.errors import (
    ADDRESS_TOO_LONG,
    HEADERS_TOO_LARGE,
    INTERNAL,
    MALFORMED,
    TOO_LARGE,
    Problem,
)
from api.versions import VERSION


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes. A read needs a few hundred; the rest leaves room for cookies, cursors and proxies."""

    path: int = 2048
    query: int = 2048
    headers: int = 16 * 1024
    body: int = 16 * 1024


class RequestLog(Protocol):
    """Where one line per request goes."""

    def __call__(self, event: str, **facts: str | int | float | None) -> None: ...


#: How a problem is told: as problem details, or as a page where people look.
Reply: TypeAlias = Callable[[Request, Problem], Response]

#: On every answer. Routes may replace `Cache-Control`; the console replaces the content security policy.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


class Edge:
    """The outermost middleware."""

    def __init__(self, app: ASGIApp, log: RequestLog, limits: Limits, reply: Reply) -> None:
        self._app = app
        self._reply = reply
        self._log = log
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = trace_of(scope)
        scope["mdm.trace_id"] = trace_id
        begun = time.perf_counter()
        status, repeated = 0, False

        async def send_finished(message: Message) -> None:
            nonlocal status, repeated
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                repeated = "Idempotency-Replayed" in headers
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Trace-Id"] = trace_id
                if scope.get("mdm.freshness"):
                    headers["X-Source-Freshness"] = scope["mdm.freshness"]
                if "mdm.caller" in scope and scope["path"].startswith("/v1/"):
                    headers["API-Version"] = VERSION
                if "mdm.rate" in scope:
                    headers["RateLimit-Policy"], headers["RateLimit"] = scope["mdm.rate"]
                for name, value in deprecation.headers_of(route_of(scope), scope.get("path_params") or {}).items():
                    headers[name] = value
            await send(message)

        cut = False

        async def send_told(message: Message) -> None:
            """The framework refuses long bodies in plain text; here that is a problem like any other."""
            nonlocal cut
            if _is_plain_refusal(message):
                cut = True
                refusal = Problem(TOO_LARGE, f"A body has at most {scope[MAX_BODY_SIZE_SCOPE_KEY]} bytes here.")
                await self._reply(Request(scope), refusal)(scope, receive, send_finished)
            elif not cut:
                await send_finished(message)

        error: str | None = None
        try:
            refused = _refusal(scope, self._limits)
            if refused is not None:
                await self._reply(Request(scope), refused)(scope, receive, send_finished)
            else:
                await self._app(scope, receive, send_told)
        except Exception as exception:
            error = type(exception).__name__
            if status:  # the answer has begun: only the server can end it
                raise
            self._log("request_failed", trace_id=trace_id, error=error, where=_where(exception))
            problem = Problem(INTERNAL, "The hub failed to answer.")
            await self._reply(Request(scope), problem)(scope, receive, send_finished)
        finally:
            seconds = time.perf_counter() - begun
            route = route_of(scope)
            state = scope["app"].state
            state.metrics.observe(method_of(scope), route, status, seconds)
            if repeated:
                state.metrics.repeated(route)
            note_answer(getattr(state, "access_log", None), scope, route, status)
            if hasattr(state, "version_log"):
                state.version_log.note(scope, route)
            self._log(
                "request",
                trace_id=trace_id,
                method=method_of(scope),
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
                key_id=scope.get("mdm.key_id"),
                error=error,
            )


def trace_of(scope: Scope) -> str:
    """The trace id of W3C `traceparent`, or a new one when there is none or it is malformed."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            form = _TRACEPARENT.fullmatch(value.decode("latin-1"))
            if form is not None:
                return form.group(1)
    return secrets.token_hex(16)


def route_of(scope: Scope) -> str:
    """The template of the route that answered, so that metrics and logs hold no addresses."""
    route: Any = scope.get("route")
    return getattr(route, "path", "") or "unknown"


def method_of(scope: Scope) -> str:
    """The method, when it is one of those that exist: others would be labels that a caller can invent."""
    method: str = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "OTHER"


def _refusal(scope: Scope, limits: Limits) -> Problem | None:
    query: bytes = scope["query_string"]
    if len(scope.get("raw_path") or b"") > limits.path or len(query) > limits.query:
        return Problem(ADDRESS_TOO_LONG, f"A path has at most {limits.path} bytes, a query {limits.query}.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.headers:
        return Problem(HEADERS_TOO_LARGE, f"The headers together have at most {limits.headers} bytes.")
    # PostgreSQL's text cannot hold NUL, and no name in any platform does.
    if "\0" in scope["path"] or b"%00" in query:
        return Problem(MALFORMED, "The address contains a NUL character.")
    return None


def _is_plain_refusal(message: Message) -> bool:
    """Whether this begins the answer that the framework's limit on bodies puts in the place of any other."""
    if message["type"] != "http.response.start" or message["status"] != TOO_LARGE.status:
        return False
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/plain")


def _where(exception: Exception) -> str:
    """The place of a failure: module and line of the innermost frame, without any value."""
    trace = exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
