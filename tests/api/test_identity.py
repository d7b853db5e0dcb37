"""From a platform's name to the golden record, and what became of an id."""

from datetime import timedelta

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

LATER = NOON + timedelta(days=1)


def test_a_source_row_leads_to_its_golden_record(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    body = erp.get("/v1/crosswalk/crm/account/A1").json()

    assert body == {
        "system": "crm", "type": "account", "key": "A1",
        "entity_id": acme, "domain": "customer", "via": "record",
        "record": {"system": "crm", "type": "account", "key": "A1"}, "since": "2025-06-01T12:00:00Z",
    }  # fmt: skip


def test_a_key_may_contain_slashes_spaces_and_other_scripts(rows: HubRows, erp: TestClient) -> None:
    for key in ("a/b", "a b", "50%", "é?#&", "山田", "1|2||3"):
        acme = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", key), ACME)
        encoded = "".join(f"%{byte:02X}" for byte in key.encode())

        assert erp.get(f"/v1/crosswalk/crm/account/{encoded}").json()["entity_id"] == acme, key
    assert erp.get("/v1/crosswalk/crm/account/a/b").status_code == 200


def test_another_name_of_a_row_leads_there_too(rows: HubRows, erp: TestClient) -> None:
    item = rows.golden(
        Domain.PRODUCT, CrosswalkKey("erp", "item", "K-1"), {"name": "Kite"},
        aliases=[CrosswalkKey("erp", "item#gtin", "3007822945943")],
    )  # fmt: skip

    body = erp.get("/v1/crosswalk/erp/item%23gtin/3007822945943").json()

    assert (body["entity_id"], body["via"], body["record"]["key"]) == (item, "alias", "K-1")


def test_an_offer_leads_to_its_product_also_through_an_alias(rows: HubRows, erp: TestClient) -> None:
    product = rows.golden(
        Domain.PRODUCT, CrosswalkKey("billing", "product", "p1"), {"name": "Kite"},
        aliases=[CrosswalkKey("billing", "product#sku", "KITE")],
    )  # fmt: skip
    targets = {"1": CrosswalkKey("billing", "product", "p1"), "2": CrosswalkKey("billing", "product#sku", "KITE")}
    for key, target in targets.items():
        offer = CrosswalkKey("billing", "price", key)
        rows.source(offer, domain=None, kind="offer", references=[("offer_of", target)])

    for key in targets:
        body = erp.get(f"/v1/crosswalk/billing/price/{key}").json()
        assert (body["entity_id"], body["via"], body["record"]["key"]) == (product, "offer", "p1")


def test_a_name_of_several_records_is_refused_with_the_candidates(rows: HubRows, erp: TestClient) -> None:
    gtin = CrosswalkKey("erp", "item#gtin", "1")
    both = {
        rows.golden(Domain.PRODUCT, CrosswalkKey("erp", "item", key), {"name": key}, aliases=[gtin]) for key in "AB"
    }

    answer = erp.get("/v1/crosswalk/erp/item%23gtin/1")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/ambiguous-name")
    assert set(answer.json()["candidates"]) == both


def test_rows_that_lead_nowhere_say_why(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(CrosswalkKey("crm", "account", "gone"), entity_id=acme, deleted=True)
    rows.source(CrosswalkKey("billing", "invoice", "I1"), domain=None, kind="invoice")

    deleted = erp.get("/v1/crosswalk/crm/account/gone")
    fact = erp.get("/v1/crosswalk/billing/invoice/I1")
    unknown = erp.get("/v1/crosswalk/crm/account/never")

    assert (deleted.status_code, deleted.json()["last_entity_id"]) == (410, acme)
    explained = erp.get("/v1/explain", params={"a": "crm/account/gone", "b": "/".join(CRM_ACME)})
    assert (explained.status_code, explained.json()["last_entity_id"]) == (410, acme)
    assert (fact.status_code, fact.json()["type"]) == (404, "/problems/not-resolved")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")


def test_any_id_can_be_asked_what_became_of_it(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    retired = rows.golden(Domain.PRODUCT, CrosswalkKey("erp", "item", "K"), {"name": "Kite"})
    rows.merge(loser, survivor, at=LATER)
    rows.retire(retired, at=LATER)

    def fate(entity_id: str) -> tuple[str, str | None, list[str]]:
        body = erp.get(f"/v1/ids/{entity_id}").json()
        return body["status"], body["current_id"], body["absorbed"]

    assert fate(survivor) == ("active", survivor, [loser])
    assert fate(loser) == ("merged", survivor, [])
    assert fate(retired) == ("retired", None, [])
    assert erp.get("/v1/ids/cus_never").status_code == 404


def test_a_contract_line_finds_its_product_by_a_code_in_another_spelling(rows: HubRows, erp: TestClient) -> None:
    kite = CrosswalkKey("crm", "product2#product_code", "KITE_PRO-2")
    product = rows.golden(Domain.PRODUCT, CrosswalkKey("crm", "product2", "P1"), {"name": "Kite"}, aliases=[kite])
    for key in "AB":
        two = CrosswalkKey("crm", "product2#product_code", f"TWO{key.replace('A', '.').replace('B', '/')}")
        rows.golden(Domain.PRODUCT, CrosswalkKey("crm", "product2", key), {"name": key}, aliases=[two])
    written = ["kite pro 2", "KITE_PRO-2", "KITE-PRO-3", "two", "--"]
    named = [{"product": {"system": "crm", "type": "product2#product_code", "key": code}} for code in written]
    contract = rows.golden(Domain.CONTRACT, CrosswalkKey("crm", "contract", "C1"), {"number": "1", "lines": named})

    lines = erp.get(f"/v1/contracts/{contract}").json()["values"]["lines"]

    assert [line["product"]["entity_id"] for line in lines] == [product, product, None, None, None]
    exact = erp.get("/v1/crosswalk/crm/product2%23product_code/kite%20pro%202")
    assert exact.status_code == 404, "the crosswalk knows names as they are written"


def test_an_id_was_valid_until_it_was_merged_also_when_its_survivor_is_merged_later(
    rows: HubRows, erp: TestClient
) -> None:
    first, second = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    third = rows.golden(Domain.CUSTOMER, CrosswalkKey("billing", "customer", "c1"), ACME)
    rows.merge(first, second, at=LATER)
    rows.merge(second, third, at=LATER + timedelta(days=1))
    rows.merge(first, third, at=LATER + timedelta(days=1))  # its redirect leads to the survivor from then on

    fate = erp.get(f"/v1/ids/{first}").json()

    assert (fate["status"], fate["current_id"]) == ("merged", third)
    assert [fate["valid_from"], fate["valid_to"]] == ["2025-06-01T12:00:00Z", "2025-06-02T12:00:00Z"]
    assert [(each["valid_from"], each["valid_to"]) for each in fate["intervals"]] == [
        (fate["valid_from"], fate["valid_to"])
    ]
