"""Help: the keys and how to switch them off, the words of the hub, what to do about codes; and preferences."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from api.console.forms import FormDep
from api.console.guard import SessionDep, signed_in
from api.console.pages import page
from api.console.preferences import COOKIE, read_view, view_of

router = APIRouter(prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_YEAR = 365 * 86_400


class Term(NamedTuple):
    name: str
    meaning: str


@router.get("/help")
def help_page(request: Request, session: SessionDep) -> Response:
    return page("help.html", request, session=session, chosen=view_of(request), terms=_glossary())


@router.post("/preferences")
def prefer(request: Request, form: FormDep) -> Response:
    """Keep how this browser shows the console."""
    chosen = read_view({name: form.text(name) for name in ("theme", "keys")})
    answer = RedirectResponse("/console/help", 303)
    answer.set_cookie(
        COOKIE,
        chosen.cookie,
        max_age=_YEAR,
        path="/console",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@cache
def _glossary() -> Sequence[Term]:
    """The glossary as the package carries it: rows of its table."""
    text = (files("mdm") / "GLOSSARY.md").read_text("utf-8")
    rows = [line.strip("|").split("|", 1) for line in text.splitlines() if line.startswith("| **")]
    return [Term(name.strip(" *"), meaning.strip()) for name, meaning in rows]
