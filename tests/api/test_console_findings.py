"""Findings of reconciliation: how old they are, who looks after them, why they are as they are, how many there were."""

import csv
import io
import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.last_run import LastRun
from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.reconcile import reconcile
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.blotting import blot_anywhere
from mdm.store.findings import trend, write_day
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import ACME, HubRows
from tests.api.test_console_pages import entered

NOW = system_clock()


@pytest.fixture
def contracts(rows: HubRows) -> str:
    """Two contracts without subscriptions, one of them old; the address of the finding about the old one."""
    own = CrosswalkKey("crm", "account", "S00")
    rows.golden(Domain.CUSTOMER, own, ACME)
    for number, start in (("CT-1", "2024-01-01"), ("CT-2", "2025-05-20")):
        rows.golden(
            Domain.CONTRACT, CrosswalkKey("crm", "contract", number),
            {"number": number, "customer": own._asdict(), "status": "active", "value": "1200.00", "currency": "EUR",
             "start_date": start, "end_date": "2027-12-31"},
            references=[("customer", own)],
        )  # fmt: skip
    return "/console/reconciliation/findings/contract_without_subscription/crm/contract/CT-1"


def act(browser: TestClient, address: str, what: str, **fields: str) -> tuple[int, str]:
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/console/help").text)
    assert token is not None
    sent = browser.post(f"{address}/{what}", data={"csrf": token.group(1), **fields})
    return sent.status_code, sent.text


def exported(browser: TestClient, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(f"/console/reconciliation/export.csv{query}").text)))


def test_findings_are_told_by_age_and_drilled_into(contracts: str, steward: TestClient) -> None:
    page = steward.get("/console/reconciliation").text
    counts = dict(re.findall(r'age=(\d)">[^<]+</a></td><td class="number">(\d+)', page))
    old = steward.get("/console/reconciliation?rule=contract_without_subscription&age=3").text

    assert counts == {"0": "0", "1": "1", "2": "0", "3": "1"}, "CT-2 began twelve days before the newest event"
    assert ("CT-1" in old, "CT-2" in old) == (True, False)
    assert [each["days"] for each in exported(steward, "?age=1")] == ["12"]


def test_a_finding_is_taken_handed_over_and_given_back(
    contracts: str, engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    ada, bob = (entered(app, keys[role]) for role in (Role.STEWARD, Role.APPROVER_FINANCE))

    assert act(ada, contracts, "take")[0] == 200
    assert act(bob, contracts, "take")[0] == 409, "somebody has it"
    mine = ada.get("/console/reconciliation?who=mine").text
    assert ("CT-1" in mine, "CT-2" in mine) == (True, False)
    assert act(bob, contracts, "assign", assignee="")[0] == 409
    assert act(bob, contracts, "assign", assignee="Bob")[0] == 200
    assert "user:bob" in {each["assignee"] for each in exported(ada)}
    assert act(bob, contracts, "release")[0] == 200
    with engine.connect() as connection:
        acts = connection.scalars(text("select action from audit where subject = 'finding' order by seq"))
        assert list(acts) == ["take", "hand over", "put down"]


def test_an_explanation_holds_for_the_amount_it_was_given_for(
    contracts: str, engine: Engine, steward: TestClient
) -> None:
    assert act(steward, contracts, "explain", reason=" ")[0] == 409
    status, page = act(steward, contracts, "explain", reason="Pilot: invoiced from May on.")
    assert (status, "Pilot: invoiced from May on." in page) == (200, True)
    before = exported(steward)
    assert len(before) == 2, "an explained finding stays in the sums"
    assert {each["explanation"] for each in before} == {"", "Pilot: invoiced from May on."}

    with engine.begin() as connection:
        connection.execute(text("update finding_work set amount = coalesce(amount, 0) + 1, currency = 'EUR'"))

    assert "amount changed since explained" in steward.get("/console/reconciliation").text
    assert {each["explanation"] for each in exported(steward)} == {""}
    assert "Nobody has explained it." in act(steward, contracts, "withdraw")[1]


def test_several_findings_are_looked_after_and_explained_at_once(
    contracts: str, engine: Engine, app: FastAPI, keys: dict[Role, str]
) -> None:
    ada, bob = (entered(app, keys[role]) for role in (Role.STEWARD, Role.APPROVER_FINANCE))
    first, second = (contracts.replace("CT-1", each).partition("findings/")[2] for each in ("CT-1", "CT-2"))

    def several(browser: TestClient, what: str, query: str = "", **fields: str) -> tuple[int, str]:
        return act(browser, "/console/reconciliation/findings", f"{what}{query}", **fields)

    assert several(ada, "take")[0] == 409, "none is ticked"
    status, page = several(bob, "take", finding=first)
    assert (status, "1 finding taken." in page) == (200, True)
    status, page = several(ada, "take", all="1")
    assert (status, "has it." in page) == (409, True)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from finding_work where assignee = 'user:ada'")) == 0
    status, page = several(ada, "explain", "?rule=contract_without_subscription&age=3", all="1", reason="Pilots.")
    assert (status, "1 finding explained." in page) == (200, True), "of those that the list shows"
    assert [each["explanation"] for each in exported(ada)].count("Pilots.") == 1
    status, page = several(bob, "assign", all="1", assignee="ada")
    assert "2 findings handed over." in page
    assert {each["assignee"] for each in exported(ada)} == {"user:ada"}
    assert several(ada, "release", finding=second)[0] == 200
    with engine.connect() as connection:
        acts = connection.scalars(text("select action from audit where subject = 'finding' order by seq"))
        assert list(acts) == ["take", "explain", "hand over", "hand over", "put down"]
    auditor = entered(app, keys[Role.AUDITOR])
    assert several(auditor, "take", all="1")[0] == 403
    assert 'name="finding"' not in auditor.get("/console/reconciliation").text


def test_who_may_not_look_after_findings_is_told_why(contracts: str, app: FastAPI, keys: dict[Role, str]) -> None:
    auditor = entered(app, keys[Role.AUDITOR])

    page = auditor.get(contracts)

    assert page.status_code == 200
    assert ("look after findings" in page.text, "/explain" in page.text) == (True, False)
    assert act(auditor, contracts, "take")[0] == 403


def test_a_finding_that_is_not_there_is_not_found(contracts: str, steward: TestClient) -> None:
    assert steward.get(contracts.replace("CT-1", "CT-9")).status_code == 404
    assert act(steward, contracts.replace("CT-1", "CT-9"), "take")[0] == 404


def test_each_day_is_kept_as_its_last_run_found_it(contracts: str, engine: Engine, steward: TestClient) -> None:
    now = system_clock()  # not the module's: the page shows days up to today, and midnight may lie between
    today, found = now.date(), reconcile(engine).findings
    write_day(engine, today - timedelta(days=2), found)
    write_day(engine, today - timedelta(days=1), found)
    write_day(engine, today - timedelta(days=1), ())
    LastRun().of(engine, now)

    with engine.connect() as connection:
        for rule in ("", "contract_without_subscription"):
            assert [number for _, number in trend(connection, rule, today - timedelta(days=9))] == [2, 0, 2]
    page = steward.get("/console/reconciliation?rule=contract_without_subscription").text
    picture = f"Findings on 3 days: from 2 on {today - timedelta(days=2)} to 2 on {today}, lowest 0, highest 2"
    assert f'aria-label="{picture}"' in page
    assert [int(each) for each in re.findall(r'<th scope="row">[^<]+</th><td class="number">(\d+)</td>', page)] == [
        2, 0, 2,
    ], "the same as a table"  # fmt: skip


def test_an_erasure_takes_what_was_said_about_findings(contracts: str, engine: Engine, steward: TestClient) -> None:
    act(steward, contracts, "explain", reason="Told by Mr Coyote.")
    act(steward, contracts.replace("CT-1", "CT-2"), "explain", reason="Told by Mr Coyote.")

    with unit_of_work(engine, system_clock, "erasure") as work:
        blot_anywhere(work, ["Coyote"], [], [CrosswalkKey("crm", "contract", "CT-1")])

    with engine.connect() as connection:
        left = connection.execute(text("select key, explanation from finding_work")).all()
    assert [row[0] for row in left] == ["CT-2"]
    assert "Coyote" not in left[0][1]
