"""No page offers what its route refuses: every screen, for every role that enters the console, held against the routes.

What a form's address takes is read off the application; links are followed.
"""

import os
from html.parser import HTMLParser
from re import Pattern
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.routing import compile_path

from api.console import close, reconciliation
from api.matrix import permissions_by_route
from mdm.access import Permission, Role, Scope, roles_that
from mdm.store import accounts
from tests.e2e import browsing
from tests.e2e.screens import screens
from tests.e2e.test_accessibility import busy

#: `make browser-tests` takes every role; the suite of every day those that differ most.
_ROLES = (
    sorted(roles_that(Permission.CONSOLE), key=str)
    if os.environ.get("MDM_ALL_SCREENS") == "1"
    else [Role.VIEWER, Role.STEWARD, Role.AUDITOR, Role.PRIVACY_OFFICER, Role.ADMIN]
)


class Offers(HTMLParser):
    """Where a page's forms and buttons send to, and where its links lead."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.sent: set[str] = set()
        self.linked: set[str] = set()
        self._address = address
        self._method = "get"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._method = (given.get("method") or "get").lower()
            if self._method == "post":
                self.sent.add(self._at(given.get("action")))
        elif tag in ("button", "input") and given.get("formaction"):
            self.sent.add(self._at(given["formaction"]))
        elif tag == "a" and given.get("href"):
            self.linked.add(urljoin(self._address, given["href"]))

    def _at(self, address: str | None) -> str:
        return urlsplit(urljoin(self._address, address or "")).path


def offers(page: str, address: str) -> Offers:
    found = Offers(address)
    found.feed(page)
    return found


def entered(app: FastAPI, world: Engine, role: Role, scope: Scope | None = None) -> TestClient:
    """Somebody of this role, signed in."""
    name = f"{role}".replace("+", ".").replace("_", ".") + (".limited" if scope else "")
    with world.begin() as connection:
        password = accounts.create_account(connection, name, str(role), role, scope=scope or Scope())
    browser = TestClient(app, follow_redirects=False)
    token = browser.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = browser.post("/console/sign-in", data={"csrf": token, "username": name, "password": password})
    assert answer.status_code == 303, answer.text
    return browser


def taken(app: FastAPI) -> list[tuple[Pattern[str], frozenset[Permission]]]:
    """What sending to an address takes, in the order in which addresses are tried."""
    named = ((*name.partition(" "), asked) for name, asked in permissions_by_route(app.routes).items())
    return [(compile_path(path)[0], asked) for methods, _, path, asked in named if "POST" in methods.split(",")]


def kind_of(address: str) -> str:
    """An address without the record that it is about: the same page about another record asks for the same."""
    return "/".join("#" if any(map(str.isdigit, part)) else part for part in urlsplit(address).path.split("/"))


def test_no_screen_offers_anybody_what_its_route_refuses(world: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # Findings are waited for, however slow the machine: a page without them offers less.
    for page in (reconciliation, close):
        monkeypatch.setattr(page, "PATIENCE", 60.0)
    busy(world)
    app = browsing.application(world)
    posts, pages = taken(app), screens(world)
    limited = Scope(regions=frozenset({"EMEA"}))
    wrong, closed, offered = [], [], {}
    for role, scope in [(role, None) for role in _ROLES] + [(Role.ADMIN, limited)]:
        browser = entered(app, world, role, scope)
        sent: set[str] = set()
        links: dict[str, tuple[str, str]] = {}
        statuses: dict[str, int] = {}
        for name, address in pages.items():
            answer = browser.get(address)
            statuses.setdefault(kind_of(address), answer.status_code)
            if answer.status_code != 200:
                closed += [(str(role), name, "it breaks")] if answer.status_code >= 500 else []
                continue
            found = offers(answer.text, address)
            sent |= found.sent
            for target in found.linked:
                links.setdefault(kind_of(target), (name, target.partition("#")[0]))
            for target in found.sent:
                asked = next((asked for path, asked in posts if path.match(target)), None)
                if asked is None or not asked <= role.permissions:
                    wrong.append((str(role), name, target, sorted(asked or ["no such route"])))
        for kind, (name, target) in links.items():
            if kind.startswith("/console/") and kind not in statuses:
                statuses[kind] = browser.get(target).status_code
            if statuses.get(kind) == 403:
                closed.append((str(role), name, target))
        if scope is None:
            offered[role] = {kind_of(target) for target in sent}

    assert wrong == []
    assert closed == []
    assert offered[Role.VIEWER] == {"/console/sign-out", "/console/preferences"}
    assert "/console/reviews/#/decide" in offered[Role.STEWARD]
    assert "/console/reviews/#/decide" not in offered[Role.AUDITOR]
    assert offered[Role.ADMIN] >= offered[Role.STEWARD], "the administrator stands in for everybody"
