"""The service on a fresh database, and clients that hold a key of each role.

Tests build the few rows they speak about with `rows`; nothing is loaded that a test does not name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.clock import Clock, system_clock
from mdm.store import api_keys
from tests.api.rows import HubRows

As: TypeAlias = Callable[[Role | None], TestClient]


@dataclass
class Surroundings:
    """The part of a hub that the API reads, and a place where its log lines end up."""

    engine: Engine
    clock: Clock = system_clock
    lines: list[dict[str, object]] = field(default_factory=list)

    def log(self, event: str, **facts: str | int | float | None) -> None:
        self.lines.append({"event": event, **facts})


@pytest.fixture
def surroundings(engine: Engine) -> Surroundings:
    return Surroundings(engine)


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    return HubRows(engine)


@pytest.fixture
def app(surroundings: Surroundings) -> FastAPI:
    """The service; it forgets keys at once, so that a test can revoke one."""
    return create_app(surroundings, ApiOptions(log=surroundings.log, remember_keys_seconds=0))


@pytest.fixture
def keys(engine: Engine) -> dict[Role, str]:
    with engine.begin() as connection:
        return {role: api_keys.issue_key(connection, role, f"test {role}") for role in Role}


@pytest.fixture
def client_of(app: FastAPI, keys: dict[Role, str]) -> As:
    """A client of a role; None for a caller without a key. Redirects are shown, not followed."""

    def client(role: Role | None) -> TestClient:
        headers = {"Authorization": f"Bearer {keys[role]}"} if role else {}
        return TestClient(app, headers=headers, follow_redirects=False, raise_server_exceptions=False)

    return client


@pytest.fixture
def erp(client_of: As) -> TestClient:
    return client_of(Role.ERP)


@pytest.fixture
def reader(client_of: As) -> TestClient:
    return client_of(Role.READER)


@pytest.fixture
def steward(app: FastAPI, keys: dict[Role, str]) -> TestClient:
    """A browser signed in to the console."""
    browser = TestClient(app, follow_redirects=True, raise_server_exceptions=False)
    form = browser.get("/console/sign-in").text
    csrf = form.partition('name="csrf" value="')[2].partition('"')[0]
    answer = browser.post("/console/sign-in", data={"csrf": csrf, "key": keys[Role.STEWARD], "next": "/console/"})
    assert answer.status_code == 200, answer.text
    return browser
