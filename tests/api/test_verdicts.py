"""The last verdicts of onboarding: listed, narrowed, counted, within the caller's scope."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub.recheck import recheck
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.rows import ACME, HubRows
from tests.api.test_scopes import place
from tests.api.writing import Writer
from tests.harness.shipped import SHIPPED

ADDRESS = {"street": "Hauptstraße 1", "postal_code": "80331", "city": "München", "country": "DE"}
VAT = {"type": "vat", "country": "DE", "value": "DE136695976", "normal": "DE136695976", "state": "valid"}
KNOWN = {"name": "Nordlicht GmbH", "legal_form": "GmbH", "country": "DE", "address": ADDRESS, "identifiers": [VAT]}
BLOCKED = {**KNOWN, "name": "Südlicht GmbH", "blocked": True, "identifiers": []}


@pytest.fixture
def judged(rows: HubRows, engine: Engine) -> dict[str, str]:
    """Three customers with verdicts for SAP: one unknown to ERP, one that ERP blocks, one of the Netherlands."""
    ids = {
        "new": rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "N1"), KNOWN),
        "blocked": rows.golden(Domain.CUSTOMER, CrosswalkKey("erp", "business_partner", "B1"), BLOCKED),
        "dutch": rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "D1"), ACME),
    }
    with engine.begin() as connection:  # what is announced comes behind the rows
        connection.execute(text("insert into batch (cause, committed_at, publication) values ('test', now(), 1000)"))
    recheck(engine, system_clock, SHIPPED, "sap")
    return ids


def listed(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/onboarding/verdicts", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_listed_verdict_is_that_of_its_customer(judged: dict[str, str], erp: TestClient) -> None:
    found = {each["id"]: each for each in listed(erp)}

    assert found.keys() == set(judged.values())
    for entity_id, kept in found.items():
        drawn = erp.get(f"/v1/customers/{entity_id}/readiness?erp=sap").json()
        assert kept["decision"] == drawn["decision"]
        wanted = {each["code"] for each in drawn["findings"] if each["outcome"] in ("fail", "unverifiable")}
        assert set(kept["codes"]) == wanted
        assert (kept["stands"], kept["version"]) == (True, drawn["subject"]["version"])
    assert found[judged["blocked"]]["decision"] == "blocked"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"decision": "blocked", "country": "DE"}, {"blocked"}),
        ({"in_erp": "true"}, {"blocked"}),
        ({"in_erp": "false"}, {"new", "dutch"}),
        ({"in_erp": "false", "country": "de"}, {"new"}),
        ({"code": "BLOCKED_BY_ERP"}, {"blocked"}),
        ({"code": "NO_SUCH_CODE"}, set()),
        ({"erp": "odoo"}, set()),
    ],
)
def test_verdicts_are_narrowed(judged: dict[str, str], erp: TestClient, asked: dict[str, str], names: set[str]) -> None:
    assert {each["id"] for each in listed(erp, **asked)} == {judged[name] for name in names}


def test_pages_hold_each_customer_once(judged: dict[str, str], erp: TestClient) -> None:
    first = erp.get("/v1/onboarding/verdicts?limit=2").json()
    second = erp.get("/v1/onboarding/verdicts", params={"limit": 2, "cursor": first["next"]}).json()

    assert [each["id"] for each in first["items"] + second["items"]] == sorted(judged.values())
    assert second["next"] is None
    other = erp.get("/v1/onboarding/verdicts", params={"erp": "sap", "country": "DE", "cursor": first["next"]})
    assert other.json()["type"] == "/problems/invalid-cursor"


def test_a_verdict_on_what_has_changed_since_does_not_stand(
    judged: dict[str, str], rows: HubRows, engine: Engine, erp: TestClient
) -> None:
    rows.version(judged["new"], Domain.CUSTOMER, {**KNOWN, "language": "de"}, at=system_clock())
    with engine.begin() as connection:
        expired = text("update verdict set valid_until = now() - interval '1 hour' where entity_id = :id")
        connection.execute(expired, {"id": judged["blocked"]})

    assert {each["id"]: each["stands"] for each in listed(erp)} == {
        judged["new"]: False, judged["blocked"]: False, judged["dutch"]: True,
    }  # fmt: skip


def test_the_summary_counts_what_the_list_holds(judged: dict[str, str], rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "X1"), ACME)
    items = listed(erp)

    told = erp.get("/v1/onboarding/verdicts/summary").json()

    assert told["decisions"] == {
        each: sum(item["decision"] == each for item in items) for each in {item["decision"] for item in items}
    }
    assert told["codes"]["BLOCKED_BY_ERP"] == 1
    assert sum(told["codes"].values()) == sum(len(each["codes"]) for each in items)
    assert told["unjudged"] == 1
    assert erp.get("/v1/onboarding/verdicts/summary?erp=odoo").json()["unjudged"] == 4


def test_a_limited_caller_sees_and_counts_what_it_reaches(judged: dict[str, str], app: FastAPI, engine: Engine) -> None:
    place(engine, {judged["new"]: KNOWN, judged["dutch"]: {**ACME, "country": "US"}, judged["blocked"]: BLOCKED}, {})
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.ERP, "limited", Scope(regions=frozenset({"AMER"})))
    limited = Writer(app, headers={"X-API-Key": key})

    assert {each["id"] for each in listed(limited)} == {judged["dutch"]}
    assert sum(limited.get("/v1/onboarding/verdicts/summary").json()["decisions"].values()) == 1


def test_who_was_shown_a_verdict_is_noted(judged: dict[str, str], app: FastAPI, engine: Engine, client_of: As) -> None:
    listed(client_of(Role.ERP), code="BLOCKED_BY_ERP")

    app.state.access_log.write()

    with engine.connect() as connection:
        noted = list(connection.scalars(text("select entity_id from record_access")))
    assert noted == [judged["blocked"]]


def test_the_console_narrows_customers_by_their_last_verdict(
    judged: dict[str, str], rows: HubRows, engine: Engine, app: FastAPI, steward: TestClient
) -> None:
    nobody_judged = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "X1"), BLOCKED)

    def shown(query: str) -> set[str]:
        answer = steward.get(f"/console/onboarding?{query}")
        assert answer.status_code == 200
        return set(re.findall("/console/customers/(cus_[0-9a-z]+)/readiness", answer.text))

    assert shown("verdict=") == {*judged.values(), nobody_judged}
    app.state.access_log.write()
    with engine.begin() as connection:
        connection.execute(text("delete from list_access"))
    assert shown("verdict=blocked&country=DE") == {judged["blocked"]}
    assert shown("verdict=ready&country=DE") == set()
    assert 'value="blocked" selected' in steward.get("/console/onboarding?verdict=blocked").text
    assert steward.get("/console/onboarding?verdict=unheard").status_code == 422
    app.state.access_log.write()
    with engine.connect() as connection:
        noted = list(
            connection.scalars(text("select ids from list_access where ids is not null order by records limit 1"))
        )
    assert noted == [[judged["blocked"]]], "who was shown is told by id"
