"""Lists: filters, search, and pages that stay right while the hub writes."""

import random
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_list import Filters, list_golden
from tests.api.paging import pages
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows


def customer(rows: HubRows, key: str, name: str, *terms: str, **values: object) -> EntityId:
    return rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", key), {"name": name, **values}, terms=terms)


def names(client: TestClient, **params: object) -> list[str]:
    return [item["name"] for item in pages(client, "/v1/customers", **params)]


def test_a_list_comes_in_the_order_of_change(rows: HubRows, erp: TestClient) -> None:
    first = customer(rows, "1", "Oak")
    customer(rows, "2", "Elm")
    rows.version(first, Domain.CUSTOMER, {"name": "Oak & Sons"})

    assert names(erp) == ["Elm", "Oak & Sons"]


def test_pages_meet_every_record_although_records_are_added_and_changed_meanwhile(
    rows: HubRows, erp: TestClient
) -> None:
    ids = [customer(rows, f"{number}", f"Customer {number}") for number in range(6)]
    page = erp.get("/v1/customers", params={"limit": 2}).json()
    rows.version(ids[0], Domain.CUSTOMER, {"name": "Customer 0, renamed"})
    rows.version(ids[4], Domain.CUSTOMER, {"name": "Customer 4, renamed"})
    new = customer(rows, "new", "Newcomer")

    met = [item["id"] for item in page["items"]]
    while page["next"]:
        page = erp.get("/v1/customers", params={"limit": 2, "cursor": page["next"]}).json()
        met += [item["id"] for item in page["items"]]

    assert set(met) == {*ids, new}
    assert met.count(ids[0]) == 2, "a record that changes after it was read is met again, with its new values"
    assert met.count(ids[4]) == 1


def test_a_page_never_holds_more_than_the_limit(rows: HubRows, erp: TestClient) -> None:
    for number in range(3):
        customer(rows, f"{number}", f"Customer {number}")

    assert len(erp.get("/v1/customers", params={"limit": 2}).json()["items"]) == 2
    assert erp.get("/v1/customers", params={"limit": 3}).json()["next"] is None
    assert erp.get("/v1/customers", params={"limit": 201}).status_code == 422
    assert erp.get("/v1/customers", params={"limit": 0}).status_code == 422


def test_ended_records_are_not_listed(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = customer(rows, "1", "Loser", "acme"), customer(rows, "2", "Survivor", "acme")
    rows.merge(loser, survivor, at=NOON)

    assert names(erp) == ["Survivor"]
    assert names(erp, q="acme") == ["Survivor"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"country": "NL"}, ["Dutch", "Sleepy"]),
        ({"country": "nl"}, ["Dutch", "Sleepy"]),
        ({"status": "active"}, ["Dutch", "German"]),
        ({"country": "NL", "status": "inactive"}, ["Sleepy"]),
        ({"country": "FR"}, []),
    ],
)
def test_filters_narrow_a_list(rows: HubRows, erp: TestClient, params: dict[str, str], expected: list[str]) -> None:
    customer(rows, "1", "Dutch", country="NL", status="active")
    customer(rows, "2", "German", country="DE", status="active")
    customer(rows, "3", "Sleepy", country="NL", status="inactive")

    assert names(erp, **params) == expected


def test_updated_since_keeps_what_is_known_since_then(rows: HubRows, erp: TestClient) -> None:
    customer(rows, "1", "Old")
    rows.version(customer(rows, "2", "x"), Domain.CUSTOMER, {"name": "Fresh"}, at=NOON + timedelta(hours=2))

    assert names(erp, updated_since="2025-06-01T13:00:00Z") == ["Fresh"]
    assert names(erp, updated_since="2025-06-01T13:00:00+02:00") == ["Old", "Fresh"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("brewery", ["Moor Brewery", "Groninger Brewery"]),
        ("BREW", ["Groninger Brewery", "Moor Brewery"]),
        ("brew gron", ["Groninger Brewery"]),
        ("Groningér", ["Groninger Brewery"]),
        ("brewery nobody", []),
        ("NL169963937B05", ["Moor Brewery"]),
        ("NL 1699.63.937 B05", ["Moor Brewery"]),
        ("nl1699", ["Moor Brewery"]),
        ("!?", []),
        ("%", []),
    ],
)
def test_search_finds_by_words_beginnings_and_identifiers(
    rows: HubRows, erp: TestClient, q: str, expected: list[str]
) -> None:
    customer(rows, "1", "Moor Brewery", "moor", "brewery", "nl169963937b05")
    customer(rows, "2", "Groninger Brewery", "groninger", "brewery")
    customer(rows, "3", "Somebody", "somebody")

    assert sorted(names(erp, q=q)) == sorted(expected)


def test_exact_words_rank_above_beginnings_and_an_identifier_above_all(rows: HubRows, erp: TestClient) -> None:
    customer(rows, "1", "Northern Trading", "northern", "trading")
    customer(rows, "2", "North Sea", "north", "sea")
    customer(rows, "3", "Odd", "odd", "north")

    assert names(erp, q="north", limit=1)[-1] == "Northern Trading"
    customer(rows, "4", "By number", "northsea")
    assert names(erp, q="north sea") == ["By number", "North Sea"]


def test_a_reader_cannot_find_out_an_identifier_letter_by_letter(rows: HubRows, reader: TestClient) -> None:
    customer(rows, "1", "Moor Brewery", "moor", "brewery", "nl169963937b05", "31309725926")

    assert names(reader, q="nl1699") == []
    assert names(reader, q="3130") == []
    assert names(reader, q="nl169963937b05") == ["Moor Brewery"]
    assert names(reader, q="brew") == []
    assert names(reader, q="Brewery Moor") == ["Moor Brewery"]


def test_contracts_are_found_by_their_customer(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, aliases=[CrosswalkKey("crm", "account#short", "A")])
    other = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    by_key = {"number": "C1", "customer": {"system": "crm", "type": "account", "key": "A1"}}
    by_alias = {"number": "C2", "customer": {"system": "crm", "type": "account#short", "key": "A"}}
    for number, values in enumerate((by_key, by_alias)):
        target = CrosswalkKey(**values["customer"])  # type: ignore[arg-type]
        contract = CrosswalkKey("crm", "contract", f"{number}")
        rows.golden(Domain.CONTRACT, contract, values, references=[("customer", target)])
    lost = {"number": "C3", "customer": {"system": "erp", "type": "business_partner", "key": ERP_ACME.key}}
    rows.golden(
        Domain.CONTRACT, CrosswalkKey("crm", "contract", "9"), lost,
        references=[("customer", CRM_ACME), ("customer", ERP_ACME)],
    )  # fmt: skip

    contracts = pages(erp, f"/v1/customers/{acme}/contracts", limit=1)

    assert [each["name"] for each in contracts] == ["C1", "C2"], "C3's surviving customer is another"
    assert {each["values"]["customer"]["entity_id"] for each in contracts} == {acme}
    assert [each["name"] for each in pages(erp, "/v1/contracts", customer=other)] == ["C3"]
    rows.merge(acme, other, at=NOON)
    assert [each["name"] for each in pages(erp, "/v1/contracts", customer=acme)] == ["C1", "C2", "C3"]
    assert erp.get("/v1/contracts", params={"customer": "cus_nobody"}).status_code == 404


def test_lines_of_a_contract_lead_to_products_also_through_prices(rows: HubRows, erp: TestClient) -> None:
    product = rows.golden(Domain.PRODUCT, CrosswalkKey("billing", "product", "p1"), {"name": "Kite"})
    price = CrosswalkKey("billing", "price", "price_1")
    rows.source(price, domain=None, kind="offer", references=[("offer_of", CrosswalkKey("billing", "product", "p1"))])
    lines = [
        {"product": {"system": "billing", "type": "price", "key": "price_1"}, "quantity": "25", "unit_price": "12.50"},
        {"product": {"system": "billing", "type": "price", "key": "unknown"}, "quantity": "1", "unit_price": None},
    ]
    contract = rows.golden(Domain.CONTRACT, CrosswalkKey("crm", "contract", "1"), {"number": "C1", "lines": lines})

    served = erp.get(f"/v1/contracts/{contract}").json()["values"]["lines"]

    assert [line["product"]["entity_id"] for line in served] == [product, None]


@pytest.mark.parametrize("bad", ["x", "%%%", "WyJ4Il0", "A" * 900, "eyJhIjoxfQ", "é"])
def test_a_damaged_cursor_is_refused(erp: TestClient, bad: str) -> None:
    answer = erp.get("/v1/customers", params={"cursor": bad})

    assert answer.status_code == 422
    assert answer.json()["type"] in ("/problems/invalid-cursor", "/problems/invalid-request")


def test_a_cursor_of_another_list_is_refused(rows: HubRows, erp: TestClient) -> None:
    for number in range(3):
        customer(rows, f"{number}", f"Customer {number}", status="active")
    cursor = erp.get("/v1/customers", params={"limit": 1, "status": "active"}).json()["next"]

    assert erp.get("/v1/customers", params={"cursor": cursor, "status": "active"}).status_code == 200
    assert erp.get("/v1/customers", params={"cursor": cursor}).status_code == 422
    assert erp.get("/v1/products", params={"cursor": cursor, "status": "active"}).status_code == 422


def test_an_attribute_that_there_is_not_is_refused_also_when_nothing_is_found(erp: TestClient) -> None:
    answer = erp.get("/v1/products", params={"fields": "name,shoe_size"})

    assert (answer.status_code, [each["parameter"] for each in answer.json()["errors"]]) == (422, ["query.fields"])


def test_an_unknown_parameter_is_refused(erp: TestClient) -> None:
    answer = erp.get("/v1/customers", params={"contry": "NL"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"parameter": "query.contry", "detail": "is not known here"}]


@pytest.mark.parametrize(
    "address",
    [
        "/v1/status?verbose=1",
        "/v1/customers?limit=1&limit=2",
        "/v1/explain?a=crm/account/1&b=crm/account/2&a=crm/account/3",
        "/v1/erp/sap/odata/A_BusinessPartner?$top=1&$top=2",
    ],
)
def test_a_parameter_counts_once_and_only_where_it_is_known(erp: TestClient, address: str) -> None:
    answer = erp.get(address)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


def test_a_rare_word_is_a_shorter_way_to_the_same_records(
    rows: HubRows, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(7)
    words = ["gmbh", "gm", "logistics", "logi", "acme", "anvils", "de123", "de", "123", "zeta"]
    for number in range(40):
        terms = choose.sample(words, choose.randint(1, 6))
        rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", f"R{number}"), {"name": "x"}, terms=terms)
    queries = [" ".join(choose.sample(words, count)) for count in (2, 3, 4) for _ in range(15)] + [
        "de 123",
        "nobody gmbh",
    ]

    def found(few: int, q: str, beginnings: bool) -> list[tuple[str, int]]:
        monkeypatch.setattr("mdm.store.read_list._FEW", few)
        with engine.connect() as connection:
            listed = list_golden(connection, Domain.CUSTOMER, Filters(q=q, beginnings=beginnings), None, 100)
        return [(each.row.entity_id, each.place.sort) for each in listed]

    hits = 0
    for q in queries:
        for beginnings in (True, False):
            ways = found(0, q, beginnings), found(10**9, q, beginnings)
            assert ways[0] == ways[1], q
            hits += len(ways[0])
    assert hits > 100
