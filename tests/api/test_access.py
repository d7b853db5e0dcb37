"""Who may do what: every route, every role, every way to present a key."""

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import PUBLIC_ROUTES, ApiOptions, assemble, roles_by_route
from mdm.access import EVERY_ROLE, STEWARDS, Role
from mdm.model.ids import Domain
from mdm.store import api_keys
from tests.api.rows import ACME, CRM_ACME, HubRows

MATRIX = roles_by_route(assemble(ApiOptions()).routes)
GUARDED = {route: roles for route, roles in MATRIX.items() if roles is not None}
PUBLIC = [route for route, roles in MATRIX.items() if roles is None]


def address(route: str) -> str:
    """An address that the route answers; what the parts mean does not matter before access is decided."""
    path = route.partition(" ")[2]
    for part, example in (("plural", "customers"), ("key:path", "A1"), ("name", "icon.svg"), ("code", "forbidden")):
        path = path.replace("{" + part + "}", example)
    path = re.sub(r"\{\w+:int\}", "1", path)
    return path.replace("{id}", "cus_1").replace("{system}", "crm").replace("{type}", "account")


def method(route: str) -> str:
    return route.partition(" ")[0].partition(",")[0]


def test_every_route_states_its_roles_or_is_listed_as_public_with_a_reason() -> None:
    assert {route.partition(" ")[2] for route in PUBLIC} == set(PUBLIC_ROUTES)
    assert all(PUBLIC_ROUTES.values())
    assert all(roles and roles <= EVERY_ROLE for roles in GUARDED.values())
    assert len(GUARDED) > 20, "the routes of included routers are counted too"


def test_a_route_that_nobody_guarded_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PUBLIC_ROUTES, "/docs")

    with pytest.raises(RuntimeError, match="/docs"):
        assemble(ApiOptions())


@pytest.mark.parametrize("route", [route for route in GUARDED if "/console" not in route])
def test_nobody_passes_without_a_key(client_of: Callable[[Role | None], TestClient], route: str) -> None:
    answer = client_of(None).request(method(route), address(route))

    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", list(Role))
def test_each_role_passes_where_it_is_named_and_only_there(
    client_of: Callable[[Role | None], TestClient], role: Role
) -> None:
    client = client_of(role)
    for route, roles in GUARDED.items():
        if "/console" in route:
            continue
        refused = client.request(method(route), address(route)).status_code in (401, 403)
        assert refused is (role not in roles), route


def test_console_pages_are_for_stewards_with_a_session(client_of: Callable[[Role | None], TestClient]) -> None:
    for route, roles in GUARDED.items():
        if "/console" not in route:
            continue
        assert roles == STEWARDS, route
        for role in (None, *Role):  # an API key alone opens no page
            client = client_of(role)
            answer = client.post(address(route)) if route.startswith("POST") else client.get(address(route))
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/console/sign-in?next=")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer mdm_0000000000_" + "0" * 40},
        {"Authorization": "Basic bWRtOm1kbQ=="},
        {"X-API-Key": ""},
        {"X-API-Key": "mdm_\u00e9"},
    ],
)
def test_a_wrong_key_is_refused(app: FastAPI, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}

    assert TestClient(app).get("/v1/status", headers=encoded).status_code == 401


def test_a_key_may_come_in_either_header(app: FastAPI, keys: dict[Role, str]) -> None:
    client = TestClient(app)

    assert client.get("/v1/status", headers={"X-API-Key": keys[Role.READER]}).status_code == 200
    assert client.get("/v1/status", headers={"Authorization": f"bearer {keys[Role.READER]}"}).status_code == 200


def test_a_wrong_key_in_one_header_is_not_mended_by_the_other(app: FastAPI, keys: dict[Role, str]) -> None:
    right = {"X-API-Key": keys[Role.READER]}

    for wrong in ("Bearer nonsense", "Basic bWRtOm1kbQ==", "nonsense", ""):
        assert TestClient(app).get("/v1/status", headers=right | {"Authorization": wrong}).status_code == 401


def test_a_revoked_key_stops_working(app: FastAPI, engine: Engine, keys: dict[Role, str]) -> None:
    client = TestClient(app, headers={"X-API-Key": keys[Role.ERP]})
    before = client.get("/v1/status").status_code

    with engine.begin() as connection:
        api_keys.revoke(connection, keys[Role.ERP].split("_")[1])

    assert (before, client.get("/v1/status").status_code) == (200, 401)


def test_a_reader_sees_confidential_values_only_by_their_end(rows: HubRows, reader: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    body = reader.get(f"/v1/customers/{acme}").json()

    assert body["masked"] == ["emails", "identifiers", "phones"]
    assert body["values"]["name"] == "Acme Anvils B.V."
    assert body["values"]["identifiers"] == [{"type": "vat", "country": "NL", "value": "***7B05", "checksum": "valid"}]
    assert body["values"]["phones"] == [{"value": "***5926", "e164": "***5926", "valid": True}]


def test_nothing_confidential_leaves_by_any_route_for_a_reader(rows: HubRows, reader: TestClient) -> None:
    runner_up = {"record": {"system": "erp", "type": "x", "key": "1"}, "value": ACME["phones"], "reason": "older"}
    element = {"record": {"system": "crm", "type": "account", "key": "A1"}, "runners_up": [runner_up]}
    lineage = {"phones": {"rule": "union", "elements": [element], "runners_up": [runner_up]}}
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, lineage=lineage)
    rows.version(acme, Domain.CUSTOMER, ACME | {"payment_terms": "Z060-SECRET"}, lineage=lineage)
    contact = {"email": "maud@acme.example", "last_name": "Evers-Secret"}
    rows.source(CRM_ACME._replace(type="contact"), domain=None, kind="contact", attributes=contact,
                references=[("customer", CRM_ACME)])  # fmt: skip
    secrets = ("NL169963937B05", "9725926", "31309725926", "accounts@acme", "Z060-SECRET", "maud@", "Evers-Secret")

    for route in GUARDED:
        if "/console" in route or not route.startswith("GET"):
            continue
        answer = reader.get(address(route).replace("cus_1", acme))
        assert not [secret for secret in secrets if secret in answer.text], route


def test_those_who_may_see_everything_do(rows: HubRows, client_of: Callable[[Role | None], TestClient]) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    for role in (Role.ERP, Role.STEWARD, Role.ADMIN):
        body = client_of(role).get(f"/v1/customers/{acme}").json()
        assert (body["values"], body["masked"]) == (ACME, [])
