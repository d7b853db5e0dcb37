"""Findings come in the order of what is at stake, in every list, and each list says why."""

import csv
import io
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.last_run import LastRun
from mdm.access import Role
from mdm.hub.reconcile import reconcile
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.conftest import As
from tests.api.rows import ACME, HubRows

SMALL, LARGE, KNOWN = "CT-1", "CT-5", "CT-9"


@pytest.fixture
def three(rows: HubRows) -> None:
    """Contracts without subscriptions: a small one, first by its name; a large one; a small one of a large customer."""
    begun = {"status": "active", "currency": "EUR", "start_date": "2024-01-01", "end_date": "2027-12-31"}
    for number, value, segment in (
        (SMALL, "1200.00", "SMB"),
        (LARGE, "900000.00", "SMB"),
        (KNOWN, "1200.00", "Enterprise"),
    ):
        account = CrosswalkKey("crm", "account", f"A-{number}")
        rows.golden(Domain.CUSTOMER, account, {**ACME, "name": f"Customer of {number}", "segment": segment})
        rows.golden(
            Domain.CONTRACT, CrosswalkKey("crm", "contract", number),
            {**begun, "number": number, "customer": account._asdict(), "value": value},
            references=[("customer", account)],
        )  # fmt: skip


@pytest.mark.usefixtures("three")
def test_the_api_lists_by_priority_page_by_page_and_says_why(client_of: As) -> None:
    ada = client_of(Role.STEWARD)
    whole = ada.get("/v1/findings").json()["items"]
    first = ada.get("/v1/findings", params={"limit": 1}).json()
    rest = ada.get("/v1/findings", params={"limit": 5, "cursor": first["next"]}).json()

    assert [each["subject"]["key"] for each in whole] == [LARGE, KNOWN, SMALL]
    assert first["items"] + rest["items"] == whole
    large, known, small = whole
    assert large["priority"] > known["priority"] > small["priority"]
    assert large["because"][0]["reason"] == "900\u202f000 EUR do not agree, where 250\u202f000 EUR is much"
    assert "a customer of tier Enterprise may be affected" in [each["reason"] for each in known["because"]]
    assert small["priority"] == pytest.approx(sum(each["points"] for each in small["because"]))
    assert small["customer_exposure"]["tiers"] == ["SMB"]
    assert ada.get(f"/v1/findings/contract_without_subscription/crm/contract/{KNOWN}").json() == known


@pytest.mark.usefixtures("three")
def test_the_console_lists_in_the_same_order_and_shows_the_reasons(steward: TestClient) -> None:
    page = steward.get("/console/reconciliation").text
    places = [page.index(f">crm contract {each}<") for each in (LARGE, KNOWN, SMALL)]
    own = steward.get(f"/console/reconciliation/findings/contract_without_subscription/crm/contract/{LARGE}").text

    assert places == sorted(places)
    for shown in (page, own):
        assert "900\u202f000 EUR do not agree" in shown
        assert "Close of " in shown


@pytest.mark.usefixtures("three")
def test_a_download_keeps_the_order_of_names_and_tells_the_priority(steward: TestClient) -> None:
    lines = list(csv.DictReader(io.StringIO(steward.get("/console/reconciliation/export.csv").text)))

    assert [each["facts"].split()[0].rpartition(":")[2] for each in lines] == [SMALL, LARGE, KNOWN]
    assert max(lines, key=lambda each: float(each["priority"])) == lines[1]
    assert lines[1]["because"].startswith("900\u202f000 EUR do not agree, where 250\u202f000 EUR is much (+47.7); ")


def test_what_is_in_the_books_of_a_month_rises_as_its_close_comes_near(rows: HubRows, engine: Engine) -> None:
    """The same run, looked at on two days: nothing arrived in between, and the order is another."""
    account = CrosswalkKey("billing", "customer", "B1")
    rows.golden(Domain.CUSTOMER, account, ACME)
    for number, issued, total in (("old", "2025-03-10", "700.00"), ("new", "2025-05-20", "400.00")):
        rows.source(
            CrosswalkKey("billing", "invoice", number), domain=None, kind="invoice", references=[("customer", account)],
            attributes={"number": number, "status": "open", "currency": "EUR", "total": total,
                        "issued_at": f"{issued}T10:00:00+00:00"},
        )  # fmt: skip
    run = LastRun(reconcile)

    def order(day: int) -> list[str]:
        looked = run.look(engine, datetime(2025, 6, day, 12, tzinfo=UTC))
        assert looked is not None
        return [each.subject.key for each in looked.overview.shelf("posting_missing").findings]

    assert order(2) == ["new", "old"], "May is closed on the sixth of June"
    assert order(20) == ["old", "new"]
