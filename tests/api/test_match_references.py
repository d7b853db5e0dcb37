"""A contract that is asked about names its customer and its products: those that are nobody stand in its way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.schemas.matching import MatchAnswer
from mdm.access import Role
from mdm.client.values import match_of
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

LATER = NOON + timedelta(days=1)
KITE = CrosswalkKey("erp", "item", "K")
#: A contract that the hub does not have.
NEW = {
    "number": "CT-2031-77",
    "start_date": "2031-01-01",
    "end_date": "2031-12-31",
    "value": "12000",
    "currency": "EUR",
}


@pytest.fixture
def erp(client_of: Callable[[Role | None], TestClient]) -> TestClient:
    return client_of(Role.ERP)


def ask(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/contracts/match", json={"values": NEW | more})
    assert answer.status_code == 200, answer.text
    MatchAnswer.model_validate(answer.json())
    body: dict[str, Any] = answer.json()
    return body


def line(reference: dict[str, str]) -> dict[str, Any]:
    return {"product": reference, "quantity": 1}


def test_a_contract_of_a_customer_and_a_product_that_are_there_may_be_created(rows: HubRows, erp: TestClient) -> None:
    acme, kite = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.PRODUCT, KITE, {"name": "Kite"})

    by_id = ask(erp, customer={"entity_id": acme}, lines=[line({"entity_id": kite})])
    by_row = ask(erp, customer=CRM_ACME._asdict() | {"entity_id": None}, lines=[line(KITE._asdict())])

    for body in (by_id, by_row):
        assert (body["advice"], body["rejected"], body["remarks"]) == ("create", {}, [])


@pytest.mark.parametrize(
    "nobody",
    [{"entity_id": "cus_never"}, {"system": "crm", "type": "account", "key": "has not come yet"}],
    ids=["an id never issued", "a row that has not come"],
)
def test_a_contract_of_nobody_is_a_question(erp: TestClient, nobody: dict[str, str]) -> None:
    body = ask(erp, customer=nobody)

    assert (body["advice"], body["rejected"]) == ("ask_a_steward", {"customer": "ENTITY_UNKNOWN"})
    assert nobody.get("entity_id", "crm/account/has not come yet") in body["remarks"][0]
    assert match_of(body).remarks == body["remarks"]


def test_a_product_is_no_customer(rows: HubRows, erp: TestClient) -> None:
    acme, kite = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.PRODUCT, KITE, {"name": "Kite"})

    body = ask(erp, customer={"entity_id": kite}, lines=[line({"entity_id": kite}), line({"entity_id": acme})])

    assert body["rejected"] == {"customer": "ENTITY_UNKNOWN", "lines": "ENTITY_UNKNOWN"}
    assert [each.split(" names")[0] for each in body["remarks"]] == ["the customer", "the product of line 2"]
    assert body["advice"] == "ask_a_steward"


@pytest.mark.parametrize("status", ["retired", "erased"])
def test_a_customer_that_has_ended_takes_no_contract(rows: HubRows, erp: TestClient, status: str) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.retire(acme, at=LATER)
    with rows.engine.begin() as connection:
        connection.exec_driver_sql("update entity set status = %s where entity_id = %s", (status, acme))

    body = ask(erp, customer={"entity_id": acme})

    assert (body["advice"], body["rejected"]) == ("ask_a_steward", {"customer": "ENTITY_ENDED"})


def test_a_merged_id_stands_for_its_survivor(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=LATER)

    assert ask(erp, customer={"entity_id": loser})["advice"] == "create"
    rows.retire(survivor, at=LATER + timedelta(days=1))
    assert ask(erp, customer={"entity_id": loser})["rejected"] == {"customer": "ENTITY_ENDED"}


def test_what_cannot_be_read_is_told(erp: TestClient) -> None:
    body = ask(erp, start_date="2024-13-45", value="a lot", currency="XQQ", other_numbers=["  "])

    assert body["rejected"] == {
        "start_date": "UNREADABLE",
        "value": "UNREADABLE",
        "currency": "CURRENCY_UNKNOWN",
    }


def test_a_term_that_cannot_be_is_told(erp: TestClient) -> None:
    backwards = ask(erp, start_date="2031-12-31", end_date="2031-01-01")
    no_time = ask(erp, term_months=-12)
    one_day = ask(erp, start_date="2031-01-01", end_date="2031-01-01", term_months=1)

    assert backwards["rejected"] == {"end_date": "ENDS_BEFORE_START"}
    assert "end_date" not in backwards["read_as"]
    assert no_time["rejected"] == {"term_months": "UNREADABLE"}
    assert one_day["rejected"] == {}


def test_a_country_alone_is_no_address_that_cannot_be_read(erp: TestClient) -> None:
    values = {
        "name": "Zyxwvut Oy",
        "country": "FI",
        "address": {"country": "FI", "city": " "},
        "web_domain": "no domain",
    }

    body = erp.post("/v1/customers/match", json={"values": values}).json()

    assert body["rejected"].keys() == {"web_domain"}
