"""Who may do what: every route, every role, every way to present a key."""

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import PUBLIC_ROUTES, ApiOptions, assemble
from api.matrix import COMMITTED, permissions_by_route, rendered, roles_by_route
from api.openapi import describe
from mdm.access import Permission, Role, may_see, roles_that
from mdm.model.canonical import DataClass
from mdm.model.ids import Domain
from mdm.store import api_keys
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.writing import Writer

PERMISSIONS = permissions_by_route(assemble(ApiOptions()).routes)
MATRIX = roles_by_route(assemble(ApiOptions()).routes)
GUARDED = {route: roles for route, roles in MATRIX.items() if roles is not None}
PUBLIC = [route for route, roles in MATRIX.items() if roles is None]


def address(route: str) -> str:
    """An address that the route answers; what the parts mean does not matter before access is decided."""
    path = route.partition(" ")[2]
    for part, example in (
        ("plural", "customers"),
        ("erp", "sap"),
        ("entity_set", "A_BusinessPartner"),
        ("key:path", "A1"),
        ("name", "icon.svg"),
        ("code", "forbidden"),
    ):
        path = path.replace("{" + part + "}", example)
    path = re.sub(r"\{\w+:int\}", "1", path)
    return path.replace("{id}", "cus_1").replace("{system}", "crm").replace("{type}", "account")


def method(route: str) -> str:
    return route.partition(" ")[0].partition(",")[0]


def test_every_route_states_its_roles_or_is_listed_as_public_with_a_reason() -> None:
    assert {route.partition(" ")[2] for route in PUBLIC} == set(PUBLIC_ROUTES)
    assert all(PUBLIC_ROUTES.values())
    assert all(roles and roles <= set(Role) for roles in GUARDED.values())
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


CONSOLE = {route: asked for route, asked in PERMISSIONS.items() if "/console" in route and asked}
#: Pages that let everybody pass who sees them, because what the form asks for is decided inside; checked one by one.
DECIDED_INSIDE = {
    "POST /console/sign-out", "POST /console/preferences", "POST /console/views",
    "POST /console/views/{view_id:int}/delete", "POST /console/approvals/{proposal_id:int}/withdraw",
}  # fmt: skip


def test_whatever_changes_something_takes_more_than_reading() -> None:
    looks = {Permission.READ, Permission.CONSOLE, Permission.INSPECT}
    loose = {route for route, asked in PERMISSIONS.items() if not route.startswith("GET") and asked and asked <= looks}

    own = {  # what a reader keeps for itself, and questions that are too long for an address
        "PUT /v1/consumers/{name}", "POST /v1/consumers/{name}/acknowledge", "DELETE /v1/consumers/{name}",
        "POST /v1/customers/match", "POST /v1/contracts/match", "POST /v1/products/match", "POST /v1/ids:classify",
        "POST /v1/reconcile", "POST /v1/onboarding/validate", "POST /v1/postings/validate",
        "POST /console/reconciliation/export",  # one's own download, of what one reads there
        "POST /v1/approvals/{id}/withdraw",  # one's own only, whatever right it was proposed with
    }  # fmt: skip
    assert loose == own | DECIDED_INSIDE


def test_an_api_key_alone_opens_no_page(client_of: Callable[[Role | None], TestClient]) -> None:
    for role in (None, *Role):
        client = client_of(role)
        for route in CONSOLE:
            answer = client.request(method(route), address(route))
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/console/sign-in?next=")


def session_of(app: FastAPI, key: str) -> tuple[TestClient, str]:
    """A browser signed in to the console, and the token that its forms carry."""
    browser = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
    form = browser.get("/console/sign-in").text
    csrf = form.partition('name="csrf" value="')[2].partition('"')[0]
    assert browser.post("/console/sign-in", data={"csrf": csrf, "key": key}).status_code == 303
    page = browser.get("/console/help").text
    return browser, page.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize("role", [role for role in Role if role.may(Permission.CONSOLE)])
def test_each_page_opens_for_those_who_may_and_the_menu_offers_only_those(
    app: FastAPI, keys: dict[Role, str], role: Role
) -> None:
    browser, csrf = session_of(app, keys[role])
    for route, asked in CONSOLE.items():
        if "sign-out" in route:
            continue
        posted = {"data": {"csrf": csrf}} if route.startswith("POST") else {}
        status = browser.request(method(route), address(route), **posted).status_code  # type: ignore[arg-type]
        if asked <= role.permissions:
            assert status < 500, route
            assert status != 403 or route in DECIDED_INSIDE, route
        else:
            assert status == 403, route
    side = browser.get("/console/help").text.partition('<nav class="side"')[2].partition("</nav>")[0]
    menu = re.findall(r'<a data-swap href="(/console/[^"?]*)"', side)
    assert len(menu) >= 6
    for place in menu:
        assert browser.get(place).status_code in (200, 303), place
    assert ("/console/audit" in menu) is role.may(Permission.AUDIT)
    assert ("/console/replay" in menu) is role.may(Permission.OPERATE)
    assert ("/console/reviews" in menu) is role.may(Permission.INSPECT)


def test_the_committed_matrix_is_that_of_the_application() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == rendered(assemble(ApiOptions()).routes)


def test_the_api_description_says_who_may_call_what() -> None:
    application = assemble(ApiOptions())
    document = describe(application)
    for route, roles in roles_by_route(application.routes).items():
        path = document["paths"].get(route.partition(" ")[2].replace(":path}", "}"))
        if path is not None and roles is not None:
            for verb in route.partition(" ")[0].lower().split(","):
                assert path[verb]["x-roles"] == sorted(map(str, roles)), route


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
    client = Writer(app, headers={"X-API-Key": keys[Role.ERP]})
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

    for role in roles_that(Permission.READ):
        body = client_of(role).get(f"/v1/customers/{acme}").json()
        if may_see(role, DataClass.CONFIDENTIAL):
            assert (body["values"], body["masked"]) == (ACME, []), role
        else:
            assert body["masked"] == ["emails", "identifiers", "phones"], role


def test_a_key_with_several_roles_may_what_each_of_them_may(app: FastAPI, engine: Engine, rows: HubRows) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.VIEWER | Role.RELEASER | Role.ERP, "two hats")
    client = Writer(app, headers={"X-API-Key": key})

    assert client.get(f"/v1/customers/{acme}").json()["masked"] == []
    assert client.get("/v1/releases").status_code == 200
    assert client.post("/v1/releases/1/approve").status_code == 403
    assert client.post("/v1/releases/1/activate").status_code == 404


@pytest.mark.parametrize("stored", ["reader", "erp", "steward", "admin"])
def test_keys_of_before_the_twelve_roles_go_on_working(app: FastAPI, engine: Engine, stored: str) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.VIEWER, "old")
        connection.execute(text("update api_key set role = :role"), {"role": stored})

    assert Writer(app, headers={"X-API-Key": key}).get("/v1/status").status_code == 200


@pytest.mark.parametrize("stored", ["boss", "steward+boss"])
def test_a_role_that_nobody_knows_gives_no_access(app: FastAPI, engine: Engine, stored: str) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "odd")
        connection.execute(text("update api_key set role = :role"), {"role": stored})

    assert Writer(app, headers={"X-API-Key": key}).get("/v1/status").status_code == 401
