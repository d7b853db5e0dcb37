"""The API over a hub that really ingested the sample world: every form holds, every answer agrees with every other."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import Engine

from api.app import ApiOptions, create_app
from api.schemas.common import Page
from api.schemas.identity import Fate
from api.schemas.records import (
    PAGES,
    RECORDS,
    ChangePage,
    CrosswalkEntry,
    HistoryEntry,
    Lineage,
    LinkedFact,
    SourceRow,
)
from api.schemas.status import Status
from api.schemas.traces import TraceForm
from mdm.access import Role
from mdm.model.ids import Domain
from mdm.store import api_keys
from mdm.store.read_models import export_crosswalk
from tests.api.conftest import Surroundings

#: Of each domain every n-th record is looked at closely; all are listed.
_STEP = 12


@pytest.fixture(scope="module")
def client(ingested: Engine) -> TestClient:
    with ingested.begin() as connection:
        key = api_keys.issue_key(connection, Role.ERP, "test")
    app = create_app(Surroundings(ingested), ApiOptions(log=Surroundings(ingested).log))
    return TestClient(app, headers={"X-API-Key": key}, follow_redirects=False)


def read(client: TestClient, address: str, form: type[BaseModel] | Any, **params: Any) -> Any:
    """An answer that has the form that the description promises. Any: generic forms have no plain type."""
    answer = client.get(address, params=params)
    assert answer.status_code == 200, (address, answer.text[:300])
    form.model_validate(answer.json())
    return answer.json()


def listed(client: TestClient, domain: Domain) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = read(client, f"/v1/{domain.plural}", PAGES[domain], limit=200, **cursor)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("domain", list(Domain))
def test_the_list_holds_each_entity_of_the_crosswalk_once(client: TestClient, ingested: Engine, domain: Domain) -> None:
    with ingested.connect() as connection:
        entities = {entity_id for *_, entity_id in export_crosswalk(connection, domain)}

    ids = [item["id"] for item in listed(client, domain)]

    assert set(ids) == entities
    assert len(ids) == len(entities) > 20


@pytest.mark.parametrize("domain", list(Domain))
def test_everything_about_a_record_agrees(client: TestClient, domain: Domain) -> None:
    for item in listed(client, domain)[::_STEP]:
        address = f"/v1/{domain.plural}/{item['id']}"
        record = read(client, address, RECORDS[domain])
        lineage = read(client, f"{address}/lineage", Lineage)
        sources = read(client, f"{address}/sources", Page[SourceRow], limit=200)["items"]
        history = read(client, f"{address}/_history", Page[HistoryEntry])["items"]
        fate = read(client, f"/v1/ids/{item['id']}", Fate)

        assert record == item
        assert set(lineage["attributes"]) == set(record["values"]), "no golden value without lineage, and the reverse"
        rows = {(source["system"], source["type"], source["key"]) for source in sources}
        records = [each["record"] for each in lineage["attributes"].values()]
        winners = {(each["system"], each["type"], each["key"]) for each in records}
        assert winners <= rows, "every value comes from a source row of the record"
        assert len(rows) == record["sources"]
        assert [entry["version"] for entry in history] == list(range(record["version"], 0, -1))
        assert fate["current_id"] == item["id"]
        then = client.get(address, params={"known_at": fate["valid_from"]})
        assert (then.status_code, then.json()["version"]) == (200, 1), "an id leads to a record since it is valid"


def test_a_customer_is_found_by_the_key_that_each_platform_knows_it_under(client: TestClient, ingested: Engine) -> None:
    with ingested.connect() as connection:
        crosswalk = {(each[0], each[1]): (each[2], each[3]) for each in export_crosswalk(connection, Domain.CUSTOMER)}

    assert {system for system, _ in crosswalk} == {"billing", "crm", "erp", "product"}
    for key, entity_id in crosswalk.values():
        for query, wanted in ((f" {key} ", [entity_id]), (key[:-1], [])):
            body = client.get("/v1/customers", params={"q": query}).json()
            assert ([item["id"] for item in body["items"]], body["approximate"]) == (wanted, False), query
    number, entity_id = crosswalk["erp", "business_partner"]
    country = client.get(f"/v1/customers/{entity_id}").json()["values"]["country"]
    elsewhere = {"q": number, "country": "FR" if country != "FR" else "DE"}
    assert client.get("/v1/customers", params=elsewhere).json()["items"] == []
    assert client.get("/v1/products", params={"q": number}).json()["items"] == []


@pytest.mark.parametrize("domain", list(Domain))
def test_every_kind_of_name_in_the_export_leads_to_the_same_entity(
    client: TestClient, ingested: Engine, domain: Domain
) -> None:
    with ingested.connect() as connection:
        crosswalk = list(export_crosswalk(connection, domain))

    for system, type_, key, entity_id in crosswalk[::_STEP]:
        assert read(client, f"/v1/crosswalk/{system}/{type_}/{key}", CrosswalkEntry)["entity_id"] == entity_id


def test_contracts_lead_to_customers_and_customers_to_their_contracts(client: TestClient) -> None:
    contracts = [item for item in listed(client, Domain.CONTRACT) if "customer" in item["values"]]
    resolved = [item for item in contracts if item["values"]["customer"]["entity_id"]]

    assert len(resolved) > 0.95 * len(contracts)
    for contract in resolved[::_STEP]:
        customer = contract["values"]["customer"]["entity_id"]
        found = read(client, f"/v1/customers/{customer}/contracts", PAGES[Domain.CONTRACT], limit=200)["items"]
        assert contract["id"] in {item["id"] for item in found}


def test_facts_come_with_their_customers(client: TestClient) -> None:
    kinds = set()
    for item in listed(client, Domain.CUSTOMER)[::_STEP]:
        facts = read(client, f"/v1/customers/{item['id']}/facts", Page[LinkedFact], limit=200)["items"]
        kinds |= {fact["kind"] for fact in facts}

    assert kinds >= {"contact", "invoice", "invoice_line", "payment", "posting", "entitlement", "order"}


def test_an_invoice_leads_to_its_golden_contract_and_back(client: TestClient) -> None:
    led = 0
    for contract in listed(client, Domain.CONTRACT)[::_STEP]:
        facts = read(client, f"/v1/contracts/{contract['id']}/facts", Page[LinkedFact], limit=200)["items"]
        for fact in facts:
            named = {each["entity_id"] for each in fact["references"] if each["role"] == "contract"}
            assert named <= {contract["id"]}
            led += len(named)
    assert led


def test_orders_of_running_contracts_lead_to_their_invoices(client: TestClient) -> None:
    orders, invoiced = 0, 0
    for contract in listed(client, Domain.CONTRACT)[::_STEP]:
        facts = read(client, f"/v1/contracts/{contract['id']}/facts", Page[LinkedFact], limit=200)["items"]
        kinds = {fact["kind"] for fact in facts}
        for order in [fact for fact in facts if fact["kind"] == "order"]:
            chain = read(client, f"/v1/trace/erp/sales_order/{order['key']}", TraceForm)
            found = {step["kind"] for step in chain["steps"] if step["arrived"]}
            assert kinds <= found
            orders, invoiced = orders + 1, invoiced + ("invoice" in found)

    assert orders > 5
    assert invoiced > 2


def test_customers_are_found_by_name_and_by_identifier(client: TestClient) -> None:
    for item in listed(client, Domain.CUSTOMER)[::_STEP]:
        words = [item["name"]] + [each["value"] for each in item["values"].get("identifiers", [])]
        for q in words:
            found = read(client, "/v1/customers", PAGES[Domain.CUSTOMER], q=q, limit=200)["items"]
            assert item["id"] in {each["id"] for each in found}, q


def test_a_copy_kept_by_the_change_feed_equals_the_hub(client: TestClient) -> None:
    copy: dict[str, int] = {}
    since: dict[str, str] = {}
    while True:
        body = read(client, "/v1/changes", ChangePage, limit=200, **since)
        for change in body["changes"]:
            if change["version"] is None:
                copy.pop(change["entity_id"], None)
            else:
                assert change["version"] > copy.get(change["entity_id"], 0)
                copy[change["entity_id"]] = change["version"]
        since = {"since": body["next"]}
        if not body["more"]:
            break

    assert copy == {item["id"]: item["version"] for domain in Domain for item in listed(client, domain)}


def test_the_messages_add_up(client: TestClient) -> None:
    status = read(client, "/v1/status", Status)

    assert status["messages"]["add_up"] is True
    for counts in status["domains"].values():
        assert counts["records"] == counts["crosswalks"]
