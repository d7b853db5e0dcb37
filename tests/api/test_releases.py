"""Releases over HTTP: three callers, one release, and nobody does two of the three."""

from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.store import api_keys
from tests.api.rows import CRM_ACME, ERP_ACME, HubRows
from tests.api.test_console_pages import entered
from tests.api.writing import Writer


def caller(app: FastAPI, engine: Engine, role: Role) -> TestClient:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, role, f"{role}")
    return Writer(app, headers={"X-API-Key": key}, raise_server_exceptions=False)


def test_a_release_goes_through_three_hands(app: FastAPI, engine: Engine) -> None:
    anna, ben = caller(app, engine, Role.RULE_AUTHOR), caller(app, engine, Role.DATA_OWNER | Role.RELEASER)
    clara = caller(app, engine, Role.RELEASER)
    now = anna.get("/v1/rules/in-force/survivorship/customer").json()
    assert now["release_id"] is None
    wish = {"kind": "survivorship", "domain": "customer", "title": "Newest first"}

    broken = anna.post("/v1/releases", json={**wish, "document": now["document"].replace("domain:", "realm:")})
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/invalid-command")
    assert "line" in broken.json()["detail"]
    unchanged = anna.post("/v1/releases", json={**wish, "document": now["document"]})
    assert unchanged.status_code == 409

    document = now["document"].replace("employees: {rank: [most_recent, trust]}", "employees: {rank: [maximum, trust]}")
    made = anna.post("/v1/releases", json={**wish, "document": document})
    assert made.status_code == 201
    address = f"/v1/releases/{made.json()['release_id']}"
    assert any(line.startswith("+  employees: {rank: [maximum") for line in made.json()["differences"])
    assert ben.post(f"{address}/approve").status_code == 409, "not simulated"
    looked_at = anna.get(address).headers["ETag"]
    again = {"title": "The largest", "document": document}
    assert anna.put(address, json=again, headers={"If-Match": None}).status_code == 428
    assert anna.put(address, json=again, headers={"If-Match": '"another"'}).status_code == 412
    changed = anna.put(address, json=again, headers={"If-Match": f'"another", {looked_at}'})
    assert (changed.status_code, changed.json()["title"]) == (200, "The largest")
    assert anna.put(address, json=again, headers={"If-Match": looked_at}).status_code == 412, "changed meanwhile"
    assert changed.headers["ETag"] == anna.get(address).headers["ETag"] != looked_at
    assert anna.post(f"{address}/simulate").status_code == 202
    simulation = anna.get(address).json()["runs"][0]
    assert (simulation["status"], simulation["report"]["golden_changed"]) == ("done", 0)

    assert anna.post(f"{address}/approve").status_code == 403
    assert ben.post(f"{address}/approve", json={"simulation": simulation["run_id"] + 1}).status_code == 412
    assert ben.post(f"{address}/approve", headers={"If-Match": looked_at}).status_code == 412
    assert ben.post(f"{address}/reject", json={"comment": "x"}, headers={"If-Match": looked_at}).status_code == 412
    assert ben.post(f"{address}/approve", json={"simulation": simulation["run_id"]}).json()["status"] == "approved"
    assert ben.post(f"{address}/activate").status_code == 403
    assert anna.post(f"{address}/activate").status_code == 403
    assert clara.post(f"{address}/activate").status_code == 202
    assert anna.get(address).json()["status"] == "active"
    assert clara.post(f"{address}/roll-back", json={"reason": "not needed"}).status_code == 202
    ended = anna.get(address).json()
    assert (ended["status"], ended["same_state"]) == ("rolled_back", True)
    assert [each["release_id"] for each in anna.get("/v1/releases?status=rolled_back").json()["items"]] == [
        ended["release_id"]
    ]


def test_whoever_reaches_a_part_of_the_hub_decides_nothing_about_rules_for_all_of_it(
    app: FastAPI, engine: Engine
) -> None:
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ADMIN, "Europe", Scope(regions=frozenset({"EMEA"})))
    limited = Writer(app, headers={"X-API-Key": key}, raise_server_exceptions=False)
    anna = caller(app, engine, Role.RULE_AUTHOR)
    document = anna.get("/v1/rules/in-force/survivorship/customer").json()["document"]
    wish = {
        "kind": "survivorship", "domain": "customer", "title": "Mine",
        "document": document.replace("employees: {rank: [most_recent, trust]}", "employees: {rank: [trust]}"),
    }  # fmt: skip

    assert limited.post("/v1/releases", json=wish).status_code == 403
    made = anna.post("/v1/releases", json=wish).json()["release_id"]
    for step in ("simulate", "approve", "activate"):
        assert limited.post(f"/v1/releases/{made}/{step}").status_code == 403, step
    assert anna.get(f"/v1/releases/{made}").json()["status"] == "draft"


def test_a_release_that_contradicts_verdicts_is_blocked_and_says_so(
    app: FastAPI, engine: Engine, rows: HubRows, keys: dict[Role, str]
) -> None:
    anna, ben = caller(app, engine, Role.RULE_AUTHOR), caller(app, engine, Role.DATA_OWNER)
    document = anna.get("/v1/rules/in-force/survivorship/customer").json()["document"]
    changed = document.replace("employees: {rank: [most_recent, trust]}", "employees: {rank: [maximum, trust]}")
    wish = {"kind": "survivorship", "domain": "customer", "title": "Largest", "document": changed}
    number = anna.post("/v1/releases", json=wish).json()["release_id"]
    address = f"/v1/releases/{number}"
    assert [each["passed"] for each in anna.get(address).json()["checks"]] == [True, False, False]
    assert anna.post(f"{address}/simulate").status_code == 202
    assert anna.get(address).json()["passed"]
    a, b = rows.source(CRM_ACME), rows.source(ERP_ACME)
    with engine.begin() as connection:
        report = f'{{"contradicted": [["same", {a}, {b}]], "verdicts_contradicted": 1}}'
        connection.execute(text("update release_run set report = report || cast(:r as jsonb)"), {"r": report})

    told = anna.get(address).json()
    assert (told["passed"], told["contradicted"]) == (False, 1)
    refused = ben.post(f"{address}/approve")
    assert refused.status_code == 409
    assert "contradicts 1 verdict" in refused.json()["detail"]
    browser = entered(app, keys[Role.DATA_OWNER])
    page = browser.get(f"/console/releases/{number}").text
    assert "contradicts 1 verdict" in page
    assert CRM_ACME.key in page
    assert 'name="despite"' in page
    agreed = ben.post(f"{address}/approve", json={"despite_verdicts": "they split last year"})
    assert (agreed.status_code, agreed.json()["despite"], agreed.json()["passed"]) == (
        200,
        "they split last year",
        True,
    )
    assert "they split last year" in browser.get(f"/console/releases/{number}").text


def test_a_matching_release_tells_how_far_it_is_from_splink(
    app: FastAPI, engine: Engine, keys: dict[Role, str]
) -> None:
    anna, ben = caller(app, engine, Role.RULE_AUTHOR), caller(app, engine, Role.DATA_OWNER)
    document = anna.get("/v1/rules/in-force/matching/product").json()["document"]
    changed = document.replace("possible: 0.0", "possible: 0.5")
    wish = {"kind": "matching", "domain": "product", "title": "Ask less", "document": changed}
    made = anna.post("/v1/releases", json=wish).json()
    address = f"/v1/releases/{made['release_id']}"
    assert made["parity"] is None
    assert passed(made) == {"fits": True, "simulated": False, "parity": False, "verdicts": False}

    assert anna.post(f"{address}/simulate").status_code == 202

    told = anna.get(address).json()
    assert all(passed(told).values())
    parity = told["parity"]
    assert parity["holds"]
    assert max(parity["weight"], parity["contribution"]) <= 1e-9
    assert parity["levels"] == parity["of_levels"]
    assert parity["versions"]["splink"]
    page = f"/console/releases/{made['release_id']}"
    assert "Scored as Splink scores it" in entered(app, keys[Role.DATA_OWNER]).get(page).text
    with engine.begin() as connection:
        differs = """update release_run set report = jsonb_set(report, '{parity,weight}', '0.5')"""
        connection.execute(text(differs))
    refused = ben.post(f"{address}/approve")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/parity-unproven")
    assert "differ by 5.0e-01 bits" in refused.json()["detail"]
    assert not anna.get(address).json()["passed"]
    assert "Not scored as Splink scores it" in entered(app, keys[Role.DATA_OWNER]).get(page).text


def passed(release: dict[str, Any]) -> dict[str, bool]:
    """Which checks hold."""
    return {each["name"]: each["passed"] for each in release["checks"]}


def test_the_mapping_of_use_and_revenue_is_released_for_products_only(app: FastAPI, engine: Engine) -> None:
    anna = caller(app, engine, Role.RULE_AUTHOR)
    address = "/v1/rules/in-force/usage-revenue"
    now = anna.get(f"{address}/product").json()
    wish = {"kind": "usage-revenue", "title": "Accounts", "document": now["document"].replace("erp}", '"4010"}', 1)}

    assert (now["version"], now["release_id"], now["kind"]) == ("1.0.0", None, "usage-revenue")
    assert anna.get(f"{address}/customer").status_code == 404
    refused = anna.post("/v1/releases", json={**wish, "domain": "customer"})
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "There is no usage-revenue of customers. Write one of products.",
    )
    made = anna.post("/v1/releases", json={**wish, "domain": "product"})
    assert made.status_code == 201, made.text
    mine = f"/v1/releases/{made.json()['release_id']}"
    assert anna.post(f"{mine}/simulate").status_code == 202
    assert anna.get(mine).json()["runs"][0]["report"] == {
        "entities": 0, "mapped_before": 0, "mapped": 0, "newly_mapped": 0, "no_longer_mapped": 0, "changed": 0,
        "codes_of_no_product": 0, "lost": [],
    }  # fmt: skip
    unquoted = {**wish, "domain": "product", "document": wish["document"].replace('"4010"', "4010")}
    assert "line" in anna.post("/v1/releases", json=unquoted).json()["detail"]


def test_the_console_starts_a_mapping_and_tells_what_it_would_lead_to(app: FastAPI, engine: Engine) -> None:
    anna = caller(app, engine, Role.RULE_AUTHOR)
    now = anna.get("/v1/rules/in-force/usage-revenue/product").json()["document"]
    wish = {"kind": "usage-revenue", "domain": "product", "title": "Other words"}
    made = anna.post("/v1/releases", json={**wish, "document": now.replace("licensed seats", "seats")}).json()
    anna.post(f"/v1/releases/{made['release_id']}/simulate")
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.RULE_AUTHOR, "ada")
    browser = entered(app, key)

    assert "Usage-revenue of products" in browser.get("/console/releases").text
    assert "usage-revenue of products" in browser.get("/console/releases/new?kind=usage-revenue&domain=customer").text
    page = browser.get(f"/console/releases/{made['release_id']}")
    assert page.status_code == 200
    assert "Active products mapped" in page.text
