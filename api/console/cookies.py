"""Cookies of a session: how they are named, set, read and dropped.

Behind TLS their names begin with `__Host-`: a browser keeps such a cookie only from this very host, over TLS, for all
paths, so that neither a neighbour below the same domain nor a page without TLS can put one in its place. Without TLS a
browser refuses that prefix; there the names are plain, and the path is that of the pages that need them.
"""

from typing import Literal

from fastapi import Request, Response

_PREFIX = "__Host-"


def read_cookie(request: Request, name: str) -> str:
    """What the browser sends under this name; empty when it sends none. Behind TLS a plain name is not believed."""
    return request.cookies.get(_called(request, name), "")


def set_cookie(
    request: Request,
    answer: Response,
    name: str,
    value: str,
    seconds: int,
    same_site: Literal["lax", "strict"],
    path: str = "/console",
) -> None:
    """Have the browser keep a cookie that no script reads."""
    secure = _secure(request)
    answer.set_cookie(
        _called(request, name),
        value,
        max_age=seconds,
        path="/" if secure else path,
        httponly=True,
        samesite=same_site,
        secure=secure,
    )


def drop_cookie(request: Request, answer: Response, name: str, path: str = "/console") -> None:
    """Have the browser forget a cookie that was set with the same path."""
    secure = _secure(request)
    answer.delete_cookie(_called(request, name), path="/" if secure else path, secure=secure, httponly=True)


def _called(request: Request, name: str) -> str:
    return _PREFIX + name if _secure(request) else name


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
