"""The service on a fresh database, and clients that hold a key of each role.

Tests build the few rows they speak about with `rows`; nothing is loaded that a test does not name.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import ApiOptions, assemble, attach, create_app
from mdm.access import FORMER_STEWARD, Role
from mdm.bootstrap import make_engine
from mdm.clock import Clock, system_clock
from mdm.hub.release import load_rules, remember_rules
from mdm.intake.catalogue import load_catalogue
from mdm.store import api_keys
from mdm.store.embedded import EmbeddedServer
from tests.api.rows import HubRows
from tests.api.writing import Writer
from tests.conftest import copied

As: TypeAlias = Callable[[Role | None], TestClient]


@dataclass
class Surroundings:
    """The part of a hub that the API reads, and a place where its log lines end up."""

    engine: Engine
    clock: Clock = system_clock
    lines: list[dict[str, object]] = field(default_factory=list)

    def log(self, event: str, **facts: str | int | float | None) -> None:
        self.lines.append({"event": event, **facts})


@pytest.fixture(scope="session")
def ingested(postgres_server: EmbeddedServer, world_template: str) -> Iterator[Engine]:
    """A hub that really ingested the sample world. Shared by all tests of a run: they only read it."""
    with contextmanager(copied)(postgres_server, world_template) as url:
        engine = make_engine(url)
        catalogue = load_catalogue(None)
        remember_rules(engine, load_rules(catalogue))
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def world(ingested: Engine) -> Callable[[Role], TestClient]:
    """A client of a role on the ingested world."""
    around = Surroundings(ingested)
    app = create_app(around, ApiOptions(log=around.log))

    def client(role: Role) -> TestClient:
        with ingested.begin() as connection:
            key = api_keys.issue_key(connection, role, "test")
        return Writer(app, headers={"X-API-Key": key}, follow_redirects=False)

    return client


@pytest.fixture
def surroundings(engine: Engine) -> Surroundings:
    return Surroundings(engine)


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    return HubRows(engine)


@pytest.fixture(scope="session")
def assembled() -> tuple[FastAPI, list[Surroundings]]:
    """The service without a hub: its hundreds of routes take as long to build as a test takes to run.

    The second part is where its log lines go: to the last of these surroundings.
    """
    current: list[Surroundings] = []

    def log(event: str, **facts: str | int | float | None) -> None:
        current[-1].log(event, **facts)

    return assemble(ApiOptions(log=log)), current


@pytest.fixture
def app(assembled: tuple[FastAPI, list[Surroundings]], surroundings: Surroundings) -> Iterator[FastAPI]:
    """The service; it forgets keys at once, so that a test can revoke one."""
    service, current = assembled
    current.append(surroundings)
    attach(service, surroundings, ApiOptions(remember_keys_seconds=0))
    yield service
    current.pop()
    service.dependency_overrides.clear()


@pytest.fixture
def keys(engine: Engine) -> dict[Role, str]:
    with engine.begin() as connection:
        return {role: api_keys.issue_key(connection, role, f"test {role}") for role in (*Role, FORMER_STEWARD)}


@pytest.fixture
def client_of(app: FastAPI, keys: dict[Role, str]) -> As:
    """A client of a role; None for a caller without a key. Redirects are shown, not followed."""

    def client(role: Role | None) -> TestClient:
        headers = {"Authorization": f"Bearer {keys[role]}"} if role else {}
        return Writer(app, headers=headers, follow_redirects=False, raise_server_exceptions=False)

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
    answer = browser.post("/console/sign-in", data={"csrf": csrf, "key": keys[FORMER_STEWARD], "next": "/console/"})
    assert answer.status_code == 200, answer.text
    return browser
