"""Status, liveness, readiness, metrics and the description of the API."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, text

from api import openapi
from api.app import ApiOptions, assemble, create_app
from api.rate import Rate
from mdm.access import Role
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from mdm.store import tables as t
from tests.api.conftest import As, Surroundings
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows
from tests.api.test_console_findings import contracts

__all__ = ["contracts"]


def counted(engine: Engine, topic: str, consumed: int, **outcomes: int) -> None:
    with engine.begin() as connection:
        connection.execute(insert(t.consumed_count).values(topic=topic, messages=consumed))
        for outcome, messages in outcomes.items():
            connection.execute(
                insert(t.outcome_count).values(system="crm", topic=topic, outcome=outcome, messages=messages)
            )


def test_status_adds_up_messages_and_counts_records(rows: HubRows, engine: Engine, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(ERP_ACME, entity_id=acme)
    rows.source(CrosswalkKey("billing", "invoice", "1"), domain=None)
    rows.task(CRM_ACME, ERP_ACME, 2.5)
    counted(engine, "crm.public.account", 10, applied=7, ignored=2, stale=1)

    body = erp.get("/v1/status").json()

    assert body["messages"]["add_up"] is True
    assert body["messages"]["outcomes"] == {"applied": 7, "duplicate": 0, "stale": 1, "ignored": 2, "quarantined": 0}
    assert body["domains"]["customer"] == {
        "records": 2, "crosswalks": 2, "golden": 1, "ids_issued": 1, "open_tasks": 1,
    }  # fmt: skip
    assert body["facts"] == {"invoice": 1}


@pytest.mark.parametrize("outcomes", [{"applied": 9}, {"applied": 11}, {}])
def test_status_says_when_a_message_has_no_outcome_or_two(
    engine: Engine, erp: TestClient, outcomes: dict[str, int]
) -> None:
    counted(engine, "crm.public.account", 10, **outcomes)

    assert erp.get("/v1/status").json()["messages"]["add_up"] is False


def test_two_wrong_topics_do_not_make_one_right_sum(engine: Engine, erp: TestClient) -> None:
    counted(engine, "crm.public.account", 10, applied=9)
    counted(engine, "crm.public.contact", 10, applied=11)

    assert erp.get("/v1/status").json()["messages"]["add_up"] is False


def test_ready_means_the_schema_of_this_release(app: FastAPI, engine: Engine) -> None:
    client = TestClient(app)
    before = client.get("/readyz")

    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'older'"))
    after = client.get("/readyz")

    assert (before.status_code, before.json()["status"]) == (200, "ready")
    assert after.status_code == 503
    assert "mdm db upgrade" in after.json()["detail"]
    assert client.get("/livez").json() == {"status": "alive"}


def test_metrics_count_requests_by_route_and_show_the_hub(rows: HubRows, engine: Engine, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(ERP_ACME, entity_id=acme)
    rows.task(CRM_ACME, ERP_ACME, 2.5)
    counted(engine, "crm.public.account", 10, applied=10)
    erp.get(f"/v1/customers/{acme}")
    erp.get("/nowhere")

    scraped = erp.get("/metrics")

    assert scraped.headers["content-type"].startswith("text/plain")
    assert (
        'http_server_request_duration_seconds_count{method="GET",route="/v1/customers/{id}",status="200"} 1.0'
        in scraped.text
    )
    assert 'route="unknown",status="404"' in scraped.text
    assert "mdm_messages_consumed 10.0" in scraped.text
    assert "mdm_steward_tasks_open 1.0" in scraped.text
    assert acme not in scraped.text
    openmetrics = erp.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")


def test_metrics_count_what_was_refused_and_what_was_sent_again(world_engine: Engine) -> None:
    around = Surroundings(world_engine)
    app = create_app(around, ApiOptions(log=around.log, rate=Rate(per_second=0.001, burst=5)))
    with world_engine.begin() as connection:
        viewer, steward = (api_keys.issue_key(connection, role, "test") for role in (Role.VIEWER, Role.STEWARD))
    looks, decides = (TestClient(app, headers={"X-API-Key": key}) for key in (viewer, steward))
    named = {"Idempotency-Key": "one"}

    assert looks.get("/v1/exceptions").status_code == 403
    first, again = (
        decides.post("/v1/quality/samples", json={"size": 20, "seed": "s"}, headers=named) for _ in range(2)
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert [decides.get("/v1/status").status_code for _ in range(4)] == [200, 200, 200, 429]
    told = looks.get("/metrics").text

    for line in (
        'mdm_authz_denials_total{route="/v1/exceptions"} 1.0',
        'mdm_idempotency_hits_total{route="/v1/quality/samples"} 1.0',
        'mdm_ratelimit_rejections_total{route="/v1/status"} 1.0',
    ):
        assert line in told, line


def test_metrics_tell_what_reconciliation_found_once_somebody_has_looked(
    contracts: str, erp: TestClient, client_of: As
) -> None:
    before = erp.get("/metrics").text
    client_of(Role.STEWARD).get("/v1/findings")

    after = erp.get("/metrics").text

    assert "mdm_recon_breaks{" not in before
    assert 'mdm_recon_breaks{rule="contract_without_subscription",severity="error"} 2.0' in after
    assert 'mdm_recon_breaks{rule="double_posting",severity="error"} 0.0' in after
    assert 'mdm_recon_break_amount{currency="EUR",rule="contract_without_subscription"} 2400.0' in after


def test_metrics_tell_how_the_close_stands_until_two_persons_have_signed(
    contracts: str, erp: TestClient, client_of: As, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into source_progress (system, topic, partition, "offset", event_time, committed_at)
                   values ('erp', 'erp.public.posting', 0, 1, '2020-01-01', now())"""
            )
        )
    client_of(Role.STEWARD).get("/v1/findings")
    readiness = client_of(Role.STEWARD).get("/v1/kpis").json()["close_readiness"]
    month = readiness["month"]

    before = erp.get("/metrics").text
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into close_sign_off (month, points, prepared_by, prepared_at, comment, reviewed_by,
                                               reviewed_at, review)
                   values (:month, '[]', 'ada', now(), '', 'bob', now(), '')"""
            ),
            {"month": month},
        )
    after = erp.get("/metrics").text

    assert readiness["open_points"] > 0
    assert f'mdm_close_open_points{{month="{month}"}} {readiness["open_points"]}.0' in before
    assert f'mdm_close_days_left{{month="{month}"}} {readiness["days_left"]}.0' in before
    assert f'mdm_close_open_points{{month="{month}"}} 0.0' in after


def test_the_committed_description_is_what_the_application_says() -> None:
    assert openapi.main(["--check"]) == 0


def test_a_description_that_is_not_current_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "COMMITTED", tmp_path / "openapi.json")

    assert openapi.main(["--check"]) == 1
    openapi.main([])
    assert openapi.main(["--check"]) == 0


def test_the_description_is_served_openly_and_describes_only_problem_details(app: FastAPI) -> None:
    served = TestClient(app).get("/openapi.json").json()

    assert served["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(served)
    assert not [path for path in served["paths"] if path.startswith("/console")]
    for path, item in served["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = openapi.describe(assemble(ApiOptions()))

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*map(references, part.values()))
        return set().union(*map(references, part)) if isinstance(part, list) else set()

    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= set(document["components"]["schemas"])


def test_the_documentation_page_needs_no_other_host(app: FastAPI) -> None:
    page = TestClient(app).get("/docs").text

    assert "/v1/customers/{id}/lineage" in page
    assert "http://" not in page
    assert "https://" not in page
