"""Billed against accepted quantities, over HTTP."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import api_keys
from tests.api.conftest import As
from tests.api.rows import ACME, HubRows

_ADDRESS = "/v1/kpis/invoice-accuracy"
_MARCH = {"first": "2025-03-01", "last": "2025-03-31"}
_CUSTOMER, _PRODUCT = CrosswalkKey("billing", "customer", "B1"), CrosswalkKey("billing", "product", "gate")
_SUBSCRIPTION, _INVOICE = CrosswalkKey("billing", "subscription", "S1"), CrosswalkKey("billing", "invoice", "in_1")


@pytest.fixture
def billed(rows: HubRows) -> str:
    """One invoice of March that bills 1,000 calls, of which 1,200 were made in February; the product's id."""
    rows.golden(Domain.CUSTOMER, _CUSTOMER, ACME)
    product = rows.golden(Domain.PRODUCT, _PRODUCT, {"name": "Kite Gateway", "unit": "call", "metered": True})
    lines = [{"product": _PRODUCT._asdict(), "quantity": "0"}]
    values = {"number": "S1", "customer": _CUSTOMER._asdict(), "status": "active", "lines": lines}
    rows.golden(Domain.CONTRACT, _SUBSCRIPTION, values, references=[("customer", _CUSTOMER)])
    for key, kind, attributes, references in (
        (_INVOICE, "invoice", {"number": "INV-1", "status": "open", "currency": "EUR",
                               "period_start": "2025-03-01",
                               "issued_at": "2025-03-02T08:00:00Z"},
         [("customer", _CUSTOMER), ("contract", _SUBSCRIPTION)]),
        (CrosswalkKey("billing", "invoice_line", "il_1"), "invoice_line",
         {"quantity": "1000.0000", "unit_amount": "0.0500"},
         [("invoice", _INVOICE), ("product", _PRODUCT)]),
        *((CrosswalkKey("product", "usage_batch", key), "usage_batch",
           {"event_id": event, "quantity": quantity, "period_start": "2025-02-01", "period_end": "2025-02-28",
            "received_at": f"2025-03-0{key}T08:00:00Z"},
           [("customer", _CUSTOMER), ("product", _PRODUCT)])
          for key, event, quantity in (("1", "a", "1000"), ("2", "b", "200"), ("3", "b", "200"))),
    ):  # fmt: skip
        rows.source(key, domain=None, kind=kind, attributes=attributes, references=references)
    return product


def test_an_invoice_is_held_against_accepted_usage(billed: str, client_of: As) -> None:
    answer = client_of(Role.STEWARD).get(_ADDRESS, params=_MARCH)

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["period"] == _MARCH
    assert (found["lines"], found["agreeing"], found["accuracy"], found["differing"]) == (1, 0, 0, 1)
    assert found["differences"] == [
        {
            "invoice": {"system": "billing", "type": "invoice", "key": "in_1"}, "number": "INV-1",
            "issued_on": "2025-03-02", "product": billed, "unit": "call", "billed": "1000.0000",
            "accepted": "1200.0000", "difference": "-200.0000",
            "amount": "-10.00", "currency": "EUR",
        }
    ]  # fmt: skip
    assert (found["leakage"], found["unpriced"], found["leaked"]) == ({"EUR": "10.00"}, 0, [])
    (unit,) = found["units"]
    assert (unit["unit"], unit["under"], unit["over"], unit["lines"]) == ("call", "200.0000", "0", 1)
    assert unit["accuracy"] == pytest.approx(1000 / 1200)


def test_a_batch_that_no_invoice_bills_is_told_with_its_row(billed: str, client_of: As, engine: Engine) -> None:
    later = {"event_id": "c", "quantity": "500", "period_end": "2025-03-31", "received_at": "2025-04-01T08:00:00Z"}
    with engine.begin() as connection:
        connection.execute(
            text("update source_record set attributes = cast(:later as json) where type = 'usage_batch' and key = '3'"),
            {"later": json.dumps(later)},
        )

    found = client_of(Role.STEWARD).get(_ADDRESS, params=_MARCH).json()

    (leaked,) = found["leaked"]
    assert leaked["batch"] == {"system": "product", "type": "usage_batch", "key": "3"}
    assert (leaked["quantity"], leaked["ended_on"], leaked["product"]) == ("500", "2025-03-31", billed)
    assert (leaked["amount"], found["unbilled"], found["unpriced"]) == (None, 1, 1), "its contract says no currency"


def test_a_period_without_invoices_has_no_accuracy(billed: str, client_of: As) -> None:
    asked = {"first": "2025-02-01", "last": "2025-02-28"}
    found = client_of(Role.AUDITOR).get(_ADDRESS, params=asked).json()

    assert (found["lines"], found["accuracy"], found["units"], found["repeated"]) == (0, None, [], 1)


def test_without_a_period_it_is_the_last_ninety_days(client_of: As) -> None:
    found = client_of(Role.STEWARD).get(_ADDRESS).json()

    assert (found["accuracy"], found["unbilled"]) == (None, 0)
    assert found["period"] == client_of(Role.STEWARD).get("/v1/kpis").json()["period"]


@pytest.mark.parametrize(
    "asked",
    [{"first": "2025-01-01"}, {"first": "2025-02-01", "last": "2025-01-01"}, {"first": "yesterday"}, {"period": "1"}],
)
def test_what_is_no_period_is_refused(client_of: As, asked: dict[str, str]) -> None:
    answer = client_of(Role.STEWARD).get(_ADDRESS, params=asked)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_whoever_reaches_part_of_the_hub_is_told_no_figures_of_all(client_of: As, engine: Engine) -> None:
    assert client_of(Role.ERP_READER).get(_ADDRESS).status_code == 403
    with engine.begin() as connection:
        limited = api_keys.issue_key(connection, Role.STEWARD, "limited", Scope(regions=frozenset({"EMEA"})))
    client: TestClient = client_of(Role.STEWARD)
    assert client.get(_ADDRESS, headers={"Authorization": f"Bearer {limited}"}).status_code == 403
