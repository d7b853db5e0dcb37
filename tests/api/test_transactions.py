"""Business transactions that stand still, over HTTP, in the console and in the metrics."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role
from mdm.model.ids import CrosswalkKey
from tests.api.conftest import As
from tests.api.rows import NOON, HubRows


@pytest.fixture
def invoices(rows: HubRows) -> list[CrosswalkKey]:
    """Three invoices without journal entry: of long ago, of a week ago, of yesterday."""
    found = []
    for number, days in ((1, 100), (2, 7), (3, 1)):
        key = CrosswalkKey("billing", "invoice", f"in_{number}")
        issued = (NOON - timedelta(days=days)).isoformat()
        attributes = {
            "number": f"INV-{number}",
            "status": "open",
            "total": "50.00",
            "currency": "EUR",
            "issued_at": issued,
        }
        rows.source(key, domain=None, kind="invoice", attributes=attributes)
        found.append(key)
    return found


@pytest.mark.usefixtures("invoices")
def test_what_stands_still_is_listed_what_has_waited_longest_first(client_of: As) -> None:
    ada = client_of(Role.STEWARD)

    whole = ada.get("/v1/transactions/stuck").json()

    assert [(each["subject"]["key"], each["days"], each["stage"]) for each in whole["items"]] == [
        ("in_1", 100, "invoiced"),
        ("in_2", 7, "invoiced"),
    ]
    assert (whole["total"], whole["amounts"], whole["next"]) == (2, {"EUR": "100.00"}, None)
    one = whole["items"][0]
    assert (one["waits_for"], one["allowed"], one["owner"]) == ("journal entry", 5, "finance-accounting")
    first = ada.get("/v1/transactions/stuck", params={"limit": 1}).json()
    second = ada.get("/v1/transactions/stuck", params={"limit": 1, "cursor": first["next"]}).json()
    assert [each["subject"]["key"] for each in (*first["items"], *second["items"])] == ["in_1", "in_2"]
    assert second["next"] is None
    assert ada.get("/v1/transactions/stuck?days_from=50").json()["total"] == 1
    assert ada.get("/v1/transactions/stuck?stage=posted").json()["items"] == []
    assert ada.get("/v1/transactions/stuck?stage=lost").status_code == 422
    assert client_of(Role.ERP_READER).get("/v1/transactions/stuck").status_code == 403


@pytest.mark.usefixtures("invoices")
def test_the_console_tells_them_by_step_and_the_metrics_count_them(client_of: As, steward: TestClient) -> None:
    page = steward.get("/console/reconciliation/stuck").text
    assert "Invoice INV-1 was issued, and for 100 days no journal entry has followed." in page
    assert "INV-3" not in page
    assert "Nothing stands still" in steward.get("/console/reconciliation/stuck?stage=posted").text
    assert "/console/reconciliation/stuck" in steward.get("/console/reconciliation").text

    told = client_of(Role.ERP_READER).get("/metrics").text

    assert 'mdm_transactions_stuck{stage="invoiced"} 2.0' in told
    assert 'mdm_transactions_stuck{stage="posted"} 0.0' in told
    assert 'mdm_transactions_stuck_days{stage="invoiced"} 100.0' in told
