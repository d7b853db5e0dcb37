"""Limits, headers, traces, metrics, logs and failures: what every answer has, whatever was asked."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from api.app import ApiOptions, create_app
from api.errors import CATALOGUE
from mdm.access import Role
from mdm.model.ids import Domain
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, CRM_ACME, HubRows


@pytest.mark.parametrize("path", ["/livez", "/docs", "/v1/customers", "/nowhere", "/console/", "/console/sign-in"])
def test_every_answer_forbids_what_browsers_would_do_by_themselves(app: FastAPI, path: str) -> None:
    answer = TestClient(app, follow_redirects=False).get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in policy


def test_what_is_personal_is_not_kept_by_caches(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    assert erp.get(f"/v1/customers/{acme}").headers["cache-control"] == "private, no-cache"
    assert erp.get(f"/v1/customers/{acme}/sources").headers["cache-control"] == "no-store"
    assert erp.get("/v1/customers/unknown").headers["cache-control"] == "no-store"


def test_a_trace_is_continued_or_begun(app: FastAPI) -> None:
    client = TestClient(app)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    def traced(header: str) -> str:
        return client.get("/livez", headers={"traceparent": header}).headers["x-trace-id"]

    assert traced(f"00-{trace_id}-00f067aa0ba902b7-01") == trace_id
    for malformed in ("", "nonsense", f"ff-{trace_id}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01"):
        assert traced(malformed) != trace_id
        assert len(traced(malformed)) == 32


def test_too_much_of_anything_is_refused(app: FastAPI) -> None:
    client = TestClient(app)

    too_long_query = client.get("/v1/customers", params={"q": "x" * 3000})
    too_long_path = client.get("/v1/crosswalk/crm/account/" + "x" * 3000)
    too_many_headers = client.get("/livez", headers={"X-Filler": "x" * 20_000})
    too_much_body = client.post("/console/sign-in", content=b"x" * 20_000)

    assert [answer.status_code for answer in (too_long_query, too_long_path, too_many_headers, too_much_body)] == [
        414, 414, 431, 413,
    ]  # fmt: skip
    assert too_long_query.json()["type"] == "/problems/address-too-long"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_body_is_a_problem_like_any_other(erp: TestClient, surroundings: Surroundings, chunked: bool) -> None:
    body = b'{"ids": ["' + b"x" * 2_000_000 + b'"]}'

    refused = erp.post(
        "/v1/ids:classify",
        content=iter([body]) if chunked else body,
        headers={"Content-Type": "application/json"},
    )

    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/body-too-large")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["x-trace-id"] == refused.json()["trace_id"]
    assert surroundings.lines[-1]["status"] == 413


@pytest.mark.parametrize("address", ["/v1/customers?q=a%00b", "/v1/ids/a%00b", "/v1/crosswalk/crm/account/%00"])
def test_a_nul_character_is_a_malformed_request(erp: TestClient, address: str) -> None:
    assert erp.get(address).json()["type"] == "/problems/malformed-request"


def test_head_is_answered_as_get_without_the_body(rows: HubRows, erp: TestClient, surroundings: Surroundings) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    never = {"x-trace-id", "ratelimit", "x-export-as-of", "set-cookie"}

    for address in (f"/v1/customers/{acme}", f"/v1/customers/{acme}?fields=name", "/v1/customers", "/livez",
                    "/v1/customers/export", "/v1/customers/unknown", "/nowhere", "/console/sign-in"):  # fmt: skip
        got, head = erp.get(address), erp.head(address)
        assert head.status_code == got.status_code, address
        assert head.content == b"", address
        told = {name: value for name, value in got.headers.items() if name not in never}
        assert {name: value for name, value in head.headers.items() if name not in never} == told, address
        assert surroundings.lines[-1]["method"] == "HEAD"
    held = erp.get(f"/v1/customers/{acme}").headers["etag"]
    assert erp.head(f"/v1/customers/{acme}", headers={"If-None-Match": held}).status_code == 304
    assert erp.head("/v1/onboarding/validate").status_code == 405, "there is no GET either"


def test_unknown_addresses_and_methods_are_problems(app: FastAPI) -> None:
    client = TestClient(app)

    nowhere, wrong_method = client.get("/v2/customers"), client.delete("/v1/customers")

    assert (nowhere.status_code, nowhere.json()["type"]) == (404, "/problems/not-found")
    assert (wrong_method.status_code, wrong_method.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong_method.headers["allow"] == "GET"
    for answer in (nowhere, wrong_method):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


def test_every_problem_has_a_page(app: FastAPI) -> None:
    client = TestClient(app)

    for code, problem in CATALOGUE.items():
        page = client.get(problem.uri)
        assert page.status_code == 200
        assert problem.title.split("'")[0] in page.text, code
    assert client.get("/problems/never-heard-of").status_code == 404


def test_a_database_that_is_away_is_unavailable_not_broken(tmp_path: Path, surroundings: Surroundings) -> None:
    away = create_engine(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")
    client = TestClient(create_app(Surroundings(away), ApiOptions(log=surroundings.log)))

    answer = client.get("/v1/customers", headers={"X-API-Key": f"mdm_{'0' * 10}_{'0' * 40}"})

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["retry-after"] == "5"
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_a_defect_is_answered_without_its_details_and_logged_without_values(
    app: FastAPI, surroundings: Surroundings, keys: dict[Role, str]
) -> None:
    def broken() -> None:
        raise ValueError("Acme Anvils owes 5")

    # The application is the session's: a route that stays would be described, and belongs to no layer.
    before = list(app.router.routes)
    app.get("/v1/broken", include_in_schema=False)(broken)
    answer = TestClient(app, raise_server_exceptions=False).get("/v1/broken")
    app.router.routes[:] = before

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert "Acme" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    failed, request = surroundings.lines[-2:]
    assert (failed["event"], failed["error"]) == ("request_failed", "ValueError")
    assert request["status"] == 500
    assert "Acme" not in str(surroundings.lines)


def test_the_log_names_routes_and_keys_but_no_addresses(
    rows: HubRows, erp: TestClient, surroundings: Surroundings, keys: dict[Role, str]
) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    erp.get("/v1/customers", params={"q": "Evers"})
    erp.get("/v1/crosswalk/crm/account/Evers-Secret")

    searched, looked_up = surroundings.lines[-2:]
    assert (searched["route"], searched["status"], searched["method"]) == ("/v1/customers", 200, "GET")
    assert searched["key_id"] == keys[Role.ERP].split("_")[1]
    assert looked_up["route"] == "/v1/crosswalk/{system}/{type}/{key:path}"
    assert "Evers" not in str(surroundings.lines)
    assert not [key for key in keys.values() if key in str(surroundings.lines)]
