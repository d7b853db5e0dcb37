"""The change feed."""

from typing import Any

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, HubRows


def follow(client: TestClient, since: str | None = None, **params: Any) -> tuple[list[dict[str, Any]], str]:
    """Everything that waits, as a consumer reads it, and where the consumer stands then."""
    met: list[dict[str, Any]] = []
    while True:
        body = client.get("/v1/changes", params=params | ({"since": since} if since else {})).json()
        met += body["changes"]
        since = body["next"]
        if not body["more"]:
            return met, since


def test_a_consumer_meets_every_change_once_and_in_order(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    for number in range(4):
        rows.version(acme, Domain.CUSTOMER, ACME | {"segment": f"S{number}"})

    first, position = follow(erp, limit=2)
    rows.version(acme, Domain.CUSTOMER, ACME)
    second, position = follow(erp, position, limit=2)
    third, _ = follow(erp, position, limit=2)

    assert [change["version"] for change in first] == [1, 2, 3, 4, 5]
    assert [change["version"] for change in second] == [6]
    assert third == []
    assert [change["seq"] for change in first] == sorted(change["seq"] for change in first)
    assert (first[0]["type"], first[0]["domain"], first[0]["entity_id"]) == ("customer.created", "customer", acme)
    assert first[0]["payload"]["values"] == ACME


def test_an_empty_feed_has_a_position_too(rows: HubRows, erp: TestClient) -> None:
    nothing, position = follow(erp)
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    assert nothing == []
    assert len(follow(erp, position)[0]) == 1


def test_one_domain_only(rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.golden(Domain.PRODUCT, CrosswalkKey("erp", "item", "K"), {"name": "Kite"})

    changes, _ = follow(erp, domain="product")

    assert [change["type"] for change in changes] == ["product.created"]
    assert erp.get("/v1/changes", params={"domain": "invoice"}).status_code == 422


def test_the_end_of_a_record_is_announced_without_a_version(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    _, position = follow(erp)
    rows.announce(acme, Domain.CUSTOMER, "retired", {"entity_id": acme, "status": "retired"}, seq=5 << 20)

    ((change,), _) = follow(erp, position)

    assert (change["type"], change["version"], change["payload"]["status"]) == ("customer.retired", None, "retired")


def test_announcements_are_masked_like_records(rows: HubRows, reader: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    ((change,), _) = follow(reader)

    assert change["payload"]["values"]["emails"] == [{"value": "***mple", "domain": "***mple", "shared": True}]
    assert change["payload"]["masked"] == ["emails", "identifiers", "phones"]


def test_a_position_of_another_feed_is_refused(rows: HubRows, erp: TestClient) -> None:
    for key in "AB":
        rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", key), ACME)
    cursor = erp.get("/v1/customers", params={"limit": 1}).json()["next"]

    assert erp.get("/v1/changes", params={"since": cursor}).json()["type"] == "/problems/invalid-cursor"
