"""A source row by the key of its platform: as it came, as it is read, where it belongs, and what it said before."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.raw import show_row
from mdm.access import Role, Scope
from mdm.client import Hub
from mdm.intake.catalogue import load_catalogue
from mdm.model.canonical import DataClass
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.conftest import As
from tests.api.rows import ACME, CRM_ACME, NOON, HubRows
from tests.api.test_client import Through
from tests.api.test_scopes import Client, TwoRegions, lines, regions, with_scope

__all__ = ["lines", "regions", "with_scope"]

INVOICE, NUMBER = CrosswalkKey("billing", "invoice", "I/1"), CrosswalkKey("billing", "invoice#number", "INV-1")
BILLED = CrosswalkKey("billing", "customer", "B1")


def told(client: TestClient, key: CrosswalkKey, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/source-records/{key.system}/{key.type.replace('#', '%23')}/{key.key}", params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def sent(rows: HubRows) -> str:
    """A customer as billing sent it, and its invoice."""
    row = {"id": "B1", "name": "Acme Anvils B.V.", "email": "till@acme.example", "tax_id": "NL169963937B05",
           "address_country": "NL", "balance": 1200, "metadata": {"crm_account_id": "A1"}}  # fmt: skip
    acme = rows.golden(Domain.CUSTOMER, BILLED, {"name": "Acme Anvils B.V.", "country": "NL"}, row=row)
    rows.source(
        INVOICE, domain=None, kind="invoice", references=[("customer", BILLED)], aliases=[NUMBER],
        attributes={"number": "INV-1", "status": "open", "total": "100.00"},
        row={"id": "I/1", "number": "INV-1", "status": "open", "total": "100.00", "customer": "B1", "memo": "private"},
    )  # fmt: skip
    return acme


def test_a_row_is_told_as_it_came_and_as_it_is_read_with_its_place_and_golden_record(
    rows: HubRows, erp: TestClient
) -> None:
    acme = sent(rows)

    body = told(erp, BILLED)

    assert body["raw"]["email"] == "till@acme.example"
    assert body["raw"]["metadata"] == {"crm_account_id": "A1"}
    assert (body["attributes"], body["masked"], body["raw_masked"]) == (
        {"name": "Acme Anvils B.V.", "country": "NL"}, [], [],
    )  # fmt: skip
    assert (body["entity_id"], body["domain"], body["kind"], body["deleted"]) == (acme, "customer", "customer", False)
    place = body["position"]
    assert (place["topic"], place["partition"], place["offset"]) == ("billing.public.customer", 0, 1)
    assert (body["versions"], body["complete"]) == (None, True)


def test_a_fact_is_found_by_its_other_name_and_leads_to_the_golden_record_behind_it(
    rows: HubRows, erp: TestClient
) -> None:
    acme = sent(rows)

    body = told(erp, NUMBER)

    assert (body["key"], body["domain"], body["entity_id"]) == ("I/1", None, None)
    assert body == told(erp, INVOICE)
    assert body["references"] == [{"role": "customer", **BILLED._asdict(), "entity_id": acme}]


def test_columns_are_masked_like_what_is_read_from_them(rows: HubRows, client_of: As) -> None:
    sent(rows)
    viewer = client_of(Role.VIEWER)

    customer, invoice = told(viewer, BILLED), told(viewer, INVOICE)

    assert customer["raw_masked"] == ["balance", "email", "metadata", "tax_id"]
    assert customer["raw"] == {
        "id": "B1", "name": "Acme Anvils B.V.", "email": "***mple", "tax_id": "***7B05", "address_country": "NL",
        "balance": None, "metadata": None,
    }  # fmt: skip
    assert (invoice["raw_masked"], invoice["masked"]) == (["memo", "total"], ["total"])
    assert (invoice["raw"]["customer"], invoice["raw"]["number"], invoice["raw"]["total"]) == ("B1", "INV-1", "***")


def test_no_column_of_a_shipped_table_shows_more_than_its_attribute(ingested: Engine) -> None:
    """What matters most, by name; and nothing at all of a table that nobody described."""
    catalogue = load_catalogue(None)
    guarded = {
        ("crm", "account"): {"phone"},
        ("crm", "contact"): {"email", "phone", "first_name", "last_name"},
        ("erp", "business_partner"): {"tax_number", "vat_number", "payment_terms", "iban"},
        ("billing", "payment"): {"amount", "method"},
        ("crm", "contract"): {"special_terms"},
    }
    for (system, table), columns in guarded.items():
        profile = catalogue.profile(system, table)
        assert profile is not None
        held = dict.fromkeys(profile.contract.columns, "a long secret")
        assert columns & held.keys(), (system, table)
        shown = show_row(profile, held, Role.VIEWER)
        assert columns & held.keys() <= set(shown.masked), (system, table)
        assert show_row(profile, held, Role.ERP_READER).masked == []
    assert show_row(None, {"id": "a long secret"}, DataClass.INTERNAL).values == {"id": "***cret"}


def test_a_row_that_is_gone_is_told_with_its_history_only(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    gone = CrosswalkKey("crm", "account", "A2")
    rows.source(gone, attributes=ACME, entity_id=acme, deleted=True, row={"id": "A2"})

    refused = erp.get("/v1/source-records/crm/account/A2")
    body = told(erp, gone, history="true")

    assert (refused.status_code, refused.json()["last_entity_id"]) == (410, acme)
    assert "history=true" in refused.json()["detail"]
    assert (body["deleted"], body["entity_id"], body["last_entity_id"]) == (True, None, acme)


def test_names_that_lead_nowhere_or_to_several(rows: HubRows, erp: TestClient) -> None:
    sent(rows)
    rows.source(CrosswalkKey("billing", "invoice", "I2"), domain=None, kind="invoice", aliases=[NUMBER])

    several = erp.get("/v1/source-records/billing/invoice%23number/INV-1")

    assert (several.status_code, several.json()["candidates"]) == (409, ["billing/invoice/I/1", "billing/invoice/I2"])
    for address in ("crm/account/none", "x/y/z", "billing/invoice/..%2F..", "billing/invoice/%F0%9F%92%A9"):
        assert erp.get(f"/v1/source-records/{address}").status_code == 404, address
    assert erp.get("/v1/source-records/billing/invoice/%00").status_code in (400, 422)
    assert erp.get("/v1/source-records/billing/customer/B1?history=perhaps").status_code == 422
    assert erp.get("/v1/source-records/billing/customer/B1?versions=1").status_code == 422


@pytest.mark.usefixtures("lines")
def test_what_is_out_of_reach_is_not_there(regions: TwoRegions, with_scope: Client, engine: Engine) -> None:
    europe = with_scope(Role.STEWARD, Scope(regions=frozenset({"EMEA"})))

    for address in ("crm/account/U1", "billing/invoice/INV-USA-1", "crm/contract/U1-CONTRACT"):
        for query in ("", "?history=true"):
            assert europe.get(f"/v1/source-records/{address}{query}").status_code == 404, address
    assert told(europe, CRM_ACME)["entity_id"] == regions.acme
    assert told(europe, CrosswalkKey("billing", "invoice", "INV-NL-1"))["kind"] == "invoice"


def test_reading_a_row_with_confidential_values_is_noted(
    rows: HubRows, erp: TestClient, app: FastAPI, engine: Engine
) -> None:
    acme = sent(rows)

    told(erp, BILLED)
    app.state.access_log.write()

    with engine.connect() as connection:
        noted = connection.execute(text("select entity_id, reads from record_access")).all()
    assert [tuple(each) for each in noted] == [(acme, 1)]


def test_the_history_of_an_ingested_row_is_what_its_events_said(
    world: Callable[[Role], TestClient], ingested: Engine
) -> None:
    with ingested.connect() as connection:
        found = connection.execute(
            text("""select r.system, r.type, r.key, count(*) as versions, r."row", r.topic, r.partition, r."offset"
                    from source_record r join record_history h using (rec_id)
                    where not r.deleted and r.domain = 'customer'
                    group by r.rec_id order by count(*) desc, r.rec_id limit 1""")
        ).one()  # fmt: skip
    name = CrosswalkKey(found.system, found.type, found.key)

    body = told(world(Role.ERP_READER), name, history="true")

    assert (len(body["versions"]), body["complete"]) == (found.versions, True)
    assert found.versions > 2
    assert body["raw"] == found.row
    newest = body["versions"][0]
    assert newest["position"] == body["position"]
    assert {name: body["raw"][name] for name in newest["raw"]} == newest["raw"]
    times = [each["position"]["event_time"] for each in body["versions"]]
    assert times == sorted(times, reverse=True)
    assert all(each["known_at"] for each in body["versions"])
    viewed = told(world(Role.VIEWER), name, history="true")
    assert viewed["raw_masked"]
    assert all(set(each["raw_masked"]) <= set(each["raw"] or {}) for each in viewed["versions"])
    hidden = {name: body["raw"][name] for name in viewed["raw_masked"]}
    assert not [name for name, value in hidden.items() if viewed["raw"][name] == value]


def test_the_client_reads_source_records(rows: HubRows, app: FastAPI, keys: dict[Role, str]) -> None:
    acme = sent(rows)
    hub = Hub("http://testserver", keys[Role.ERP], transport=Through(app))

    row = hub.source_record("billing", "customer", "B1", history=True)

    assert (row.entity_id, row.attributes["country"], row.position["offset"]) == (acme, "NL", 1)
    assert row.row is not None
    assert (row.row["balance"], row.versions) == (1200, [])
    assert hub.source_record("billing", "invoice#number", "INV-1").key == "I/1"
    assert row.raw["member_since"].startswith(f"{NOON:%Y-%m-%d}")
