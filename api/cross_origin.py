"""Which web pages may call the API from a browser. Off unless an operator names their origins."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mdm.errors import ConfigurationInvalid

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
#: Headers that a page may send; cookies are never believed from elsewhere.
_SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-API-Key", "traceparent")
#: Headers that a page may read.
_READ = (
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Export-As-Of",
    "X-Export-Total",
    "X-Source-Freshness",
    "X-Trace-Id",
)


def cors(origins: Sequence[str]) -> dict[str, Any]:
    """The settings of the middleware for these origins."""
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
        "allow_headers": list(_SENT),
        "expose_headers": list(_READ),
        "allow_credentials": False,
        "max_age": 600,
    }


def read_origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Origins of `MDM_CORS_ORIGINS`, separated by commas.

    Raises:
        ConfigurationInvalid: one is not scheme, host and port; `*` is none.
    """
    origins = tuple(each.strip() for each in environment.get("MDM_CORS_ORIGINS", "").split(",") if each.strip())
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise ConfigurationInvalid(
                f"MDM_CORS_ORIGINS names {origin!r}, which is no origin.",
                action="Write each as https://host or https://host:port, without a path; * is not allowed.",
            )
    return origins
