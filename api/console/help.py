"""Help: the keys and how to switch them off, the words of the hub, what to do about codes; and preferences."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from api.console.forms import FormDep
from api.console.guard import SessionDep, signed_in
from api.console.once import FormRoute
from api.console.pages import page
from api.console.preferences import COOKIE, read_view, view_of
from api.console.workbench import WorkbenchDep
from api.deps import ReadsDep
from mdm.lifecycle.policy import Policy
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.store.console_sessions import open_sessions

router = APIRouter(route_class=FormRoute, prefix="/console", include_in_schema=False, dependencies=[Depends(signed_in)])

_YEAR = 365 * 86_400
#: What browsers and systems write of themselves, the particular before what it claims to be like.
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


class Term(NamedTuple):
    name: str
    meaning: str


class Runbook(NamedTuple):
    """What to do about a code, and whose move it is. `where` is the screen on which it is worked off."""

    code: str
    what: str
    action: str
    owner: str
    where: str


@router.get("/help")
def help_page(request: Request, session: SessionDep, bench: WorkbenchDep, reads: ReadsDep) -> Response:
    with reads.own().snapshot() as connection:
        sign_ins = open_sessions(connection, session.caller.key_id, bench.now)
    return page(
        "help.html",
        request,
        session=session,
        chosen=view_of(request),
        terms=_glossary(),
        runbooks=_runbooks(bench.rules.reconciliation),
        sign_ins=[(each, browser_name(each.agent), each.digest == session.digest) for each in sign_ins],
        now=bench.now,
    )


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


def browser_name(agent: str) -> str:
    """What a browser is called by people, from what it calls itself."""
    for mark, name in _BROWSERS:
        if mark in agent:
            system = next((title for sign, title in _SYSTEMS if sign in agent), "")
            return f"{name} on {system}" if system else name
    return agent.partition(" ")[0][:40] or "an unknown browser"


def _runbooks(policy: Policy) -> Sequence[Runbook]:
    """Every code of reconciliation and of onboarding, as its rules declare it, by code."""
    found = [
        Runbook(rule.code, name.replace("_", " "), rule.action, rule.owner, f"/console/reconciliation?rule={name}")
        for name, rule in policy.rules.items()
    ]
    found += [
        Runbook(code, rule.evidence.replace("_", " "), rule.hint, rule.owner, "/console/onboarding")
        for code, rule in shipped_ruleset().rules.items()
    ]
    return sorted(found)


@cache
def _glossary() -> Sequence[Term]:
    """The glossary as the package carries it: rows of its table."""
    text = (files("mdm") / "GLOSSARY.md").read_text("utf-8")
    rows = [line.strip("|").split("|", 1) for line in text.splitlines() if line.startswith("| **")]
    return [Term(name.strip(" *"), meaning.strip()) for name, meaning in rows]
