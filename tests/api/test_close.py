"""Financial impact on the sample world: rows add up to reconciliation, to its CSV, and to what the pages say."""

import csv
import html
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from api.console import close
from api.last_run import last_run
from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub.reconcile import Reconciliation, reconcile
from mdm.lifecycle.impact import rows_of, site, sums_of, total
from mdm.store import accounts
from mdm.store.scoped import scoped, visible_ids
from tests.api.conftest import Surroundings


@pytest.fixture(scope="module")
def found(ingested: Engine) -> Reconciliation:
    return reconcile(ingested)


@pytest.fixture(scope="module")
def browser(ingested: Engine) -> TestClient:
    client = TestClient(create_app(Surroundings(ingested), ApiOptions(log=lambda *_, **__: None)))
    with ingested.begin() as connection:
        password = accounts.create_account(connection, "closing", "Clo Sing", Role.STEWARD)
    form = client.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    client.post("/console/sign-in", data={"csrf": form, "username": "closing", "password": password})
    last_run.of(ingested, system_clock())
    return client


def test_the_close_waits_for_the_first_findings_and_says_so(
    steward: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = Event()

    def slow(hub: Engine) -> Reconciliation:
        may_end.wait(60)
        return reconcile(hub)

    monkeypatch.setattr(last_run, "_find", slow)
    monkeypatch.setattr(close, "PATIENCE", 0.01)

    waits = steward.get("/console/close").text
    may_end.set()
    last_run.of(engine, system_clock())

    assert "Findings are being looked for" in waits
    assert "Checklist" in steward.get("/console/close").text


def test_rows_by_legal_entity_month_and_cause_add_up_to_reconciliation_and_its_csv(
    found: Reconciliation, browser: TestClient
) -> None:
    rows = rows_of(site(found.findings, found.books, f"{found.as_of:%Y-%m}"))
    exported = list(csv.DictReader(io.StringIO(browser.get("/console/reconciliation/export.csv").text)))
    sums: dict[str, Decimal] = {}
    for each in exported:
        if each["amount"]:
            sums[each["currency"]] = sums.get(each["currency"], Decimal(0)) + abs(Decimal(each["amount"]))

    assert total(rows) == sums_of(found.findings) == sums
    assert sum(row.findings for row in rows) == len(found.findings) == len(exported)
    assert {row.company for row in rows if row.company}, "some findings are in known books"


def test_the_page_shows_the_sum_of_reconciliation(found: Reconciliation, browser: TestClient) -> None:
    from api.console.wording import amounts

    page = browser.get("/console/close").text

    assert amounts(sums_of(found.findings)) in page
    assert f"{len(found.findings):,}".replace(",", "\u202f") + " findings" in page


def test_months_and_legal_entities_narrow_and_together_make_up_the_whole(
    found: Reconciliation, browser: TestClient
) -> None:
    rows = rows_of(site(found.findings, found.books, f"{found.as_of:%Y-%m}"))
    month = rows[0].month
    own = [row for row in rows if row.month == month]

    page = browser.get(f"/console/close?month={month}").text

    number = sum(row.findings for row in own)
    assert f"{number} finding" in page
    assert f"Close of {month}" in page
    for row in own:
        assert f"rule={row.cause}" in page


def test_home_counts_down_to_the_close_and_says_how_deadlines_are_kept(browser: TestClient) -> None:
    home = browser.get("/console/").text

    assert "Close of 20" in home
    assert "Answered in time" in home


def test_findings_are_told_within_reach_and_never_looked_for_there_alone(
    found: Reconciliation, ingested: Engine
) -> None:
    """Somebody of a region sees the findings of its customers, the very ones that everybody sees, and no others."""
    country = Scope(regions=frozenset({"EMEA"}))

    told = last_run.of(scoped(ingested, country), datetime.now(UTC)).findings

    everything = last_run.of(ingested, datetime.now(UTC)).findings
    assert set(told) < set(everything) == set(found.findings)
    with scoped(ingested, country).connect() as connection:
        reached = visible_ids(connection, {each.customer for each in everything if each.customer is not None})
    assert {each.customer for each in told if each.customer is not None} <= reached


def test_findings_come_in_pages_that_together_are_all_of_them(
    found: Reconciliation, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.reconciliation._ROWS", 10)
    address, told = "/console/reconciliation", []
    for _ in range(100):
        page = browser.get(address).text
        told.append(page.count('<td class="main-cell">'))
        following = re.search(r'href="(\?cursor=[^"]+)">Next page', page)
        if following is None:
            break
        address = "/console/reconciliation" + html.unescape(following.group(1))

    assert len(told) > 1
    assert sum(told) == len(found.findings)


def test_nobody_of_a_limited_scope_signs_the_books_of_the_whole_hub(ingested: Engine) -> None:
    client = TestClient(create_app(Surroundings(ingested), ApiOptions(log=lambda *_, **__: None)))
    with ingested.begin() as connection:
        scope = Scope(regions=frozenset({"EMEA"}))
        password = accounts.create_account(connection, "europe", "Eu Rope", Role.STEWARD, scope=scope)
    form = client.get("/console/sign-in").text.partition('name="csrf" value="')[2].partition('"')[0]
    client.post("/console/sign-in", data={"csrf": form, "username": "europe", "password": password})
    page = client.get("/console/close?month=2025-01").text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]

    answer = client.post("/console/close/prepare", data={"csrf": token, "month": "2025-01", "comment": "all of it"})

    assert "your scope reaches part of it" in page
    assert answer.status_code == 403
    with ingested.connect() as connection:
        assert connection.scalar(text("select count(*) from close_sign_off")) == 0
