"""Callers pin themselves to a version of the API and of events, and who uses which is counted and told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.versions import VERSION, Pin, VersionLog, read_pin, served
from mdm.access import Role, Scope
from mdm.model.ids import Domain
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.rows import ACME, ERP_ACME, HubRows

USAGE = "/v1/versions/usage"


@pytest.mark.parametrize(
    ("text", "pin", "fits"),
    [
        ("1", Pin(1), True),
        ("1.2", Pin(1, 2), True),
        ("1.2.9", Pin(1, 2), True),
        ("1.3", Pin(1, 3), False),
        ("2", Pin(2), False),
        ("v1", None, None),
        ("1.", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_a_pin_is_kept_by_its_major_version_and_no_newer_minor(text: str, pin: Pin | None, fits: bool | None) -> None:
    assert read_pin(text) == pin
    assert pin is None or served(pin, "1.2.5") is fits


def used(client: TestClient, **query: Any) -> dict[tuple[str, str, bool], dict[str, Any]]:
    told = client.get(USAGE, params=query)
    assert told.status_code == 200, told.text
    return {(each["surface"], each["version"], each["pinned"]): each for each in told.json()["items"]}


def test_requests_are_counted_by_version_and_by_who(rows: HubRows, erp: TestClient, client_of: As) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    answered = erp.get(f"/v1/customers/{acme}")
    assert answered.headers["api-version"] == VERSION
    erp.get("/v1/customers", headers={"API-Version": "1.0"})
    erp.get("/v1/customers", headers={"API-Version": "1.0.0"})
    erp.get(f"/v1/customers/{acme}/history", headers={"API-Version": "1"})

    found = used(client_of(Role.STEWARD))

    assert found["api", "1.0", True]["requests"] == 2
    (caller,) = found["api", "1.0", True]["callers"]
    assert caller["label"] == "test erp_reader"
    ending = found["api", "1", True]
    assert (ending["requests"], ending["deprecated"]) == (1, 1), "at an address that will end"
    assert "test erp_reader" in {each["label"] for each in found["api", "1", False]["callers"]}


def test_a_version_that_is_not_served_is_refused_and_not_counted(erp: TestClient, client_of: As) -> None:
    for pin in ("2", "1.999", "latest"):
        answer = erp.get("/v1/customers", headers={"API-Version": pin})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/version-not-served"), pin
        assert answer.json()["served"] == [VERSION]
    assert all(
        "test erp_reader" not in {one["label"] for one in each["callers"]}
        for each in used(client_of(Role.STEWARD)).values()
    )


def test_consumers_pin_themselves_to_a_version_of_events(erp: TestClient, client_of: As) -> None:
    erp.get("/v1/changes")
    assert erp.put("/v1/consumers/ledger", json={"events": 1}).json()["events"] == 1
    assert erp.put("/v1/consumers/loose", json={}).json()["events"] is None
    erp.get("/v1/consumers/ledger/changes")
    assert erp.put("/v1/consumers/ledger", json={"events": 2}).status_code == 422

    steward = client_of(Role.STEWARD)
    found = used(steward)

    assert found["events", "1", True]["requests"] == found["events", "1", False]["requests"] == 1
    consumers = {each["name"]: each["events"] for each in steward.get(USAGE).json()["consumers"]}
    assert consumers == {"ledger": 1, "loose": None}
    assert erp.put("/v1/consumers/ledger", json={}).json()["events"] is None, "a pin can be taken back"


def test_only_the_days_that_are_asked_for_count(erp: TestClient, engine: Engine, app: FastAPI, client_of: As) -> None:
    erp.get("/v1/customers")
    app.state.version_log.write()
    with engine.begin() as connection:
        connection.execute(text("update version_usage set day = day - 10"))
    steward = client_of(Role.STEWARD)
    labels = [one["label"] for each in used(steward, days=10).values() for one in each["callers"]]
    assert "test erp_reader" not in labels
    labels = [one["label"] for each in used(steward, days=11).values() for one in each["callers"]]
    assert "test erp_reader" in labels


def test_who_may_not_look_or_reaches_a_part_is_refused(app: FastAPI, engine: Engine, client_of: As) -> None:
    assert client_of(Role.VIEWER).get(USAGE).status_code == 403
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "of emea", Scope(regions=frozenset({"EMEA"})))
    limited = TestClient(app, headers={"authorization": f"Bearer {key}"})
    assert limited.get(USAGE).status_code == 403


def test_counts_of_two_processes_are_added_up(engine: Engine) -> None:
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    scope: dict[str, Any] = {"mdm.key_id": "k1", "mdm.caller": object(), "path_params": {}, "path": "/v1/customers"}
    for _ in range(2):
        log = VersionLog(engine, lambda: at, 60)
        log.note(scope, "/v1/customers")
        log.note(scope, "/console/customers")
        log.note({**scope, "mdm.caller": None} | {"mdm.key_id": None}, "/v1/customers")
        log.write()
    with engine.connect() as connection:
        rows = connection.execute(text("select caller, surface, version, pinned, requests from version_usage")).all()
    assert [tuple(row) for row in rows] == [("k1", "api", "1", False, 2)]
