"""One golden record: the record itself, versions known earlier, ids that ended, lineage, sources, history."""

from datetime import timedelta

from fastapi.testclient import TestClient

from mdm.model.ids import CrosswalkKey, Domain
from tests.api.paging import pages
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows

BEFORE, LATER = NOON - timedelta(days=1), NOON + timedelta(days=1)


def at(moment: object) -> dict[str, str]:
    return {"known_at": str(moment).replace(" ", "T")}


def test_a_golden_record_is_served_with_its_values_and_version(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    answer = erp.get(f"/v1/customers/{acme}")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["version"], body["domain"], body["sources"]) == (acme, 1, "customer", 1)
    assert body["values"] == ACME
    assert body["masked"] == []
    assert body["known_from"] == "2025-06-01T12:00:00Z"


def test_a_caller_that_holds_the_record_already_is_told_so(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    etag = erp.get(f"/v1/customers/{acme}").headers["etag"]

    same = erp.get(f"/v1/customers/{acme}", headers={"If-None-Match": f'"other", {etag}'})
    rows.version(acme, Domain.CUSTOMER, ACME | {"status": "inactive"}, at=LATER)
    changed = erp.get(f"/v1/customers/{acme}", headers={"If-None-Match": etag})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert etag.startswith('"1-')
    assert changed.status_code == 200
    assert changed.headers["etag"].startswith('"2-')


def test_the_tag_depends_on_what_the_role_may_see(rows: HubRows, erp: TestClient, reader: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    seen_by_erp = erp.get(f"/v1/customers/{acme}")
    seen_by_reader = reader.get(f"/v1/customers/{acme}", headers={"If-None-Match": seen_by_erp.headers["etag"]})

    assert seen_by_reader.status_code == 200
    assert "Authorization" in seen_by_reader.headers["vary"]


def test_the_tag_changes_when_a_reference_comes_to_mean_another_entity(rows: HubRows, erp: TestClient) -> None:
    parent = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    other = rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    reference = {"parent": {"system": "crm", "type": "account", "key": "A1"}}
    child = rows.golden(Domain.CUSTOMER, CrosswalkKey("crm", "account", "A2"), ACME | reference)
    before = erp.get(f"/v1/customers/{child}")

    rows.merge(parent, other, at=LATER)
    after = erp.get(f"/v1/customers/{child}", headers={"If-None-Match": before.headers["etag"]})

    assert before.json()["values"]["parent"]["entity_id"] == parent
    assert after.json()["values"]["parent"]["entity_id"] == other


def test_known_at_serves_the_version_of_that_time(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.version(acme, Domain.CUSTOMER, ACME | {"name": "Acme N.V."}, at=LATER)

    then = erp.get(f"/v1/customers/{acme}", params=at(NOON + timedelta(hours=1)))
    now = erp.get(f"/v1/customers/{acme}", params=at(LATER))
    too_early = erp.get(f"/v1/customers/{acme}", params=at(BEFORE))

    assert (then.json()["name"], then.json()["known_to"]) == ("Acme Anvils B.V.", "2025-06-02T12:00:00Z")
    assert now.json()["name"] == "Acme N.V."
    assert (too_early.status_code, too_early.json()["type"]) == (404, "/problems/not-known-then")


def test_known_at_needs_an_offset(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    answer = erp.get(f"/v1/customers/{acme}", params={"known_at": "2025-06-01T12:00:00"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "query.known_at"


def test_an_absorbed_id_redirects_to_its_survivor(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=LATER)

    record = erp.get(f"/v1/customers/{loser}")
    lineage = erp.get(f"/v1/customers/{loser}/lineage")
    sources = erp.get(f"/v1/customers/{loser}/sources", params={"limit": 7})

    assert record.status_code == 308
    assert record.headers["location"] == f"/v1/customers/{survivor}"
    assert record.headers["content-type"] == "application/problem+json"
    assert (record.json()["type"], record.json()["merged_into"]) == ("/problems/entity-merged", survivor)
    assert lineage.headers["location"] == f"/v1/customers/{survivor}/lineage"
    assert sources.headers["location"] == f"/v1/customers/{survivor}/sources?limit=7"
    assert erp.get(record.headers["location"]).json()["id"] == survivor


def test_an_absorbed_id_still_answers_for_the_time_before(rows: HubRows, erp: TestClient) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=LATER)

    assert erp.get(f"/v1/customers/{loser}", params=at(NOON)).json()["id"] == loser
    assert erp.get(f"/v1/customers/{loser}", params=at(LATER)).status_code == 308
    assert erp.get(f"/v1/customers/{loser}/history").json()["items"][0]["known_to"] == "2025-06-02T12:00:00Z"


def test_a_retired_id_says_so(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.retire(acme, at=LATER)

    answer = erp.get(f"/v1/customers/{acme}")

    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/entity-retired")
    assert answer.json()["retired_at"] == "2025-06-02T12:00:00Z"


def test_an_unknown_id_and_an_id_of_another_domain_are_not_found(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    for address in ("/v1/customers/cus_nobody", f"/v1/contracts/{acme}", f"/v1/products/{acme}/history"):
        answer = erp.get(address)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), address


def test_lineage_names_the_winning_row_its_position_and_the_rule(rows: HubRows, erp: TestClient) -> None:
    lineage = {
        "name": {
            "record": {"system": "crm", "type": "account", "key": "A1"},
            "topic": "crm.public.account", "partition": 0, "offset": 41, "lsn": 1041,
            "rule": "source_trust", "ruleset": "rules-1",
            "runners_up": [
                {"record": {"system": "erp", "type": "item", "key": "7"}, "value": "ACME", "reason": "less trusted"}
            ],
        }
    }  # fmt: skip
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, lineage=lineage)

    body = erp.get(f"/v1/customers/{acme}/lineage").json()

    assert (body["id"], body["version"]) == (acme, 1)
    assert body["attributes"] == lineage


def test_sources_come_page_by_page_with_their_position(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    for number in range(4):
        rows.source(CrosswalkKey("erp", "business_partner", f"{number}"), attributes=ACME, entity_id=acme)

    found = pages(erp, f"/v1/customers/{acme}/sources", limit=2)

    keys = [(item["system"], item["key"]) for item in found]
    assert keys == [("crm", "A1"), ("erp", "0"), ("erp", "1"), ("erp", "2"), ("erp", "3")]
    assert found[-1]["position"]["topic"] == "erp.public.business_partner"
    assert found[-1]["attributes"]["name"] == "Acme Anvils B.V."


def test_history_tells_what_changed_newest_first(rows: HubRows, erp: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.version(acme, Domain.CUSTOMER, ACME | {"status": "blocked"}, at=LATER, cause="merge")

    first = erp.get(f"/v1/customers/{acme}/history", params={"limit": 1}).json()
    second = erp.get(f"/v1/customers/{acme}/history", params={"limit": 1, "cursor": first["next"]}).json()

    assert [entry["version"] for entry in first["items"]] == [2]
    assert first["items"][0]["changed"] == [{"attribute": "status", "before": "active", "after": "blocked"}]
    assert first["items"][0]["cause"] == "merge"
    assert [entry["version"] for entry in second["items"]] == [1]
    assert {change["attribute"] for change in second["items"][0]["changed"]} == set(ACME)
    assert second["next"] is None
