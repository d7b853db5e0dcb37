"""Exports: golden records, crosswalk and source rows, read through server-side cursors."""

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert

from api.exporting import written
from mdm.access import Role
from mdm.clock import system_clock
from mdm.errors import NotFound
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store import tables as t
from mdm.store.read_bulk import golden_at
from mdm.store.read_models import export_crosswalk, export_golden, export_records, printed
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

World = Callable[[Role], TestClient]


def test_golden_records_are_exported_with_sources_and_resolved_references(rows: HubRows, engine: Engine) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(ERP_ACME, entity_id=acme)
    retired = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "old"), ACME)
    rows.retire(retired, at=NOON)
    values = {"number": "CT-1", "customer": ERP_ACME._asdict()}
    contract = rows.golden(Domain.CONTRACT, CrosswalkKey("crm", "contract", "1"), values)

    with engine.connect() as connection:
        (customer,) = export_golden(connection, Domain.CUSTOMER)
        (exported,) = export_golden(connection, Domain.CONTRACT)

    assert (customer["entity_id"], customer["values"]) == (acme, ACME)
    assert [source["system"] for source in customer["sources"]] == ["crm", "erp"]
    assert (exported["entity_id"], exported["values"]["customer"]["entity_id"]) == (contract, acme)


def test_the_crosswalk_is_exported_in_order_without_deleted_rows(rows: HubRows, engine: Engine) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.source(CRM_ACME, entity_id=acme)
    rows.source(CrosswalkKey("crm", "account", "gone"), entity_id=acme, deleted=True)
    rows.golden(Domain.PRODUCT, CrosswalkKey("erp", "item", "K"), {"name": "Kite"})

    with engine.connect() as connection:
        exported = list(export_crosswalk(connection, Domain.CUSTOMER))

    assert exported == [(*CRM_ACME, acme), (*ERP_ACME, acme)]


def test_offers_are_exported_with_the_products_they_offer(rows: HubRows, engine: Engine) -> None:
    key = CrosswalkKey("billing", "product", "p1")
    sku = CrosswalkKey("billing", "product#sku", "KITE")
    kite = rows.golden(Domain.PRODUCT, key, {"name": "Kite"}, aliases=[sku])
    price = CrosswalkKey("billing", "price", "1")
    rows.source(price, domain=None, kind="offer", references=[("offer_of", key), ("currency", key)])
    rows.source(price._replace(key="2"), domain=None, kind="offer", references=[("offer_of", sku)])
    rows.source(price._replace(key="3"), domain=None, kind="offer", references=[("offer_of", key)], deleted=True)
    rows.source(price._replace(type="invoice_line"), domain=None, references=[("product", key)])

    with engine.connect() as connection:
        exported = list(export_crosswalk(connection, Domain.PRODUCT))
        others = list(export_crosswalk(connection, Domain.CUSTOMER))

    assert exported == [("billing", "price", "1", kite), ("billing", "price", "2", kite), (*key, kite)]
    assert others == []


def test_source_rows_are_exported_in_the_tables_present_shape(rows: HubRows, engine: Engine) -> None:
    shape = {"system": "crm", "type": "account", "columns": ["id", "name", "tags", "segment"]}
    with engine.begin() as connection:
        connection.execute(insert(t.table_shape).values(**shape, pos_major=1, pos_minor=1, pos_order=0))
    account = CrosswalkKey("crm", "account", "")
    rows.source(account._replace(key="2"), row={"id": 2, "name": "B", "tags": ["nl-NL", "山"], "segment": "SMB"})
    rows.source(account._replace(key="1"), row={"id": 1, "name": None, "fax": "dropped", "tags": []})
    rows.source(account._replace(key="3"), row={"id": 3}, deleted=True)
    rows.source(account._replace(key="4"), row=None)

    with engine.connect() as connection:
        columns, exported = export_records(connection, "crm", "account")
        found = list(exported)

    assert columns == ["id", "name", "tags", "segment"]
    assert found == [("1", r"\N", "[]", r"\N"), ("2", "B", '["nl-NL", "山"]', "SMB")]


def test_a_table_that_never_came_is_not_found(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(NotFound, match="no table 'nothing'"):
        export_records(connection, "crm", "nothing")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, r"\N"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12345678901234567890, "-12345678901234567890"),
        ("72256.80", "72256.80"),
        ("", ""),
        (486670.2, "486670.2"),
        (5.0, "5"),
        (-0.0, "-0"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e14, "100000000000000"),
        (1e15, "1e+15"),
        (-1.5e15, "-1.5e+15"),
        (1234567890123456.0, "1.234567890123456e+15"),
        (1e16, "1e+16"),
        (1e300, "1e+300"),
        ({"max": 20, "soft": True}, '{"max": 20, "soft": true}'),
        (["a", None, "é"], '["a", null, "é"]'),
    ],
)
def test_values_are_printed_as_postgresql_prints_them(value: object, text: str) -> None:
    assert printed(value) == text


def test_doubles_are_printed_as_this_postgresql_does(engine: Engine) -> None:
    numbers = [0.1, 1 / 3, 1e15, 1e14 + 0.5, 123456789012345.6, 1234567890123456.0, 9007199254740993.0, 5e-324, -2.5e-5]
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select unnest(%s::float8[])::text", (numbers,)).scalars().all()

    assert [printed(number) for number in numbers] == rows


@pytest.mark.parametrize("domain", list(Domain))
def test_the_quick_export_says_what_the_slow_one_says(world: World, ingested: Engine, domain: Domain) -> None:
    """Whoever sees everything gets the stored text; the same records, with the same references, as everybody's."""
    lines = world(Role.ERP).get(f"/v1/{domain.plural}/export").text.splitlines()
    with ingested.connect() as connection:
        chunks = golden_at(connection, domain, system_clock(), "", None)
        slow = b"".join(written("ndjson", domain, chunks, Role.ADMIN)).decode().splitlines()

    assert [json.loads(line) for line in lines] == [json.loads(line) for line in slow]
    assert len(lines) > 20
