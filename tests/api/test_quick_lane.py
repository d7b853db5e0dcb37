"""The quick lane answers what the route answers, to the byte, and nothing that it should leave to the route."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from api.rate import Rate
from mdm.access import Role, Scope
from mdm.access.scope import DIMENSIONS
from mdm.errors import TransientError
from mdm.model.canonical import DataClass
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows
from tests.api.test_scopes import EUROPE, US_BOLT, TwoRegions, regions

__all__ = ["regions"]

_CALLERS: Mapping[str, tuple[Role, Scope]] = {
    **{str(role): (role, Scope()) for role in (Role.VIEWER, Role.ERP, Role.STEWARD, Role.AUDITOR, Role.ADMIN)},
    "europe": (Role.ERP, EUROPE),
    "america": (Role.ERP, Scope(regions=frozenset({"AMER"}))),
    "products": (Role.ERP, Scope(domains=frozenset({Domain.PRODUCT}))),
    "public": (Role.ADMIN, Scope(data_class=DataClass.PUBLIC)),
}


@dataclass
class Ways:
    """The same service twice: with the lane, and with every request sent past it."""

    quick: FastAPI
    long: FastAPI
    taken: list[str]

    def get(self, path: str, headers: Mapping[str, str] | list[tuple[str, str]]) -> tuple[Response, Response]:
        answers = []
        for app in (self.quick, self.long):
            client = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
            answers.append(client.get(path, headers=headers))
        return answers[0], answers[1]


@pytest.fixture
def ways(surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> Ways:
    quick, long = (create_app(surroundings, ApiOptions(log=surroundings.log)) for _ in range(2))
    monkeypatch.setattr(long.state.key_ring, "remembered", lambda _: None)
    taken: list[str] = []
    read = quick.state.awaited.golden

    async def noted(domain: Domain, entity_id: str, scope: Scope) -> Any:
        row = await read(domain, entity_id, scope)
        if row is not None:
            taken.append(entity_id)
        return row

    monkeypatch.setattr(quick.state.awaited, "golden", noted)
    return Ways(quick, long, taken)


def key(engine: Engine, caller: str) -> str:
    role, scope = _CALLERS[caller]
    with engine.begin() as connection:
        return api_keys.issue_key(connection, role, caller, scope)


def told(answer: Response) -> tuple[Any, ...]:
    """All of an answer but what differs between any two: the id of its trace."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-trace-id"}
    body: Any = answer.content
    if "trace_id" in answer.text:
        body = {name: value for name, value in answer.json().items() if name != "trace_id"}
    return answer.status_code, headers, body


@pytest.mark.parametrize("caller", list(_CALLERS))
def test_both_ways_answer_the_same(ways: Ways, engine: Engine, rows: HubRows, regions: TwoRegions, caller: str) -> None:
    child = rows.golden(
        Domain.CUSTOMER,
        CrosswalkKey("crm", "account", "CHILD"),
        {"name": "Acme Child", "parent": {"system": "crm", "type": "account", "key": CRM_ACME.key}},
    )
    bearer = {"Authorization": f"Bearer {key(engine, caller)}"}
    first = ways.get(f"/v1/customers/{regions.acme}", bearer)  # known from here on
    tag = first[0].headers.get("etag", '"none"')
    paths = [
        *(f"/v1/customers/{each}" for each in (regions.acme, regions.bolt, regions.merged, child, "cus_nobody", "%20")),
        f"/v1/contracts/{regions.acme_contract}",
        f"/v1/products/{regions.acme}",
        f"/v1/customers/{regions.acme}?fields=name",
        f"/v1/customers/{regions.acme}?surprise=1",
        f"/v1/customers/{regions.acme}/",
    ]
    for path in paths:
        for more in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}, {"If-Match": '"x"'}, {"Accept": "text/html"}):
            quick, long = ways.get(path, bearer | more)
            assert told(quick) == told(long), (path, more)

    within = {each for each in (regions.acme, regions.bolt, str(child))
              if ways.get(f"/v1/customers/{each}", bearer)[1].status_code == 200}  # fmt: skip
    assert set(ways.taken) == within, "the lane is taken where the answer is a record, and nowhere else"


def test_keys_that_are_not_plain_go_the_long_way(ways: Ways, engine: Engine, regions: TwoRegions) -> None:
    good = key(engine, "erp_reader")
    path = f"/v1/customers/{regions.acme}"
    ways.get(path, {"X-API-Key": good})
    for headers in (
        [("X-API-Key", good), ("Authorization", "Basic eDp5")],
        [("X-API-Key", good), ("X-API-Key", good)],
        [("Authorization", f"bearer {good}")],
        [("Authorization", good)],
        [("X-API-Key", good + " ")],
        [("X-API-Key", "")],
        [],
    ):
        quick, long = ways.get(path, headers)
        assert told(quick) == told(long), headers


def test_what_is_refused_counted_and_logged_is_the_same(
    surroundings: Surroundings, engine: Engine, rows: HubRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    secret = {"X-API-Key": key(engine, "erp_reader")}
    lines, counts, accesses = [], [], []
    for way in ("quick", "long"):
        surroundings.lines.clear()
        app = create_app(surroundings, ApiOptions(log=surroundings.log, rate=Rate(per_second=0.001, burst=3)))
        if way == "long":
            monkeypatch.setattr(app.state.key_ring, "remembered", lambda _: None)
        client = TestClient(app)
        statuses = [client.get(f"/v1/customers/{acme}", headers=secret).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429], way
        lines.append([{n: v for n, v in each.items() if n not in ("trace_id", "milliseconds")}
                      for each in surroundings.lines])  # fmt: skip
        counts.append([line for line in app.state.metrics.exposition("")[0].decode().splitlines() if "_count{" in line])
        app.state.access_log.write()
        with engine.begin() as connection:
            accesses.append(connection.scalar(text("select sum(reads) from record_access")))
            connection.execute(text("delete from record_access"))
    assert lines[0] == lines[1]
    assert counts[0]
    assert counts[0] == counts[1]
    assert accesses == [3, 3]


def test_a_database_that_does_not_answer_is_told_by_the_route(
    ways: Ways, engine: Engine, rows: HubRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    secret = {"X-API-Key": key(engine, "erp_reader")}
    ways.get(f"/v1/customers/{acme}", secret)

    async def away(*_: Any) -> None:
        raise TransientError("The database does not answer.")

    monkeypatch.setattr(ways.quick.state.awaited, "golden", away)
    assert ways.get(f"/v1/customers/{acme}", secret)[0].status_code == 200  # the route has connections of its own


def test_connections_that_died_are_replaced(engine: Engine, surroundings: Surroundings, rows: HubRows) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME, at=NOON)
    app = create_app(surroundings, ApiOptions(log=surroundings.log))
    secret = {"X-API-Key": key(engine, "erp_reader")}
    with TestClient(app) as client:  # one event loop for all of it
        for _ in range(2):
            assert client.get(f"/v1/customers/{acme}", headers=secret).status_code == 200
        with engine.begin() as connection:
            ended = connection.scalar(
                text("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'mdm-read'"
                     " and datname = current_database()")
            )  # fmt: skip
        assert ended
        assert client.get(f"/v1/customers/{acme}", headers=secret).status_code == 200


def test_row_security_holds_in_the_lane_alone(
    engine: Engine, surroundings: Surroundings, regions: TwoRegions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The condition of the query gone, the rows are still not there."""
    monkeypatch.setattr("mdm.store.quick._granted", lambda _: [None] * 2 * (len(DIMENSIONS) + 1))
    app = create_app(surroundings, ApiOptions(log=surroundings.log))
    secret = {"X-API-Key": key(engine, "europe")}
    client = TestClient(app, follow_redirects=False)
    assert client.get(f"/v1/customers/{regions.acme}", headers=secret).status_code == 200
    assert client.get(f"/v1/customers/{regions.bolt}", headers=secret).status_code == 404
    assert US_BOLT.key not in client.get(f"/v1/customers/{regions.bolt}", headers=secret).text
