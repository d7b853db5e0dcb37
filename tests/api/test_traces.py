"""The chain around a source row, from order to posting, across the records of one golden contract."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role, Scope
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import read_chain
from tests.api.conftest import As
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.test_scopes import Client, place, with_scope

__all__ = ["with_scope"]

SIGNED, SALES = CrosswalkKey("crm", "contract", "C1"), CrosswalkKey("erp", "sales_contract", "4000")
SUBSCRIPTION = CrosswalkKey("billing", "subscription", "S1")
ORDER, ENTITLEMENT = CrosswalkKey("erp", "sales_order", "77"), CrosswalkKey("product", "entitlement", "E1")
INVOICE, LINE = CrosswalkKey("billing", "invoice", "I1"), CrosswalkKey("billing", "invoice_line", "L1")
PAYMENT, POSTING = CrosswalkKey("billing", "payment", "P1"), CrosswalkKey("erp", "posting", "J1|1")
NUMBER = CrosswalkKey("billing", "invoice#number", "INV-1")
LATER = CrosswalkKey("billing", "invoice", "I2")


def sold(rows: HubRows) -> str:
    """One contract in three platforms, ordered once and invoiced twice; the first invoice is paid and posted."""
    contract = rows.golden(Domain.CONTRACT, SIGNED, {"number": "CT-1", "special_terms": "net 90"})
    for key in (SALES, SUBSCRIPTION):
        rows.source(key, domain=Domain.CONTRACT, entity_id=contract, attributes={"number": key.key})
    rows.source(ORDER, domain=None, kind="order", references=[("contract", SALES)], attributes={"value": "900.00"})
    rows.source(ENTITLEMENT, domain=None, kind="entitlement", references=[("contract", SUBSCRIPTION)])
    paid = {"number": "INV-1", "status": "paid", "total": "100.00"}
    rows.source(
        INVOICE, domain=None, kind="invoice", references=[("contract", SUBSCRIPTION)], attributes=paid, aliases=[NUMBER]
    )
    rows.source(LINE, domain=None, kind="invoice_line", references=[("invoice", INVOICE)])
    rows.source(PAYMENT, domain=None, kind="payment", references=[("invoice", INVOICE)])
    rows.source(POSTING, domain=None, kind="posting", references=[("invoice", NUMBER)])
    draft = {"number": "INV-2", "status": "draft"}
    rows.source(LATER, domain=None, kind="invoice", references=[("contract", SUBSCRIPTION)], attributes=draft)
    return contract


def traced(client: TestClient, key: CrosswalkKey) -> dict[str, Any]:
    answer = client.get(f"/v1/trace/{key.system}/{key.type.replace('#', '%23')}/{key.key}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def named(body: dict[str, Any]) -> dict[str, int]:
    """Every row of a trace with its level."""
    return {step["key"]: step["level"] for step in body["steps"]}


def test_an_order_leads_to_the_postings_of_the_contract_that_it_stands_for(rows: HubRows, erp: TestClient) -> None:
    contract = sold(rows)

    body = traced(erp, ORDER)

    assert named(body) == {
        "4000": -1, "C1": -1, "S1": -1, "77": 0, "E1": 1, "I1": 1, "I2": 1, "L1": 2, "P1": 2, "J1|1": 2,
    }  # fmt: skip
    steps = {step["key"]: step for step in body["steps"]}
    assert {key for key, step in steps.items() if step["entity_id"] == contract} == {"4000", "C1", "S1"}
    assert (steps["S1"]["role"], steps["S1"]["through"]["key"]) == ("same_contract", "4000")
    assert (steps["J1|1"]["role"], steps["J1|1"]["through"]["key"]) == ("invoice", "I1")
    assert (steps["77"]["role"], steps["77"]["attributes"]) == (None, {"value": "900.00"})
    assert (body["gaps"], body["complete"]) == ([], True)


@pytest.mark.parametrize("key", [SIGNED, SALES, SUBSCRIPTION])
def test_every_record_of_a_contract_leads_to_all_that_followed_from_it(
    rows: HubRows, erp: TestClient, key: CrosswalkKey
) -> None:
    sold(rows)

    assert named(traced(erp, key)) == {
        "4000": 0, "C1": 0, "S1": 0, "77": 1, "E1": 1, "I1": 1, "I2": 1, "L1": 2, "P1": 2, "J1|1": 2,
    }  # fmt: skip


@pytest.mark.parametrize("key", [INVOICE, LINE, PAYMENT, POSTING, NUMBER])
def test_whatever_belongs_to_an_invoice_leads_to_the_rest_of_it_and_to_the_order(
    rows: HubRows, erp: TestClient, key: CrosswalkKey
) -> None:
    sold(rows)

    body = traced(erp, key)

    # Not to the other invoice and the entitlement, which did not follow from this one.
    assert named(body).keys() == {"4000", "C1", "S1", "77", "I1", "L1", "P1", "J1|1"}
    assert named(body)["77"] < named(body)["I1"]
    assert body["gaps"] == []


def test_a_chain_says_where_it_breaks(rows: HubRows, erp: TestClient) -> None:
    contract = rows.golden(Domain.CONTRACT, SUBSCRIPTION, {"number": "S1"})
    paid = {"number": "INV-1", "status": "paid"}
    rows.source(
        INVOICE, domain=None, kind="invoice", attributes=paid,
        references=[("contract", SUBSCRIPTION), ("customer", CrosswalkKey("billing", "customer", "nobody"))],
    )  # fmt: skip
    draft = {"number": "INV-2", "status": "draft"}
    rows.source(LATER, domain=None, kind="invoice", references=[("contract", SUBSCRIPTION)], attributes=draft)
    assert contract

    body = traced(erp, SUBSCRIPTION)

    assert [(gap["code"], gap["record"]["key"]) for gap in body["gaps"]] == [
        ("NEVER_ARRIVED", "nobody"),
        ("POSTING_MISSING", "I1"),
        ("PAYMENT_MISSING", "I1"),
    ]
    assert [step["key"] for step in body["steps"] if not step["arrived"]] == ["nobody"]


def test_a_code_in_another_spelling_has_arrived(rows: HubRows, erp: TestClient) -> None:
    code = CrosswalkKey("crm", "product2#product_code", "ABC-1")
    rows.golden(Domain.PRODUCT, CrosswalkKey("crm", "product2", "P"), {"name": "Anvil"}, aliases=[code])
    typed = CrosswalkKey("crm", "product2#product_code", "abc 1")
    rows.golden(Domain.CONTRACT, SIGNED, {"number": "CT-1"}, references=[("product", typed)])

    assert traced(erp, SIGNED)["gaps"] == []


def test_the_contract_that_a_renewal_renews_is_told_without_its_invoices(rows: HubRows, erp: TestClient) -> None:
    sold(rows)
    renewal = CrosswalkKey("crm", "contract", "C2")
    rows.golden(Domain.CONTRACT, renewal, {"number": "CT-2"}, references=[("prior_contract", SIGNED)])

    assert named(traced(erp, renewal)) == {"C1": -1, "C2": 0}
    assert named(traced(erp, SALES))["C2"] == 1


def test_names_that_lead_nowhere(rows: HubRows, erp: TestClient) -> None:
    contract = rows.golden(Domain.CONTRACT, SIGNED, {"number": "CT-1"})
    rows.source(SALES, domain=Domain.CONTRACT, entity_id=contract, deleted=True)
    rows.source(INVOICE, domain=None, kind="invoice", aliases=[NUMBER])
    rows.source(LATER, domain=None, kind="invoice", aliases=[NUMBER])

    unknown = erp.get("/v1/trace/erp/sales_order/nothing")
    gone = erp.get("/v1/trace/erp/sales_contract/4000")
    several = erp.get("/v1/trace/billing/invoice%23number/INV-1")

    assert (unknown.status_code, gone.status_code, several.status_code) == (404, 410, 409)
    assert gone.json()["last_entity_id"] == contract
    assert several.json()["candidates"] == ["billing/invoice/I1", "billing/invoice/I2"]


def test_who_may_not_see_amounts_sees_the_chain_without_them(rows: HubRows, client_of: As) -> None:
    sold(rows)

    steps = {step["key"]: step for step in traced(client_of(Role.VIEWER), ORDER)["steps"]}

    assert steps["77"]["attributes"] == {"value": "***"}
    assert (steps["C1"]["masked"], steps["I1"]["masked"]) == (["special_terms"], ["total"])
    assert steps["I1"]["attributes"]["number"] == "INV-1"


def test_a_chain_that_is_too_long_says_so_and_tells_of_no_missing_postings(
    rows: HubRows, erp: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(rows)
    monkeypatch.setattr(read_chain, "_ROWS", 7)

    body = traced(erp, ORDER)

    assert named(body).keys() == {"4000", "C1", "S1", "77", "E1", "I1", "I2"}
    assert (body["complete"], body["gaps"]) == (False, [])


def test_what_is_out_of_reach_is_neither_told_nor_called_missing(rows: HubRows, with_scope: Client) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    far = CrosswalkKey("crm", "account", "U1")
    other = rows.golden(Domain.CUSTOMER, far, {"name": "Zanzibolt", "country": "US"})
    rows.source(
        INVOICE, domain=None, kind="invoice", attributes={"status": "open"},
        references=[("customer", CRM_ACME), ("customer", far)],
    )  # fmt: skip
    hidden = rows.golden(Domain.CONTRACT, SIGNED, {"number": "CT-1"}, references=[("customer", far)])
    place(rows.engine, {acme: ACME, other: {"country": "US"}}, {hidden: other})
    europe = with_scope(Role.ERP_READER, Scope(regions=frozenset({"EMEA"})))

    body = traced(europe, INVOICE)

    assert named(body) == {"I1": 0}
    assert [gap["code"] for gap in body["gaps"]] == ["POSTING_MISSING"]
    assert europe.get("/v1/trace/crm/contract/C1").status_code == 404


def test_the_console_shows_the_same_chain(rows: HubRows, steward: TestClient) -> None:
    sold(rows)
    rows.source(CrosswalkKey("erp", "sales_order", "gone"), domain=None, kind="order", deleted=True)

    shown = steward.get("/console/trace/erp/sales_order/77").text

    assert "J1|1" in shown
    assert "the same contract" in shown
    assert "Gap:" not in shown
    assert "Gap:" not in steward.get("/console/trace/billing/payment/P1").text
    assert "Its platform has deleted this row." in steward.get("/console/trace/erp/sales_order/gone").text
    assert "Never seen" in steward.get("/console/trace/erp/sales_order/nothing").text
