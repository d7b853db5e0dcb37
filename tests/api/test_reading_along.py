"""Consumers that read along: long poll, places that the hub keeps, reading one's own change, freshness."""

import threading
import time
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.schemas.feed import ConsumerForm, Pending
from mdm.access import Role
from mdm.clock import system_clock
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.progress import write_progress
from mdm.store.unit_of_work import unit_of_work
from tests.api.conftest import As
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

_TOPIC = "crm.public.account"


def read_until(engine: Engine, offset: int, lsn: int | None = None, topic: str = _TOPIC) -> None:
    """The hub has read this far."""
    with unit_of_work(engine, system_clock, "ingest", "test") as work:
        write_progress(work, {(topic, 0): offset + 1}, ())
        work.execute("update source_progress set lsn = %s, event_time = %s", lsn, NOON)


def test_a_long_poll_is_answered_at_once_when_there_is_something(rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    begun = time.monotonic()

    body = erp.get("/v1/changes", params={"wait": 20}).json()

    assert len(body["changes"]) == 1
    assert time.monotonic() - begun < 10


def test_a_long_poll_is_answered_when_something_comes(rows: HubRows, erp: TestClient) -> None:
    since = erp.get("/v1/changes").json()["next"]
    later = threading.Timer(0.5, lambda: rows.golden(Domain.CUSTOMER, CRM_ACME, ACME))
    later.start()

    body = erp.get("/v1/changes", params={"wait": 20, "since": since}).json()

    later.join()
    assert [each["type"] for each in body["changes"]] == ["customer.created"]


def test_a_long_poll_ends_empty_when_nothing_comes(rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    body = erp.get("/v1/changes", params={"wait": 0.5, "domain": "product"}).json()

    assert (body["changes"], body["more"]) == ([], False)


def test_the_hub_keeps_a_consumers_place(rows: HubRows, erp: TestClient) -> None:
    for key in (CRM_ACME, ERP_ACME):
        rows.golden(Domain.CUSTOMER, key, ACME)

    registered = erp.put("/v1/consumers/warehouse", json={"domain": "customer"}).json()
    first = erp.get("/v1/consumers/warehouse/changes", params={"limit": 1}).json()
    again = erp.get("/v1/consumers/warehouse/changes", params={"limit": 1}).json()
    acknowledged = erp.post("/v1/consumers/warehouse/acknowledge", json={"next": first["next"]}).json()
    second = erp.get("/v1/consumers/warehouse/changes").json()

    ConsumerForm.model_validate(registered)
    assert registered["behind"] == 2
    assert first == again, "what was not acknowledged comes again"
    assert acknowledged["behind"] == 1
    assert len(second["changes"]) == 1
    assert second["changes"] != first["changes"]
    assert [each["name"] for each in erp.get("/v1/consumers").json()["items"]] == ["warehouse"]


def test_going_back_must_be_said_and_going_beyond_is_refused(rows: HubRows, erp: TestClient) -> None:
    begin = erp.get("/v1/changes").json()["next"]
    for key in (CRM_ACME, ERP_ACME):
        rows.golden(Domain.CUSTOMER, key, ACME)
    last = erp.get("/v1/changes").json()["next"]
    erp.put("/v1/consumers/warehouse", json={"start": "now"})

    address = "/v1/consumers/warehouse/acknowledge"
    assert erp.post(address, json={"next": last}).status_code == 200, "repeating is harmless"
    assert erp.post(address, json={"next": begin}).status_code == 409
    assert erp.post(address, json={"next": begin, "rewind": True}).json()["behind"] == 2
    with rows.engine.begin() as connection:
        connection.execute(text("delete from outbox"))
    assert erp.post(address, json={"next": last}).status_code == 409


def test_a_consumer_belongs_to_its_key(client_of: As, erp: TestClient) -> None:
    erp.put("/v1/consumers/warehouse", json={})
    stranger, admin = client_of(Role.READER), client_of(Role.ADMIN)

    assert stranger.get("/v1/consumers/warehouse/changes").status_code == 403
    assert stranger.put("/v1/consumers/warehouse", json={}).status_code == 409
    assert stranger.delete("/v1/consumers/warehouse").status_code == 403
    assert admin.delete("/v1/consumers/warehouse").status_code == 204
    assert erp.get("/v1/consumers/warehouse/changes").status_code == 404


def test_an_id_that_ended_says_who_has_not_heard_of_it(rows: HubRows, erp: TestClient) -> None:
    erp.put("/v1/consumers/warehouse", json={})
    erp.put("/v1/consumers/products-only", json={"domain": "product"})
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=NOON + timedelta(days=1))
    rows.announce(loser, Domain.CUSTOMER, "merged", {"merged_into": survivor}, seq=99 << 20)

    before = erp.get(f"/v1/ids/{loser}").json()["deprecation"]
    latest = erp.get("/v1/changes", params={"limit": 200}).json()["next"]
    erp.post("/v1/consumers/warehouse/acknowledge", json={"next": latest})
    after = erp.get(f"/v1/ids/{loser}").json()["deprecation"]

    assert (before["unacknowledged_by"], after["unacknowledged_by"]) == (["warehouse"], [])
    assert (before["since"], before["until"]) == ("2025-06-02T12:00:00Z", "2025-08-31T12:00:00Z")
    assert erp.get(f"/v1/ids/{survivor}").json()["deprecation"] is None


@pytest.mark.parametrize("after", [f"crm:{_TOPIC}/0/17", "crm:5000", "crm:0/1388"])
def test_a_change_that_the_hub_has_read_is_answered(rows: HubRows, erp: TestClient, after: str) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    read_until(rows.engine, 17, lsn=5000)

    for address in (f"/v1/customers/{acme}", "/v1/customers", "/v1/crosswalk/crm/account/A1"):
        assert erp.get(address, params={"after": after, "wait": 0}).status_code == 200, address


def test_a_change_that_comes_while_the_caller_waits_is_answered(rows: HubRows, erp: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    read_until(rows.engine, 16)
    later = threading.Timer(0.4, lambda: read_until(rows.engine, 17))
    later.start()

    answer = erp.get("/v1/crosswalk/crm/account/A1", params={"after": f"crm:{_TOPIC}/0/17", "wait": 20})

    later.join()
    assert answer.status_code == 200


@pytest.mark.parametrize("after", [f"crm:{_TOPIC}/0/18", f"crm:{_TOPIC}/1/0", "crm:5001", f"crm:{2**63}", "erp:1"])
def test_a_change_that_does_not_come_in_time_is_told_with_an_estimate(
    rows: HubRows, erp: TestClient, after: str
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    read_until(rows.engine, 17, lsn=5000)

    answer = erp.get(f"/v1/customers/{acme}", params={"after": after, "wait": 0})

    Pending.model_validate(answer.json())
    assert (answer.status_code, answer.json()["after"]) == (202, after)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("after", ["crm", "crm:", "crm:x", "crm:a/b/c", ":1"])
def test_a_place_that_is_none_is_refused(erp: TestClient, after: str) -> None:
    assert erp.get("/v1/customers", params={"after": after}).status_code == 422


def test_every_answer_says_how_fresh_each_source_is(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    read_until(rows.engine, 17, lsn=5000)

    for address in (f"/v1/customers/{acme}", "/v1/changes", f"/v1/ids/{CrosswalkKey('a', 'b', 'c')}"):
        assert erp.get(address).headers["x-source-freshness"] == "crm=2025-06-01T12:00:00Z", address


@pytest.mark.parametrize("after", ["crn:5000", "crn:crn.public.account/0/17"])
def test_a_platform_that_nobody_knows_is_told_instead_of_waited_for(rows: HubRows, erp: TestClient, after: str) -> None:
    read_until(rows.engine, 17, lsn=5000)

    answer = erp.get("/v1/customers", params={"after": after, "wait": 20})

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/does-not-fit")
    assert "crm, erp" in answer.json()["detail"]


@pytest.mark.parametrize("topic", ["crm.public.acount", "erp.public.business_partner"])
def test_a_topic_that_is_none_of_the_platform_is_told_instead_of_waited_for(
    rows: HubRows, erp: TestClient, topic: str
) -> None:
    read_until(rows.engine, 17, lsn=5000)

    answer = erp.get("/v1/customers", params={"after": f"crm:{topic}/0/17", "wait": 20})

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/does-not-fit")
    assert "the hub reads crm.public.account, crm.public.contact," in answer.json()["detail"]
    unread = erp.get("/v1/customers", params={"after": "crm:crm.public.opportunity/0/17", "wait": 0})
    assert unread.status_code == 202, "a topic of the platform that was not read yet is waited for"
