"""How somebody wants to see the console: kept in a cookie of their browser, so that it works without scripts."""

from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

from fastapi import Request

COOKIE = "mdm_view"
_ALLOWED = {"theme": ("system", "light", "dark"), "keys": ("on", "off")}


class View(NamedTuple):
    """`theme` is system, light or dark; `keys` says whether single letters act (WCAG 2.1.4)."""

    theme: str = "system"
    keys: str = "on"

    @property
    def cookie(self) -> str:
        return urlencode(self._asdict())


def view_of(request: Request) -> View:
    """What the browser remembers; what it does not, or wrongly, is as it is by default."""
    return read_view({name: values[0] for name, values in parse_qs(request.cookies.get(COOKIE, "")).items()})


def read_view(fields: dict[str, str]) -> View:
    """A view from fields of a form or cookie."""
    return View(**{name: fields[name] for name, allowed in _ALLOWED.items() if fields.get(name) in allowed})
