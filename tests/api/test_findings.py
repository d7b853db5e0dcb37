"""Findings of reconciliation over HTTP: listed, narrowed, added up, looked after; the same as in the console."""

from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.client import Hub
from mdm.lifecycle.reconciliation import RULE_NAMES
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.rows import ACME
from tests.api.test_client import Through
from tests.api.test_console_findings import contracts
from tests.api.test_scopes import place
from tests.api.writing import Writer

__all__ = ["contracts"]
pytestmark = pytest.mark.usefixtures("contracts")
RULE = "contract_without_subscription"


def named(key: str) -> dict[str, str]:
    return {"rule": RULE, "system": "crm", "type": "contract", "key": key}


def keys_of(answer: dict[str, Any]) -> list[str]:
    return [each["subject"]["key"] for each in answer["items"]]


@pytest.fixture
def ada(client_of: As) -> TestClient:
    return client_of(Role.STEWARD)


@pytest.fixture
def bob(client_of: As) -> TestClient:
    return client_of(Role.APPROVER_FINANCE)


def audited(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select action from audit where subject = 'finding' order by seq")))


def test_findings_are_listed_with_what_they_are_worth_page_by_page(ada: TestClient) -> None:
    whole = ada.get("/v1/findings").json()
    first = ada.get("/v1/findings", params={"limit": 1}).json()
    second = ada.get("/v1/findings", params={"limit": 1, "cursor": first["next"]}).json()

    assert keys_of(whole) == keys_of(first) + keys_of(second) == ["CT-1", "CT-2"]
    assert (whole["next"], second["next"]) == (None, None)
    assert (first["total"], first["amounts"]) == (2, {"EUR": "2400.00"})
    found = whole["items"][0]
    assert (found["rule"], found["code"], found["severity"]) == (RULE, "SUBSCRIPTION_MISSING", "error")
    assert (found["amount"], found["currency"], found["assignee"], found["explained"]) == (
        "1200.00",
        "EUR",
        None,
        False,
    )
    assert found["facts"][0] == found["subject"]
    assert ada.get(f"/v1/findings/{RULE}/crm/contract/CT-1").json() == found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"rule": RULE}, ["CT-1", "CT-2"]),
        ({"rule": "posting_missing"}, []),
        ({"severity": "warning"}, []),
        ({"owner": "revenue-operations"}, ["CT-1", "CT-2"]),
        ({"owner": "nobody"}, []),
        ({"days_from": 13}, ["CT-1"]),
        ({"days_to": 12}, ["CT-2"]),
        ({"days_from": 12, "days_to": 12}, ["CT-2"]),
        ({"customer": "cus_nobody"}, []),
        ({"taken": "true"}, ["CT-2"]),
        ({"taken": "false", "severity": "error"}, ["CT-1"]),
        ({"assignee": "user:ada"}, ["CT-2"]),
        ({"assignee": "user:bob"}, []),
    ],
)
def test_findings_are_narrowed(ada: TestClient, asked: dict[str, Any], expected: list[str]) -> None:
    ada.post("/v1/findings/hand-over", json={"findings": [named("CT-2")], "assignee": "user:ada"})

    answer = ada.get("/v1/findings", params=asked)

    assert answer.status_code == 200, answer.text
    assert (keys_of(answer.json()), answer.json()["total"]) == (expected, len(expected))


def test_findings_of_a_customer_or_contract_are_those_about_it(ada: TestClient) -> None:
    one = ada.get(f"/v1/findings/{RULE}/crm/contract/CT-2").json()

    of_customer = ada.get("/v1/findings", params={"customer": one["customer"]}).json()
    of_contract = ada.get("/v1/findings", params={"contract": one["contract"]}).json()

    assert (keys_of(of_customer), keys_of(of_contract)) == (["CT-1", "CT-2"], ["CT-2"])


@pytest.mark.parametrize("asked", ["rule=no_such_rule", "severity=bad", "days_from=-1", "who=mine", "cursor=AAAA"])
def test_what_is_not_understood_is_refused(ada: TestClient, asked: str) -> None:
    assert ada.get(f"/v1/findings?{asked}").status_code in (400, 422)


def test_the_summary_tells_rules_that_found_nothing_and_adds_up(ada: TestClient) -> None:
    told = ada.get("/v1/findings/summary").json()

    assert {each["rule"] for each in told["rules"]} == set(RULE_NAMES)
    by_rule = {each["rule"]: each["findings"] for each in told["rules"]}
    assert (by_rule[RULE], by_rule["double_posting"], told["findings"]) == (2, 0, sum(by_rule.values()))
    assert [each["findings"] for each in told["ages"]] == [0, 1, 0, 1]
    assert told["amounts"] == {"EUR": "2400.00"}
    assert told["days"][-1]["findings"] == 2


def test_the_impact_adds_up_to_all_findings(ada: TestClient) -> None:
    items = ada.get("/v1/findings/impact").json()["items"]

    assert sum(each["findings"] for each in items) == 2
    assert sum(Decimal(each["amounts"]["EUR"]) for each in items) == Decimal("2400.00")
    assert {each["company"] for each in items} == {None}, "nothing is posted: nobody knows whose books they are in"


def test_findings_are_taken_handed_over_and_given_back(ada: TestClient, bob: TestClient, engine: Engine) -> None:
    both = {"findings": [named("CT-1"), named("CT-2"), named("CT-1")]}

    assert ada.post("/v1/findings/take", json=both).json() == {"findings": 2}
    assert bob.post("/v1/findings/take", json=both).status_code == 409
    assert bob.post("/v1/findings/hand-over", json={**both, "assignee": "user:bob"}).status_code == 200
    assert {each["assignee"] for each in ada.get("/v1/findings").json()["items"]} == {"user:bob"}
    assert bob.post("/v1/findings/put-down", json={"findings": [named("CT-1")]}).status_code == 200
    assert audited(engine) == ["take", "take", "hand over", "hand over", "put down"]


def test_an_explanation_is_told_until_it_is_taken_back(ada: TestClient, engine: Engine) -> None:
    one = {"findings": [named("CT-1")]}
    sent = {"headers": {"Idempotency-Key": "pilot"}, "json": {**one, "reason": "Pilot: invoiced from May on."}}

    assert ada.post("/v1/findings/explain", **sent).status_code == 200
    assert ada.post("/v1/findings/explain", **sent).headers["Idempotency-Replayed"] == "true"
    told = ada.get(f"/v1/findings/{RULE}/crm/contract/CT-1").json()
    assert (told["explanation"], told["explained"]) == ("Pilot: invoiced from May on.", True)
    with engine.begin() as connection:
        connection.execute(text("update finding_work set amount = amount + 1"))
    assert ada.get(f"/v1/findings/{RULE}/crm/contract/CT-1").json()["explained"] is False, "the amount is another now"
    assert ada.post("/v1/findings/withdraw-explanation", json=one).status_code == 200
    assert ada.get(f"/v1/findings/{RULE}/crm/contract/CT-1").json()["explanation"] is None
    assert audited(engine) == ["explain", "withdraw explanation"]


def test_all_findings_are_settled_or_none(ada: TestClient, engine: Engine) -> None:
    answer = ada.post("/v1/findings/take", json={"findings": [named("CT-1"), named("CT-9")]})

    assert (answer.status_code, "CT-9" in answer.json()["detail"]) == (404, True)
    assert audited(engine) == []
    assert ada.post("/v1/findings/explain", json={"findings": [named("CT-1")], "reason": " "}).status_code == 422
    assert ada.post("/v1/findings/take", json={"findings": []}).status_code == 422


def test_who_only_inspects_settles_nothing(client_of: As) -> None:
    auditor = client_of(Role.AUDITOR)

    assert auditor.get("/v1/findings").status_code == 200
    assert auditor.post("/v1/findings/take", json={"findings": [named("CT-1")]}).status_code == 403
    assert client_of(Role.READER).get("/v1/findings").status_code == 403


@pytest.mark.parametrize(("region", "expected"), [("EMEA", ["CT-1", "CT-2"]), ("APAC", [])])
def test_a_limited_caller_reaches_findings_about_what_it_reaches(
    app: FastAPI, ada: TestClient, engine: Engine, region: str, expected: list[str]
) -> None:
    found = ada.get("/v1/findings").json()["items"]
    customer = found[0]["customer"]
    place(engine, {customer: ACME}, {each["contract"]: customer for each in found})
    with engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "limited", Scope(regions=frozenset({region})))
    limited = Writer(app, headers={"X-API-Key": key})

    assert keys_of(limited.get("/v1/findings").json()) == expected
    told = limited.get("/v1/findings/summary").json()
    assert (told["findings"], told["days"]) == (len(expected), None)
    answer = limited.post("/v1/findings/take", json={"findings": [named("CT-1")]})
    assert answer.status_code == (200 if expected else 404)


def test_the_client_reads_them_all(app: FastAPI, ada: TestClient) -> None:
    key = ada.headers["authorization"].removeprefix("Bearer ")
    hub = Hub("http://testserver", key, transport=Through(app))

    found = list(hub.findings(rule=RULE, limit=1))

    assert [each.subject["key"] for each in found] == ["CT-1", "CT-2"]
    assert {each.amount for each in found} == {"1200.00"}


def test_what_was_open_on_a_day_is_told_until_the_platforms_agree(ada: TestClient, engine: Engine) -> None:
    found = ada.get("/v1/findings").json()
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into finding_seen (rule, system, type, key, first_seen, last_seen, closed_at, amount,
                                             currency)
                   values ('posting_missing', 'billing', 'invoice', 'in_1', '2025-02-01T08:00Z', '2025-02-01T20:00Z',
                           '2025-02-03T08:00Z', -12.50, 'EUR')"""
            )
        )

    today = ada.get("/v1/findings/seen").json()
    first = ada.get("/v1/findings/seen", params={"limit": 1}).json()
    second = ada.get("/v1/findings/seen", params={"limit": 1, "cursor": first["next"]}).json()
    february = ada.get("/v1/findings/seen", params={"day": "2025-02-02"}).json()

    assert keys_of(today) == keys_of(first) + keys_of(second) == ["CT-1", "CT-2"] == keys_of(found)
    assert (today["total"], today["amounts"], second["next"]) == (2, {"EUR": "2400.00"}, None)
    assert today["known_to"] is not None
    assert all(each["closed_at"] is None and each["hours"] is None for each in today["items"])
    (then,) = february["items"]
    assert (then["amount"], then["hours"], february["amounts"]) == ("-12.50", 48.0, {"EUR": "12.50"})
    assert ada.get("/v1/findings/seen", params={"day": "2025-02-03"}).json()["items"] == []
    assert ada.get("/v1/findings/seen", params={"day": "2025-02-02", "rule": RULE}).json()["total"] == 0


def test_findings_are_narrowed_by_their_pair(ada: TestClient) -> None:
    none = ada.get("/v1/findings", params={"correlation": "billing.subscription:S1/prd_1"}).json()

    assert (none["total"], ada.get("/v1/findings").json()["items"][0]["correlations"]) == (0, [])
