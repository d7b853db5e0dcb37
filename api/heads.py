"""`HEAD` wherever `GET` is: the same answer without its body (RFC 9110, 9.3.2).

What would go on for long, an export say, is broken off as soon as its headers are out.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadersAreOut(Exception):
    """Nobody reads what would still come."""


class Heads:
    """A middleware inside the one that logs, so that the log still tells `HEAD` from `GET`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body"):
                raise _HeadersAreOut

        # The scope itself: the edge reads from it which route has answered whom.
        scope["method"] = "GET"
        try:
            await self._app(scope, receive, send_head)
        except _HeadersAreOut:
            pass
        finally:
            scope["method"] = "HEAD"
