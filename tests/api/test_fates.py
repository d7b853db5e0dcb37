"""Identity over time: what became of any id ever issued, one by one and ten thousand at once."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.schemas.identity import MOST_IDS, Classification, Fate
from mdm.model.ids import CrosswalkKey, Domain
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

LATER = NOON + timedelta(days=1)
KEYS = [CrosswalkKey("crm", "account", name) for name in "ABC"]


def moved(rows: HubRows, key: CrosswalkKey, origin: str, target: str) -> None:
    """A source row left an id for another one."""
    with rows.engine.begin() as connection:
        found = {
            "system": key.system,
            "type": key.type,
            "key": key.key,
            "target": target,
            "origin": origin,
            "at": LATER,
        }
        connection.execute(
            text(
                """with rec as (
                     select rec_id from source_record where system = :system and type = :type and key = :key),
                   gone as (delete from crosswalk where rec_id in (select rec_id from rec) returning rec_id, since),
                   kept as (insert into crosswalk_history (rec_id, entity_id, since, until, batch_id)
                            select rec_id, :origin, since, :at, 2 from gone)
                   select 1 from gone"""
            ),
            found,
        )
        connection.execute(
            text(
                """insert into crosswalk (rec_id, entity_id, since) select rec_id, :target, :at from source_record
                   where system = :system and type = :type and key = :key"""
            ),
            found,
        )


def fate(client: TestClient, entity_id: str) -> dict[str, object]:
    answer = client.get(f"/v1/ids/{entity_id}")
    Fate.model_validate(answer.json())
    body: dict[str, object] = answer.json()
    return body


@pytest.fixture
def parted(rows: HubRows) -> tuple[str, str]:
    """An id that lost one of its rows to another one."""
    whole = rows.golden(Domain.CUSTOMER, KEYS[0], ACME)
    other = rows.golden(Domain.CUSTOMER, KEYS[2], ACME)
    rows.source(KEYS[1], entity_id=whole)
    moved(rows, KEYS[1], whole, other)
    return whole, other


def test_a_split_id_says_where_each_of_its_records_went(parted: tuple[str, str], erp: TestClient) -> None:
    whole, other = parted

    body = fate(erp, whole)

    assert (body["status"], body["current_id"]) == ("active", whole)
    assert body["split_into"] == [
        {"id": other, "count": 1, "records": [KEYS[1]._asdict()], "at": LATER.strftime("%Y-%m-%dT%H:%M:%SZ")}
    ]
    assert fate(erp, other)["split_into"] == []


def test_a_merger_is_no_split(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    moved(rows, CRM_ACME, loser, survivor)
    rows.merge(loser, survivor, at=LATER)

    body = fate(erp, loser)

    assert (body["status"], body["current_id"], body["split_into"]) == ("merged", survivor, [])
    assert (body["valid_from"], body["valid_to"]) == ("2025-06-01T12:00:00Z", "2025-06-02T12:00:00Z")


def test_an_id_that_ended_and_came_back_was_valid_in_two_intervals(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.version(acme, Domain.CUSTOMER, {"name": "Acme"}, at=NOON + timedelta(hours=1))
    rows.retire(acme, at=NOON + timedelta(hours=2))
    rows.version(acme, Domain.CUSTOMER, {"name": "Acme"}, at=NOON + timedelta(hours=5))

    body = fate(erp, acme)

    assert body["intervals"] == [
        {"valid_from": "2025-06-01T12:00:00Z", "valid_to": "2025-06-01T14:00:00Z"},
        {"valid_from": "2025-06-01T17:00:00Z", "valid_to": None},
    ]


def test_an_erased_record_says_so(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.retire(acme, at=LATER)
    with rows.engine.begin() as connection:
        connection.execute(text("update entity set status = 'erased' where entity_id = :id"), {"id": acme})

    answer = erp.get(f"/v1/customers/{acme}")

    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/entity-erased")
    assert (fate(erp, acme)["status"], fate(erp, acme)["current_id"]) == ("erased", None)


def test_a_consumer_asks_about_its_whole_cache_at_once(rows: HubRows, parted: tuple[str, str], erp: TestClient) -> None:
    whole, other = parted
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    retired = rows.golden(Domain.PRODUCT, CrosswalkKey("erp", "item", "K"), {"name": "Kite"})
    rows.merge(loser, survivor, at=LATER)
    rows.retire(retired, at=LATER)
    asked = [loser, "cus_never", survivor, retired, whole, other, loser]

    body = erp.post("/v1/ids:classify", json={"ids": asked}).json()

    Classification.model_validate(body)
    assert [(each["id"], each["status"], each["current_id"], each["parted"]) for each in body["ids"]] == [
        (loser, "merged", survivor, False),
        ("cus_never", "unknown", None, False),
        (survivor, "active", survivor, False),
        (retired, "retired", None, False),
        (whole, "active", whole, True),
        (other, "active", other, False),
        (loser, "merged", survivor, False),
    ]
    assert body["counts"] == {"merged": 2, "unknown": 1, "active": 3, "retired": 1}
    assert body["ids"][0]["version"] == 1


def test_ten_thousand_ids_are_asked_in_one_call_and_not_one_more(erp: TestClient) -> None:
    ids = [f"cus_{number:026d}" for number in range(MOST_IDS)]

    assert erp.post("/v1/ids:classify", json={"ids": ids}).json()["counts"] == {"unknown": MOST_IDS}
    assert erp.post("/v1/ids:classify", json={"ids": [*ids, "cus_1"]}).status_code == 422
    assert erp.post("/v1/ids:classify", json={"ids": []}).status_code == 422
