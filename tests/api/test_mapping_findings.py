"""What the mapping of use and revenue lacks, as a finding: about a product, and of no customer."""

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.conftest import As
from tests.api.rows import ACME, HubRows

_RULE = "revenue_account_missing"


@pytest.fixture
def unbooked(rows: HubRows) -> None:
    """A running subscription to a product of which nobody says the revenue account."""
    customer, product = CrosswalkKey("billing", "customer", "B1"), CrosswalkKey("billing", "product", "gate")
    rows.golden(Domain.CUSTOMER, customer, ACME)
    rows.golden(Domain.PRODUCT, product, {"name": "Kite Gateway", "code": "KIT", "unit": "call"})
    values = {
        "number": "S1", "customer": customer._asdict(), "status": "active",
        "lines": [{"product": product._asdict(), "quantity": "1"}],
    }  # fmt: skip
    key = CrosswalkKey("billing", "subscription", "S1")
    rows.golden(Domain.CONTRACT, key, values, references=[("customer", customer)])


@pytest.mark.usefixtures("unbooked")
def test_a_product_without_revenue_account_is_a_finding_of_finance(client_of: As) -> None:
    found = client_of(Role.STEWARD).get("/v1/findings", params={"rule": _RULE}).json()

    (finding,) = found["items"]
    assert (finding["code"], finding["owner"], finding["severity"]) == (
        "REVENUE_ACCOUNT_MISSING",
        "finance-master-data",
        "error",
    )
    assert finding["subject"] == {"system": "billing", "type": "product", "key": "gate"}
    assert (finding["customer"], finding["contract"], finding["amount"]) == (None, None, None)
    assert finding["sentence"] == (
        "Kite Gateway is sold and has no revenue account: neither the mapping nor ERP says the revenue account."
    )


@pytest.mark.usefixtures("unbooked")
def test_somebody_takes_it_over_and_its_page_opens(client_of: As, steward: TestClient) -> None:
    name = {"rule": _RULE, "system": "billing", "type": "product", "key": "gate"}
    taken = client_of(Role.STEWARD).post("/v1/findings/take", json={"findings": [name]})
    page = steward.get(f"/console/reconciliation/findings/{_RULE}/billing/product/gate")

    assert taken.status_code == 200, taken.text
    assert page.status_code == 200
    assert "Kite Gateway is sold and has no revenue account" in page.text
