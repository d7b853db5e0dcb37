"""A client that names its writes and decides whatever things are by now, where a test does not say otherwise."""

import re
import uuid
from typing import Any

import httpx
from fastapi.testclient import TestClient

_READS = ("GET", "HEAD", "OPTIONS")
_CONDITIONAL = re.compile("/v1/(tasks/|decisions|releases/[0-9]+$|erasures/[0-9]+/(holds|approve)$)")


class Writer(TestClient):
    """Adds `Idempotency-Key`, and `If-Match: *` to commands, unless they are given; None leaves one out."""

    def request(self, method: str, url: Any, **how: Any) -> httpx.Response:  # type: ignore[override]
        """The answer to a request."""
        path = str(url)
        if method.upper() in _READS or not path.startswith("/v1/"):
            return super().request(method, url, **how)
        headers: dict[str, Any] = {"Idempotency-Key": uuid.uuid4().hex}
        if _CONDITIONAL.match(path):
            headers["If-Match"] = "*"
        headers |= dict(how.pop("headers", None) or {})
        told = {name: value for name, value in headers.items() if value is not None}
        return super().request(method, url, headers=told, **how)
