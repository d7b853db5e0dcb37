"""Linked facts of a customer."""

from typing import Any

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.paging import pages
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, HubRows

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
    assert everything[0]["references"] == [{"role": "customer", "system": "crm", "type": "account", "key": "A1"}]
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
