"""One box over HTTP: keys, document numbers, names, identifiers and ids, within the caller's reach."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, text

from mdm.access import Role, Scope
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.tables import table_shape
from tests.api.rows import ACME, CRM_ACME, NOON, HubRows
from tests.api.test_scopes import EUROPE, TwoRegions, lines, regions, with_scope

__all__ = ["lines", "regions", "with_scope"]
INVOICE = CrosswalkKey("billing", "invoice", "in_1")


@pytest.fixture(autouse=True)
def tables(engine: Engine) -> None:
    """The tables that the hub has met: keys are looked for in these."""
    met = [("crm", "account"), ("crm", "contract"), ("billing", "invoice"), ("erp", "business_partner")]
    with engine.begin() as connection:
        for system, type_ in met:
            shape = {"system": system, "type": type_, "columns": ["id"], "pos_major": 1, "pos_minor": 1, "pos_order": 0}
            connection.execute(insert(table_shape).values(**shape))


@pytest.fixture
def acme(rows: HubRows) -> str:
    """A customer with a contract, and an invoice that is also known by its number."""
    entity_id = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils", "nl169963937b05"])
    rows.golden(
        Domain.CONTRACT, CrosswalkKey("crm", "contract", "CT-1"), {"number": "CT-1", "customer": CRM_ACME._asdict()},
        terms=["ct1", "acme"], references=[("customer", CRM_ACME)],
    )  # fmt: skip
    rows.source(
        INVOICE, domain=None, kind="invoice", attributes={"number": "INV-1001"}, references=[("customer", CRM_ACME)],
        aliases=[CrosswalkKey("billing", "invoice#number", "INV-1001")],
    )  # fmt: skip
    return entity_id


def found(client: TestClient, q: str, **how: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": q, **how})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("q", ["INV-1001", "in_1", " INV-1001 "])
def test_a_document_number_finds_its_row(acme: str, erp: TestClient, q: str) -> None:
    told = found(erp, q)

    assert told["rows"] == [{"record": INVOICE._asdict(), "kind": "invoice", "entity_id": None}]
    assert (told["id"], told["customers"], told["approximate"]) == (None, [], False)


def test_a_platforms_key_finds_the_row_with_its_golden_record(acme: str, erp: TestClient) -> None:
    assert found(erp, CRM_ACME.key)["rows"] == [
        {"record": CRM_ACME._asdict(), "kind": "customer", "entity_id": acme}
    ]  # fmt: skip


@pytest.mark.parametrize("q", ["acme", "NL 1699.63.937 B05"])
def test_words_and_identifiers_find_golden_records_of_every_kind(acme: str, erp: TestClient, q: str) -> None:
    told = found(erp, q)

    assert [each["id"] for each in told["customers"]] == [acme]
    assert [each["domain"] for each in told["contracts"]] == (["contract"] if q == "acme" else [])
    assert told["products"] == []
    assert "values" not in told["customers"][0]


def test_an_id_says_what_became_of_it(acme: str, rows: HubRows, erp: TestClient) -> None:
    other = rows.golden(Domain.CUSTOMER, CrosswalkKey("erp", "business_partner", "7"), ACME)
    rows.merge(other, acme, at=NOON + timedelta(hours=1))

    told = found(erp, other)

    assert told["id"] == {"id": other, "domain": "customer", "status": "merged", "merged_into": acme}
    assert found(erp, "cus_nobody")["id"] is None


def test_what_nothing_has_finds_what_resembles_it_and_nothing_finds_nothing(acme: str, erp: TestClient) -> None:
    near, none = found(erp, "acme anvlis"), found(erp, "zzqxj wvkkp")

    assert ([each["id"] for each in near["customers"]], near["approximate"]) == ([acme], True)
    assert (none["customers"], none["rows"], none["approximate"]) == ([], [], False)


def test_no_more_of_a_kind_than_asked_for(rows: HubRows, erp: TestClient) -> None:
    for number in range(4):
        rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", f"N{number}"), ACME, terms=["acme"])

    assert len(found(erp, "acme", limit=3)["customers"]) == 3
    assert erp.get("/v1/search?q=acme&limit=51").status_code == 422
    assert erp.get("/v1/search").status_code == 422
    assert erp.get("/v1/search", params={"q": "  "}).json()["customers"] == []


@pytest.mark.usefixtures("lines")
def test_what_lies_outside_the_scope_is_not_found(
    regions: TwoRegions, with_scope: Callable[[Role, Scope], TestClient]
) -> None:
    limited, free = with_scope(Role.STEWARD, EUROPE), with_scope(Role.STEWARD, Scope())

    for q in ("Zanzibolt", "987654321", "U1", "U1-CONTRACT", "INV-USA-1", "0009000009", regions.bolt, regions.merged):
        told = found(limited, q)
        assert (told["id"], told["rows"], told["customers"], told["contracts"]) == (None, [], [], []), q
    assert found(limited, "INV-NL-1")["rows"], "inside it is"
    assert found(free, "INV-USA-1")["rows"]


def test_who_was_shown_is_noted(acme: str, engine: Engine, erp: TestClient) -> None:
    found(erp, CRM_ACME.key)

    erp.app.state.access_log.write()  # type: ignore[attr-defined]  # an ASGI application has no state by its type

    with engine.connect() as connection:
        assert list(connection.scalars(text("select entity_id from record_access"))) == [acme]
