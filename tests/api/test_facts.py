"""Linked facts of a customer and of a contract."""

from typing import Any

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.paging import pages
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

INVOICE, LINE = CrosswalkKey("billing", "invoice", "I1"), CrosswalkKey("billing", "invoice_line", "L1")


def invoiced(rows: HubRows) -> str:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(
        INVOICE, domain=None, kind="invoice", references=[("customer", CRM_ACME)],
        attributes={"number": "INV-1", "status": "paid", "total": "100.00"},
        aliases=[CrosswalkKey("billing", "invoice#number", "INV-1")],
    )  # fmt: skip
    rows.source(LINE, domain=None, kind="invoice_line", references=[("invoice", INVOICE)])
    posting = CrosswalkKey("erp", "posting", "J1|1")
    rows.source(
        posting,
        domain=None,
        kind="posting",
        references=[("invoice", CrosswalkKey("billing", "invoice#number", "INV-1"))],
    )
    other = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.source(
        CrosswalkKey("billing", "invoice", "I2"), domain=None, kind="invoice", references=[("customer", ERP_ACME)]
    )
    rows.source(
        CrosswalkKey("billing", "invoice", "I3"), domain=None, kind="invoice", references=[("customer", CRM_ACME)],
        deleted=True,
    )  # fmt: skip
    assert other != acme
    return acme


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(fact["kind"], fact["key"]) for fact in found]


def test_facts_that_name_the_customer_or_one_of_its_facts(rows: HubRows, erp: TestClient) -> None:
    acme = invoiced(rows)

    everything = pages(erp, f"/v1/customers/{acme}/facts", limit=1)

    assert kinds(everything) == [("invoice", "I1"), ("invoice_line", "L1"), ("posting", "J1|1")]
    assert everything[0]["references"] == [
        {"role": "customer", "system": "crm", "type": "account", "key": "A1", "entity_id": acme}
    ]
    assert everything[0]["attributes"]["total"] == "100.00"


def test_one_kind_of_facts(rows: HubRows, erp: TestClient) -> None:
    acme = invoiced(rows)

    assert kinds(pages(erp, f"/v1/customers/{acme}/facts", kind="invoice_line")) == [("invoice_line", "L1")]
    assert erp.get(f"/v1/customers/{acme}/facts", params={"kind": "customer"}).status_code == 422


def test_a_reader_sees_that_there_is_an_invoice_but_not_its_amount(rows: HubRows, reader: TestClient) -> None:
    acme = invoiced(rows)

    (invoice,) = pages(reader, f"/v1/customers/{acme}/facts", kind="invoice")

    assert invoice["attributes"] == {"number": "INV-1", "status": "paid", "total": "***"}
    assert invoice["masked"] == ["total"]


SUBSCRIPTION, SALES = CrosswalkKey("billing", "subscription", "S1"), CrosswalkKey("erp", "sales_contract", "4000")
TERM = {"number": "CT-1", "status": "active"}


def test_facts_of_a_contract_come_from_every_platform_that_knows_it(rows: HubRows, erp: TestClient) -> None:
    contract = rows.golden(Domain.CONTRACT, SUBSCRIPTION, TERM)
    rows.source(SALES, domain=Domain.CONTRACT, entity_id=contract)
    other = rows.golden(Domain.CONTRACT, CrosswalkKey("billing", "subscription", "S2"), TERM)
    order = CrosswalkKey("erp", "sales_order", "77")
    rows.source(order, domain=None, kind="order", references=[("contract", SALES)])
    rows.source(INVOICE, domain=None, kind="invoice", references=[("contract", SUBSCRIPTION)])
    rows.source(LINE, domain=None, kind="invoice_line", references=[("invoice", INVOICE)])
    rows.source(
        CrosswalkKey("billing", "invoice", "I2"), domain=None, kind="invoice",
        references=[("contract", CrosswalkKey("billing", "subscription", "S2"))],
    )  # fmt: skip

    found = pages(erp, f"/v1/contracts/{contract}/facts", limit=2)

    assert kinds(found) == [("order", "77"), ("invoice", "I1"), ("invoice_line", "L1")]
    # Order and invoice name one golden contract, though by the numbers of two platforms; a fact is no golden record.
    assert [each["references"][0]["entity_id"] for each in found] == [contract, contract, None]
    assert kinds(pages(erp, f"/v1/contracts/{other}/facts")) == [("invoice", "I2")]
    assert kinds(pages(erp, f"/v1/contracts/{contract}/facts", kind="order")) == [("order", "77")]


def test_a_reference_to_a_row_that_never_came_leads_to_no_golden_record(rows: HubRows, erp: TestClient) -> None:
    contract = rows.golden(Domain.CONTRACT, SUBSCRIPTION, TERM)
    unknown = CrosswalkKey("billing", "customer", "cus_unknown")
    rows.source(
        INVOICE, domain=None, kind="invoice", references=[("contract", SUBSCRIPTION), ("customer", unknown)]
    )  # fmt: skip

    (invoice,) = pages(erp, f"/v1/contracts/{contract}/facts")

    assert [(each["role"], each["entity_id"]) for each in invoice["references"]] == [
        ("contract", contract),
        ("customer", None),
    ]


def test_facts_of_a_merged_contract_are_those_of_its_survivor(rows: HubRows, erp: TestClient) -> None:
    loser = rows.golden(Domain.CONTRACT, SALES, TERM)
    survivor = rows.golden(Domain.CONTRACT, SUBSCRIPTION, TERM)
    rows.merge(loser, survivor, at=NOON)

    answer = erp.get(f"/v1/contracts/{loser}/facts", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, f"/v1/contracts/{survivor}/facts")
