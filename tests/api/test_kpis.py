"""What governing the data comes to, over HTTP and on the command line."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.store import api_keys
from tests.api.test_stewardship import Client, client, hub

__all__ = ["client", "hub"]

_PERIOD = {"first": "2025-01-01", "last": "2025-03-31"}


@pytest.fixture
def steward(client: Client) -> TestClient:
    return client(Role.STEWARD)


def measured(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found["measures"]}


def test_figures_of_a_period_come_from_what_the_hub_kept(steward: TestClient, hub: Engine) -> None:
    with hub.begin() as connection:
        connection.execute(
            text(
                """insert into close_sign_off (month, points, prepared_by, prepared_at, reviewed_by, reviewed_at)
                   values ('2025-01', '[]', 'ada', '2025-02-03T08:00Z', 'bob', '2025-02-04T08:00Z'),
                          ('2024-12', '[]', 'ada', '2025-01-20T08:00Z', 'bob', '2025-01-20T09:00Z'),
                          ('2024-11', '[]', 'ada', '2024-12-03T08:00Z', 'bob', '2024-12-10T08:00Z')"""
            )
        )
        connection.execute(
            text(
                """insert into reconciliation_day (rule, day, findings) values ('', '2025-02-01', 4),
                       ('', '2025-02-02', 8), ('posting_missing', '2025-02-02', 8), ('', '2024-12-24', 20)"""
            )
        )
    answer = steward.get("/v1/kpis", params=_PERIOD)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["period"] == _PERIOD
    assert found["baseline"] == {"first": "2024-10-03", "last": "2024-12-31"}
    figures = measured(found)
    close = figures["close_days"]
    assert (close["value"], close["of"], close["baseline"], close["change"], close["improved"]) == (12, 2, 10, 2, False)
    assert (figures["closes_in_time"]["value"], figures["closes_in_time"]["baseline"]) == (0.5, 0)
    assert (figures["findings"]["value"], figures["findings"]["of"], figures["findings"]["baseline"]) == (6, 2, 20)
    assert figures["hours_to_answer"]["value"] is None

    other = steward.get("/v1/kpis", params=_PERIOD | {"baseline_first": "2023-01-01", "baseline_last": "2023-12-31"})
    assert measured(other.json())["close_days"]["baseline"] is None


def test_it_says_what_is_at_risk_and_whether_the_close_is_ready(steward: TestClient) -> None:
    found = steward.get("/v1/kpis").json()
    summary = steward.get("/v1/findings/summary").json()
    month = found["close_readiness"]["month"]
    points = steward.get(f"/v1/closes/{month}").json()["points"]
    assert found["close_readiness"]["points"] == len(points)
    assert found["close_readiness"]["open_points"] == sum(point["open"] > 0 for point in points)
    assert found["close_readiness"]["ready"] is all(point["open"] == 0 for point in points)
    assert found["findings"] == sum(rule["findings"] for rule in summary["rules"])
    assert set(found["amount_at_risk"]) == {"disagreements", "questions", "refused"}


def test_traces_effort_and_freshness_stand_beside_the_baseline(steward: TestClient, hub: Engine) -> None:
    with hub.begin() as connection:
        connection.execute(
            text(
                """insert into freshness_hour (hour, system, entity, within, changes)
                   values ('2025-02-01T00:00Z', 'crm', 'customer', 1, 10),
                          ('2024-12-01T00:00Z', 'crm', 'customer', 60, 5)"""
            )
        )
    found = steward.get("/v1/kpis", params=_PERIOD).json()

    figures = measured(found)
    for name in ("o2c_trace_coverage", "u2r_trace_coverage", "touches_per_break", "hours_to_resolve"):
        assert figures[name].keys() == figures["close_days"].keys(), name
        assert figures[name]["part"] is None, name
    (p99,) = [each for each in found["parts"] if each["name"] == "freshness_p99"]
    assert (p99["part"], p99["unit"], p99["of"], p99["baseline_of"]) == ("crm", "seconds", 10, 5)
    assert p99["improved"] is True
    assert set(found["failure_impact"]) == {"questions", "refused"}


def test_an_answer_within_the_period_counts(steward: TestClient, hub: Engine) -> None:
    with hub.begin() as connection:
        connection.execute(
            text(
                """update steward_task set status = 'resolved', opened_at = '2025-02-03T08:00Z',
                       closed_at = '2025-02-03T11:00Z'
                   where task_id in (select task_id from steward_task where status = 'open' limit 1)"""
            )
        )
    figures = measured(steward.get("/v1/kpis", params=_PERIOD).json())
    assert (figures["hours_to_answer"]["value"], figures["hours_to_answer"]["of"]) == (3, 1)
    assert figures["deadlines_kept"]["value"] == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2025-01-01"},
        {"last": "2025-01-01"},
        {"first": "2025-02-01", "last": "2025-01-01"},
        {"first": "0001-01-01", "last": "0001-01-02"},
        {"first": "9999-12-30", "last": "9999-12-31"},
        {"first": "2000-01-01", "last": "2025-01-01"},
        {"first": "2025-01-01", "last": "2025-01-31", "baseline_last": "2024-12-31"},
        {"first": "yesterday", "last": "2025-01-01"},
        {"period": "2025"},
    ],
)
def test_what_is_no_period_is_refused_with_advice(steward: TestClient, asked: dict[str, str]) -> None:
    answer = steward.get("/v1/kpis", params=asked)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_whoever_reaches_part_of_the_hub_is_told_no_figures_of_all(client: Client, hub: Engine) -> None:
    assert client(Role.ERP_READER).get("/v1/kpis").status_code == 403
    with hub.begin() as connection:
        limited = api_keys.issue_key(connection, Role.STEWARD, "limited", Scope(regions=frozenset({"EMEA"})))
    answer = client(Role.STEWARD).get("/v1/kpis", headers={"X-API-Key": limited})
    assert answer.status_code == 403
    assert "scope" in answer.json()["detail"]
