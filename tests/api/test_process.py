"""How far contracts and usage batches of the sample world got, over HTTP: the same run as findings, within scopes."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Role, Scope
from mdm.client import Hub
from mdm.lifecycle import quote_to_cash, usage_to_revenue
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.paging import pages
from tests.api.test_client import Through

QUOTE, USAGE = "/v1/process/quote-to-cash", "/v1/process/usage-to-revenue"


@pytest.fixture(scope="module")
def service(ingested: Engine) -> FastAPI:
    return create_app(Surroundings(ingested), ApiOptions(log=Surroundings(ingested).log))


@pytest.fixture(scope="module")
def key_of(ingested: Engine) -> Callable[..., str]:
    def key(role: Role, scope: Scope | None = None) -> str:
        with ingested.begin() as connection:
            return api_keys.issue_key(connection, role, "test", scope or Scope())

    return key


@pytest.fixture(scope="module")
def client_of(service: FastAPI, key_of: Callable[..., str]) -> Callable[..., TestClient]:
    def client(role: Role, scope: Scope | None = None) -> TestClient:
        return TestClient(service, headers={"X-API-Key": key_of(role, scope)}, follow_redirects=False)

    return client


@pytest.fixture(scope="module")
def ada(client_of: Callable[..., TestClient]) -> TestClient:
    return client_of(Role.STEWARD)


def told(client: TestClient, address: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(address, params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_every_contract_and_every_batch_is_told_once_page_by_page(ada: TestClient, ingested: Engine) -> None:
    contracts = pages(ada, QUOTE, limit=90)
    batches = pages(ada, USAGE, limit=50)

    with ingested.connect() as connection:
        ids = connection.scalars(text("select entity_id from golden where domain = 'contract' and known_to is null"))
        keys = connection.scalars(text("select key from source_record where kind = 'usage_batch' and not deleted"))
        assert [each["contract"] for each in contracts] == sorted(ids)
        assert sorted(each["batch"]["key"] for each in batches) == sorted(keys)
    assert {tuple(stage["stage"] for stage in each["stages"]) for each in contracts} == {quote_to_cash.STAGES}
    assert {tuple(stage["stage"] for stage in each["stages"]) for each in batches} == {usage_to_revenue.STAGES}
    assert told(ada, f"{QUOTE}/{contracts[0]['contract']}") == contracts[0]
    assert told(ada, f"{USAGE}/{'/'.join(batches[0]['batch'].values())}") == batches[0]


def test_what_holds_a_contract_up_is_a_finding_of_the_same_run(ada: TestClient) -> None:
    findings = pages(ada, "/v1/findings", limit=200)
    found = {(each["rule"], each["subject"]["key"]): each for each in findings}
    blocked = 0
    for each in pages(ada, QUOTE, limit=200):
        for stage in each["stages"]:
            assert (stage["state"] == "done") is (stage["next_step"] is None)
            for blocker in stage["blocked_by"]:
                if blocker["rule"] is None:
                    continue
                finding = found[blocker["rule"], blocker["subject"]["key"]]
                assert (finding["code"], finding["owner"], finding["contract"]) == (
                    blocker["code"], blocker["owner"], each["contract"],
                )  # fmt: skip
                assert stage["state"] in ("in conflict", "missing")
                blocked += 1
    told_apart = {"duplicate_usage_batch", "late_usage_after_invoice"}  # the process of usage tells these
    about_contracts = [each for each in findings if each["contract"] and each["rule"] not in told_apart]
    assert blocked == len(about_contracts) > 30


def test_a_list_is_narrowed_by_stage_state_owner_and_customer(ada: TestClient) -> None:
    everything = pages(ada, QUOTE, limit=200)
    stuck = pages(ada, QUOTE, limit=200, stage="posting", state="in conflict")
    one = stuck[0]

    assert len(stuck) == sum((each["stage"], each["state"]) == ("posting", "in conflict") for each in everything) > 5
    owner = one["next_step"]["owner"]
    assert {each["next_step"]["owner"] for each in stuck} == {"finance-accounting", "finance-master-data"}
    assert one in pages(ada, QUOTE, limit=200, customer=one["customer"], owner=owner)
    assert pages(ada, QUOTE, limit=200, owner="nobody") == []
    late = pages(ada, USAGE, limit=200, stage="invoice line", state="missing")
    assert late
    assert {each["invoice"] for each in late} == {None}
    assert {each["stages"][2]["blocked_by"][0]["code"] for each in late} == {"STANDS_STILL"}


def test_a_batch_leads_to_the_invoice_that_bills_it_also_in_its_trace(ada: TestClient) -> None:
    done = [each for each in pages(ada, USAGE, limit=200) if each["invoice"] and each["state"] == "done"][:10]
    posted = 0
    for billed in done:
        batch, invoice = billed["batch"], billed["invoice"]

        trace = told(ada, f"/v1/trace/{batch['system']}/{batch['type']}/{batch['key']}")

        steps = {(step["kind"], step["key"]): step for step in trace["steps"]}
        found = steps["invoice", invoice["key"]]
        assert (found["level"], found["role"], found["through"]["key"]) == (1, "billed_by", batch["key"])
        assert steps["usage_batch", batch["key"]]["level"] == 0
        lines = {key for kind, key in steps if kind == "invoice_line"}
        assert {row["key"] for row in billed["stages"][2]["rows"]} <= {invoice["key"], *lines}
        assert billed["subscription"]["key"] in {key for _, key in steps}
        booked = {key: step["level"] for (kind, key), step in steps.items() if kind == "posting"}
        # Where the books name the invoice by its number; typed otherwise, only reconciliation reads it.
        posted += {row["key"] for row in billed["stages"][3]["rows"]} <= booked.keys()
        assert set(booked.values()) <= {2}
    assert (len(done), posted > 5) == (10, True)


def test_a_bare_key_means_a_batch_where_one_has_it(ada: TestClient) -> None:
    first = pages(ada, USAGE, limit=200)[0]

    assert told(ada, f"{USAGE}/{first['batch']['key']}") == first


@pytest.mark.parametrize(
    "address",
    [
        f"{QUOTE}/con_nothing", f"{QUOTE}/%20", f"{QUOTE}/..%2F..%2Fx", f"{USAGE}/nothing", f"{USAGE}/a/b/c/d",
        f"{USAGE}/product/usage_batch/", f"{USAGE}/%F0%9F%92%A9", f"{USAGE}/product/usage_batch/-1",
    ],
)  # fmt: skip
def test_names_that_lead_nowhere(ada: TestClient, address: str) -> None:
    answer = ada.get(address)

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), answer.text


@pytest.mark.parametrize(
    "asked", ["stage=paid", "state=bad", "who=me", "cursor=AAAA", "limit=0", "owner=%00", "customer="]
)
def test_what_is_not_understood_is_refused(ada: TestClient, asked: str) -> None:
    for address in (QUOTE, USAGE):
        assert ada.get(f"{address}?{asked}").status_code in (400, 422), asked
    assert ada.get(f"{USAGE}/%00").status_code == 400


def test_a_scope_that_reaches_no_customer_is_told_of_none(
    client_of: Callable[..., TestClient], ada: TestClient
) -> None:
    contract, batch = pages(ada, QUOTE, limit=200)[0], pages(ada, USAGE, limit=200)[0]
    far = client_of(Role.STEWARD, Scope(regions=frozenset({"nowhere"})))

    assert (pages(far, QUOTE), pages(far, USAGE)) == ([], [])
    assert far.get(f"{QUOTE}/{contract['contract']}").status_code == 404
    assert far.get(f"{USAGE}/{'/'.join(batch['batch'].values())}").status_code == 404
    assert far.get(f"{USAGE}/{batch['batch']['key']}").status_code == 404


def test_a_region_is_told_of_its_own_contracts_and_of_all_of_them(
    client_of: Callable[..., TestClient], ada: TestClient, ingested: Engine
) -> None:
    with ingested.connect() as connection:
        reached = set(
            connection.scalars(text("select entity_id from placement where regions && array['EMEA','*']::text[]"))
        )
    everything = pages(ada, QUOTE, limit=200)
    own = [each for each in everything if {each["contract"], each["customer"]} - {None} <= reached]

    europe = pages(client_of(Role.STEWARD, Scope(regions=frozenset({"EMEA"}))), QUOTE, limit=7)

    assert europe == own
    assert 0 < len(own) < len(everything)


def test_who_may_not_see_findings_may_not_see_what_blocks(client_of: Callable[..., TestClient]) -> None:
    for role in (Role.VIEWER, Role.ERP_READER):
        assert client_of(role).get(QUOTE).status_code == 403


def test_the_client_reads_processes(service: FastAPI, key_of: Callable[..., str], ada: TestClient) -> None:
    hub = Hub("http://testserver", key_of(Role.STEWARD), transport=Through(service))

    stuck = list(hub.all_quote_to_cash(state="in conflict", limit=5))
    billed = next(each for each in hub.all_usage_to_revenue(limit=50) if each.raw["invoice"])

    assert len(stuck) > 5
    assert hub.quote_to_cash(stuck[0].raw["contract"]) == stuck[0]
    assert {each.state for each in stuck} == {"in conflict"}
    assert hub.usage_to_revenue("/".join(billed.raw["batch"].values())) == billed
