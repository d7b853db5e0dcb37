"""Every request that docs/api.md shows is a request that works."""

import json
import shlex
from functools import partial
from itertools import pairwise
from string import Template
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from mdm.access import Role
from mdm.client import Hub
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows
from tests.api.test_client import Through
from tests.api.test_reading_along import read_until
from tests.pages import take

_REQUESTS = take("api", "curl")
(_PYTHON,) = take("api", "python")
(_PROBLEM,) = take("api", "json")


@pytest.fixture
def variables(rows: HubRows, erp: TestClient, keys: dict[Role, str]) -> dict[str, str]:
    """What the guide leaves to its reader."""
    terms = ["acme", "anvils", "nl169963937b05"]
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME, terms=terms)
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    read_until(rows.engine, 17, topic="erp.public.business_partner")
    rows.source(CrosswalkKey("erp", "sales_order", "0050000001"), domain=None, kind="order")
    number = CrosswalkKey("billing", "invoice#number", "INV-1")
    rows.source(CrosswalkKey("billing", "invoice", "in_1"), domain=None, kind="invoice", aliases=[number])
    return {
        "HUB": "",
        "ORDER": "0050000001",
        "INVOICE": "INV-1",
        "PLACE": "erp.public.business_partner/0/17",
        "KEY": erp.headers["authorization"].removeprefix("Bearer "),
        "STEWARD_KEY": keys[Role.STEWARD],
        "CUSTOMER": acme,
        "CONTRACT": rows.golden(Domain.CONTRACT, CrosswalkKey("billing", "subscription", "S1"), {"number": "CT-1"}),
        "NEXT": erp.get("/v1/customers", params={"limit": 1}).json()["next"],
        "SINCE": erp.get("/v1/changes", params={"limit": 1}).json()["next"],
    }


def test_the_guide_shows_requests() -> None:
    assert len(_REQUESTS) > 15


def run(client: TestClient, request: str) -> Response:
    """What curl would do."""
    words = shlex.split(request)
    options = list(pairwise(words))
    headers = dict(word.split(": ", 1) for flag, word in options if flag == "-H")
    body = next((word for flag, word in options if flag == "-d"), None)
    method = next((word for flag, word in options if flag == "-X"), "POST" if body else "GET")
    address = next(word for word in words if word.startswith("/"))
    return client.request(method, address, headers=headers, content=body)


def test_every_request_of_the_guide_works(variables: dict[str, str], erp: TestClient) -> None:
    stranger = TestClient(erp.app, follow_redirects=False)
    for request in _REQUESTS:
        answer = run(stranger, Template(request).substitute(variables))
        assert answer.status_code == 200, (request, answer.text)


def test_the_lines_of_python_work(variables: dict[str, str], app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdm.client.Hub", partial(Hub, transport=Through(app)))

    told: dict[str, Any] = {"key": variables["KEY"]}
    exec(_PYTHON, told)

    assert told["customer"].id


def test_a_problem_looks_as_the_guide_shows_it(erp: TestClient) -> None:
    answer = erp.get("/v1/customers/cus_nobody").json()

    assert {**json.loads(_PROBLEM), "trace_id": answer["trace_id"]} == answer


def test_searches_of_the_guide_find_what_they_look_for(variables: dict[str, str], erp: TestClient) -> None:
    searches = [
        shlex.split(request)[-1].removeprefix("$HUB")
        for request in _REQUESTS
        if "q=" in request and "/v1/search" not in request
    ]

    assert searches
    for address in searches:
        assert [item["id"] for item in erp.get(address).json()["items"]] == [variables["CUSTOMER"]], address
