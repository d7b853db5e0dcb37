"""Nothing reaches an ERP unless the gates let it pass: otherwise the last good version stays, and it is said why."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.erp_gates import pass_gates, tell_gated
from mdm.hub.recheck import recheck
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from tests.api.conftest import As
from tests.api.rows import CRM_ACME, ERP_ACME, HubRows
from tests.api.test_console_pages import entered
from tests.api.test_erp import FULL
from tests.harness.shipped import SHIPPED

ITEM = CrosswalkKey("erp", "item", "M1")
GOOD: dict[str, Any] = {"name": "Anvil", "code": "AN-1", "unit": "unit", "status": "active"}
#: SAP holds 40 characters of a product's name.
TOO_LONG = GOOD | {"name": "Anvil " * 10}
CUSTOMERS, PRODUCTS, ITEMS = "/v1/erp/sap/customers", "/v1/erp/sap/products", "/v1/erp/sap/odata/A_Product"


@pytest.fixture
def rows(engine: Engine) -> HubRows:
    """Numbered behind what units of work announce here."""
    found = HubRows(engine)
    found._batches = 1000
    return found


@pytest.fixture
def anvil(rows: HubRows, erp: TestClient) -> EntityId:
    """A product of which SAP was served the first version, and that has a second one that does not fit."""
    made = rows.golden(Domain.PRODUCT, ITEM, GOOD)
    assert erp.get(f"{PRODUCTS}/{made}").json()["version"] == 1
    rows.version(made, Domain.PRODUCT, TOO_LONG)
    return made


def views(erp: TestClient, id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The record as every view of SAP shows it."""
    yield "one", erp.get(f"{PRODUCTS}/{id}").json()
    (listed,) = erp.get(PRODUCTS).json()["items"]
    yield "list", listed


def test_a_change_that_does_not_fit_keeps_the_last_good_version_and_says_why(anvil: EntityId, erp: TestClient) -> None:
    for name, record in views(erp, anvil):
        assert (record["version"], record["values"]["ProductDescription"], record["fits"]) == (1, "Anvil", True), name
        assert record["held"]["version"] == 2, name
        assert record["held"]["reasons"] == [
            {"gate": "projection", "code": "ERP_FIELD_TOO_LONG", "field": "ProductDescription", "attribute": "name"}
        ], name
    lineage = erp.get(f"{PRODUCTS}/{anvil}/lineage").json()
    assert lineage["version"] == 1
    newest = erp.get(f"{PRODUCTS}/{anvil}?view=newest").json()
    assert (newest["version"], newest["fits"], newest["held"]["version"]) == (2, False, 2)


def test_odata_filters_counts_and_shows_what_is_served(anvil: EntityId, erp: TestClient) -> None:
    good, new = ({"$filter": f"ProductDescription eq '{name}'"} for name in ("Anvil", TOO_LONG["name"]))

    (found,) = erp.get(ITEMS, params=good).json()["value"]

    assert found["mdm_id"] == anvil
    assert found["@mdm.held"]["version"] == 2
    assert erp.get(ITEMS, params=new).json()["value"] == []
    assert [erp.get(f"{ITEMS}/$count", params=each).text for each in (good, new)] == ["1", "0"]
    assert erp.get(f"{ITEMS}('{anvil}')").json()["ProductDescription"] == "Anvil"
    (newest,) = erp.get(ITEMS, params=new | {"view": "newest"}).json()["value"]
    assert newest["mdm_id"] == anvil


def test_what_never_passed_is_in_no_list_and_by_id_is_told_why(rows: HubRows, erp: TestClient) -> None:
    made = rows.golden(Domain.PRODUCT, ITEM, TOO_LONG)

    assert erp.get(PRODUCTS).json()["items"] == []
    answer = erp.get(f"{PRODUCTS}/{made}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/held-back")
    assert [each["code"] for each in answer.json()["reasons"]] == ["ERP_FIELD_TOO_LONG"]
    assert erp.get(f"{ITEMS}('{made}')").status_code == 409
    held = erp.get("/v1/erp/sap/held").json()
    assert [(each["id"], each["served"], each["version"]) for each in held["items"]] == [(made, None, 1)]
    assert (held["served"], held["held"]) == ({"product": 0}, {"product": 1})
    assert erp.get("/v1/erp/odoo/held").json()["items"] == [], "Odoo holds longer names"


def test_a_version_that_passes_is_served_at_once_and_met_by_whoever_follows(
    rows: HubRows, anvil: EntityId, erp: TestClient
) -> None:
    before = erp.get(PRODUCTS).json()["items"][0]["held"]["judged_at"]
    assert erp.get(PRODUCTS, params={"updated_since": before}).json()["items"] == [], "nothing has passed since"

    rows.version(anvil, Domain.PRODUCT, GOOD | {"name": "Large anvil"})

    for name, record in views(erp, anvil):
        assert (record["version"], record["values"]["ProductDescription"]) == (3, "Large anvil"), name
        assert record["held"] is None, name
    (followed,) = erp.get(PRODUCTS, params={"updated_since": before}).json()["items"]
    assert followed["id"] == anvil


def test_a_customer_that_onboarding_blocks_keeps_the_version_from_before(
    rows: HubRows, erp: TestClient, engine: Engine
) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, FULL)
    assert erp.get(f"{CUSTOMERS}/{acme}").json()["version"] == 1
    wrong = FULL["identifiers"][0] | {"value": "NL169963937B06", "normal": "NL169963937B06", "state": "invalid"}

    rows.version(acme, Domain.CUSTOMER, FULL | {"identifiers": [wrong], "language": "de"})

    record = erp.get(f"{CUSTOMERS}/{acme}").json()
    assert record["version"] == 1
    assert record["values"]["to_BusinessPartnerTax"][0]["BPTaxLongNumber"] == "NL169963937B05"
    reasons = {(each["gate"], each["code"], each["attribute"]) for each in record["held"]["reasons"]}
    assert ("verdict", "TAX_ID_CHECKSUM", "identifiers") in reasons
    assert "NL169963937B06" not in erp.get(CUSTOMERS).text

    with engine.begin() as connection:  # as a waiver excuses it for a while
        connection.execute(
            text(
                """insert into waiver (entity_id, code, path, actor, reason, at, expires_at, approved_by, approved_at)
                   select :id, 'TAX_ID_CHECKSUM', '/identifiers/0', 'ada', 'the office is slow', now(),
                     now() + interval '9 days', 'ben', now()"""
            ),
            {"id": acme},
        )
    again = erp.get(f"{CUSTOMERS}/{acme}").json()["held"]["reasons"]
    assert [each["gate"] for each in again] == ["sensitive"], "asked for by id it is judged again"


def test_the_calendar_judges_what_is_held_when_its_verdict_is_another(rows: HubRows, engine: Engine) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, {**FULL, "blocked": True})
    now = system_clock()
    assert pass_gates(engine, SHIPPED, now, "sap").held == 1
    assert pass_gates(engine, SHIPPED, now, "sap").judged == 0, "each version is judged once"

    recheck(engine, system_clock, SHIPPED)
    assert pass_gates(engine, SHIPPED, system_clock(), "sap").judged == 1, "its verdict is newer than the judgement"
    assert pass_gates(engine, SHIPPED, system_clock(), "sap").judged == 0
    assert pass_gates(engine, SHIPPED, now + timedelta(hours=2), "sap").judged == 1, "and once in a while without"
    with engine.connect() as connection:
        served = connection.scalar(text("select version from erp_version where entity_id = :id"), {"id": acme})
    assert served is None


def announced(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select payload from outbox where type like '%.erp_changed' order by seq")))


def test_the_change_feed_says_what_is_held_back_and_what_no_longer(
    rows: HubRows, anvil: EntityId, erp: TestClient, engine: Engine
) -> None:
    erp.get(PRODUCTS)
    assert tell_gated(engine, system_clock) == 1
    assert tell_gated(engine, system_clock) == 0, "once"
    rows.version(anvil, Domain.PRODUCT, GOOD)
    erp.get(PRODUCTS)
    assert tell_gated(engine, system_clock) == 1

    held, released = announced(engine)

    assert (held["erp"], held["served"], held["version"], held["held"]) == ("sap", 1, 2, True)
    assert held["reasons"][0]["code"] == "ERP_FIELD_TOO_LONG"
    assert (released["served"], released["version"], released["held"], released["reasons"]) == (3, 3, False, [])
    rows.version(anvil, Domain.PRODUCT, GOOD | {"name": "Small anvil"})
    erp.get(PRODUCTS)
    assert tell_gated(engine, system_clock) == 0, "product.changed tells of what passes"


def test_an_id_that_has_ended_is_in_the_view_no_more(rows: HubRows, erp: TestClient) -> None:
    acme, other = (rows.golden(Domain.CUSTOMER, key, FULL) for key in (ERP_ACME, CRM_ACME))
    assert len(erp.get("/v1/erp/odoo/customers").json()["items"]) == 2
    rows.merge(other, acme, at=system_clock())
    assert [each["id"] for each in erp.get("/v1/erp/odoo/customers").json()["items"]] == [acme]
    assert erp.get(f"/v1/erp/odoo/customers/{other}").status_code == 308


def test_the_console_shows_what_an_erp_is_served(
    rows: HubRows, erp: TestClient, app: FastAPI, keys: dict[Role, str]
) -> None:
    acme = rows.golden(Domain.CUSTOMER, ERP_ACME, FULL)
    erp.get(f"{CUSTOMERS}/{acme}")
    browser = entered(app, keys[Role.STEWARD])
    assert "version 1, " in browser.get(f"/console/customers/{acme}/readiness").text
    rows.version(acme, Domain.CUSTOMER, {**FULL, "blocked": True})
    erp.get(f"{CUSTOMERS}/{acme}")
    page = browser.get(f"/console/customers/{acme}/readiness").text
    assert "version 2 is held back; version 1 is served" in page


def test_reasons_hold_no_values(anvil: EntityId, client_of: As, engine: Engine) -> None:
    client_of(Role.VIEWER).get(PRODUCTS)
    with engine.connect() as connection:
        reasons = connection.scalars(text("select reasons::text from erp_version")).all()
    assert any("ERP_FIELD_TOO_LONG" in each for each in reasons)
    assert all("Anvil" not in each for each in reasons)
