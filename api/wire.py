"""JSON on the wire: one encoder, strong entity tags, answers that match them."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

#: Callers may keep an answer but must ask whether it is still right; proxies may not keep it at all.
REVALIDATE = "private, no-cache"
VARY = "Authorization, X-API-Key"


def encode(body: Any) -> bytes:  # Any: whatever JSON can carry
    """UTF-8 JSON; times as RFC 3339 with `Z`."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def answer(body: Any, *, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """A JSON answer. Bodies are built from stored values and are not validated a second time on their way out."""
    return Response(encode(body), status, dict(headers or {}), "application/json")


def tagged(request: Request, version: int, body: Any) -> Response:
    """A JSON answer with a strong ETag, or 304 when the caller already holds exactly this.

    The tag begins with the version and ends with a digest of the bytes: the version alone would not do, because what is
    served also depends on the caller's role and on the entities that references mean now.
    """
    content = encode(body)
    return _unless_held(request, f'"{version}-{digest_of(content)}"', content, {})


def digest_of(content: bytes) -> str:
    """What tells one content from another in an entity tag."""
    return hashlib.sha256(content).hexdigest()[:16]


def tagged_as(request: Request, etag: str, body: Any, headers: Mapping[str, str]) -> Response:
    """A JSON answer with the tag that its body states itself, or 304 when the caller already holds it."""
    return _unless_held(request, etag, encode(body), headers)


def _unless_held(request: Request, etag: str, content: bytes, more: Mapping[str, str]) -> Response:
    headers = {**more, "ETag": etag, "Cache-Control": REVALIDATE, "Vary": VARY}
    if _names(request.headers.get("if-none-match", ""), etag):
        return Response(None, 304, headers)
    return Response(content, 200, headers, "application/json")


def _names(condition: str, etag: str) -> bool:
    """Whether If-None-Match names this tag. The comparison is weak (RFC 9110, 13.1.2): a `W/` prefix is ignored."""
    if condition.strip() == "*":
        return True
    return any(tag.strip().removeprefix("W/") == etag.removeprefix("W/") for tag in condition.split(","))
