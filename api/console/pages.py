"""Rendering: one template environment, and the headers of every page."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.console.charts import signed
from api.console.compare import SIGNS
from api.console.navigation import offered
from api.console.once import numbered
from api.console.preferences import view_of
from api.console.show import differs, label, lines, rows_of
from api.console.ways import OpenWays, ways_of
from api.console.wording import (
    added,
    ago,
    amount,
    amounts,
    counted,
    day,
    named,
    number,
    percent,
    person,
    plainly,
    proposal,
    seconds,
    span,
)

_HERE = Path(__file__).parent

#: What a page may do: load our own style sheet, script and icon, ask us for pages, and send forms to us.
#: No inline style or script.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: Files that pages load, read once: name to content and media type.
STATIC: Mapping[str, tuple[bytes, str]] = {
    file.name: (file.read_bytes(), _MEDIA_TYPES[file.suffix])
    for file in sorted((_HERE / "static").iterdir())
    if file.suffix in _MEDIA_TYPES
}
_FINGERPRINTS = {name: hashlib.sha256(content).hexdigest()[:12] for name, (content, _) in STATIC.items()}


def _static(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it for ever."""
    return f"/console/static/{name}?v={_FINGERPRINTS[name]}"


def _time(moment: datetime | str | None) -> str:
    """A time for people: UTC, to the second."""
    if moment is None:
        return ""
    instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _machine_time(moment: datetime | str) -> str:
    """The same time for the `datetime` attribute."""
    return moment if isinstance(moment, str) else moment.isoformat()


def _code(text: str) -> Markup:
    """Text in which words between back quotes are code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(static=_static, label=label, lines=lines, rows_of=rows_of, differs=differs)
_environment.globals.update(signed=signed, signs=SIGNS, amounts=amounts)
_environment.filters.update(
    time=_time,
    machine_time=_machine_time,
    code=_code,
    ago=ago,
    day=day,
    number=number,
    counted=counted,
    added=added,
    amount=amount,
    percent=percent,
    person=person,
    plainly=plainly,
    proposal=proposal,
    named=named,
    seconds=seconds,
    span=span,
)


def page(
    template: str, request: Request, *, status: int = 200, headers: Mapping[str, str] | None = None, **content: Any
) -> HTMLResponse:
    """A rendered page. Pages behind the sign-in have `session` in their content; they know the counts of open work and
    which ways are open to the person (`api.console.ways`)."""
    content.setdefault("session", None)
    session = content["session"]
    if session is not None:
        ways = OpenWays(ways_of(request), session.caller)
        content["session"] = replace(session, csrf=numbered(session.csrf))
        content |= {"opens": ways.opens, "sends": ways.sends, "lacking": ways.lacking}
    navigation = offered(ways.opens) if session is not None else ()
    counts = getattr(request.state, "counts", {})
    body = _environment.get_template(template).render(
        path=request.url.path, view=view_of(request), counts=counts, navigation=navigation, **content
    )
    return HTMLResponse(body, status, {"Content-Security-Policy": CONTENT_SECURITY_POLICY, **(headers or {})})
