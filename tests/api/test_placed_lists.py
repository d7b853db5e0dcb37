"""Lists of customers and contracts, narrowed to where golden records belong."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from mdm.access import Role
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.paging import pages
from tests.api.rows import ACME, HubRows
from tests.api.test_scopes import EUROPE, Client, TwoRegions, place, regions, with_scope

__all__ = ["regions", "with_scope"]


def ids(client: TestClient, address: str, **params: Any) -> set[str]:
    return {each["id"] for each in pages(client, address, **params)}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, {"acme", "bolt"}),
        ({"region": "EMEA"}, {"acme"}),
        ({"region": "AMER"}, {"bolt"}),
        ({"region": "APAC"}, set()),
        ({"region": "emea"}, set()),
        ({"business_unit": "sales"}, {"acme", "bolt"}),
        ({"business_unit": "finance"}, set()),
        ({"business_unit": "sales", "region": "EMEA"}, {"acme"}),
        ({"legal_entity": "NL01"}, set()),
        ({"region": "EMEA", "q": "acme"}, {"acme"}),
        ({"region": "AMER", "q": "acme"}, set()),
        ({"region": "EMEA", "q": "acme anvlis"}, {"acme"}),
        ({"region": "AMER", "q": "acme anvlis"}, set()),
    ],
)
def test_customers_are_narrowed(regions: TwoRegions, erp: TestClient, asked: dict[str, str], names: set[str]) -> None:
    assert ids(erp, "/v1/customers", **asked) == {getattr(regions, name) for name in names}


def test_what_a_key_finds_is_narrowed_too(regions: TwoRegions, erp: TestClient, rows: HubRows) -> None:
    number = CrosswalkKey("erp", "business_partner#former", "0001000077")
    rows.source(
        CrosswalkKey("erp", "business_partner", "7"), attributes=ACME, entity_id=regions.acme, aliases=[number]
    )  # fmt: skip

    assert ids(erp, "/v1/customers", q="0001000077", region="EMEA") == {regions.acme}
    assert ids(erp, "/v1/customers", q="0001000077", region="AMER") == set()


def test_contracts_that_a_key_finds_are_narrowed_to_their_customer(
    regions: TwoRegions, erp: TestClient, rows: HubRows
) -> None:
    number = CrosswalkKey("erp", "sales_contract#former", "0040000077")
    sales = CrosswalkKey("erp", "sales_contract", "4")
    rows.source(sales, domain=Domain.CONTRACT, entity_id=regions.bolt_contract, aliases=[number])

    assert ids(erp, "/v1/contracts", q="0040000077", customer=regions.bolt) == {regions.bolt_contract}
    assert ids(erp, "/v1/contracts", q="0040000077", customer=regions.acme) == set()


def test_contracts_belong_where_their_customers_do(regions: TwoRegions, erp: TestClient) -> None:
    assert ids(erp, "/v1/contracts", region="EMEA") == {regions.acme_contract}
    assert ids(erp, "/v1/contracts", region="AMER", customer=regions.acme) == set()


def test_what_is_placed_everywhere_is_of_every_region(regions: TwoRegions, erp: TestClient, rows: HubRows) -> None:
    with rows.engine.begin() as connection:
        connection.execute(text("update placement set regions = '{*}' where entity_id = :id"), {"id": regions.bolt})

    assert ids(erp, "/v1/customers", region="EMEA") == {regions.acme, regions.bolt}


def test_a_region_never_widens_what_a_scope_reaches(regions: TwoRegions, with_scope: Client) -> None:
    europe = with_scope(Role.ERP_READER, EUROPE)

    assert ids(europe, "/v1/customers", region="AMER") == set()
    assert ids(europe, "/v1/customers", region="EMEA") == {regions.acme}


def test_pages_of_a_region_miss_nothing(rows: HubRows, erp: TestClient) -> None:
    placed = {}
    for number in range(7):
        key = CrosswalkKey("crm", "account", f"N{number}")
        placed[rows.golden(Domain.CUSTOMER, key, ACME)] = ACME | {"country": "NL" if number % 2 else "US"}
    place(rows.engine, placed, {})

    found = ids(erp, "/v1/customers", region="AMER", limit=1)

    assert found == {id_ for id_, values in placed.items() if values["country"] == "US"}
