"""Erasing a person over HTTP: asked by one, held back attribute by attribute, approved by another, proven."""

import hashlib
import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.test_erase import dumped

Admin = Callable[..., TestClient]


@pytest.fixture
def admin(engine: Engine) -> Admin:
    """Clients of administrators, each another person, on a hub with the accounts of CRM."""
    catalogue = load_catalogue(None)
    messages = [each for each in world_messages() if each.place.topic == "crm.public.account"][:60]
    process(Pipeline(engine, system_clock, catalogue, load_rules(catalogue)), "test", messages)
    app: FastAPI = create_app(Surroundings(engine), ApiOptions(remember_keys_seconds=0))

    def client(scope: Scope = Scope()) -> TestClient:
        with engine.begin() as connection:
            key = api_keys.issue_key(connection, Role.ADMIN, "privacy", scope)
        return TestClient(app, headers={"X-API-Key": key}, raise_server_exceptions=False)

    return client


def somebody(engine: Engine) -> tuple[str, dict[str, str], str, str]:
    """A golden customer with one row: its id, the row, its name and its web site."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                """select g.entity_id, r.system, r.type, r.key, r.row->>'name', r.row->>'website' from golden g
                   join crosswalk x using (entity_id) join source_record r using (rec_id)
                   where g.members = 1 and length(r.row->>'name') > 16 and length(r.row->>'website') > 10
                     and 1 = (select count(*) from source_record o
                              where o.row::text ilike '%' || (r.row->>'name') || '%')
                   order by 1 limit 1"""
            )
        ).one()
    return row[0], {"system": row[1], "type": row[2], "key": row[3]}, row[4], row[5]


def test_a_person_is_erased_by_two_people_and_there_is_a_proof(engine: Engine, admin: Admin) -> None:
    ines, otto = admin(), admin()
    entity_id, row, name, website = somebody(engine)
    assert name in dumped(engine)

    asked = ines.post("/v1/erasures", json={"entity_id": entity_id, "reason": "request of the person, case 4711"})
    assert asked.status_code == 201, asked.text
    plan = asked.json()
    assert (plan["status"], plan["proof"], plan["rows"][0]["key"]) == ("open", None, row["key"])
    assert "name" in plan["rows"][0]["erased"]
    address = f"/v1/erasures/{plan['id']}"
    assert otto.get(f"{address}/proof").status_code == 404

    held = ines.put(f"{address}/holds", json={"holds": {"crm.account.website": "tax law, ten years"}})
    assert held.json()["rows"][0]["kept"] == {"website": "tax law, ten years"}
    assert "website" not in held.json()["rows"][0]["erased"]
    stranger = ines.put(f"{address}/holds", json={"holds": {"crm.account.shoe_size": "why not"}})
    assert (stranger.status_code, stranger.json()["type"]) == (422, "/problems/invalid-command")

    own = ines.post(f"{address}/approve")
    assert (own.status_code, own.json()["type"]) == (403, "/problems/refused")
    assert name in dumped(engine), "nothing happened yet"
    done = otto.post(f"{address}/approve")

    assert (done.status_code, done.json()["status"]) == (200, "carried_out"), done.text
    left = dumped(engine)
    assert name.casefold() not in left.casefold()
    assert website in left, "the hold kept it"
    proof = otto.get(f"{address}/proof").json()
    seal = proof.pop("sha256")
    canonical = json.dumps(proof, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert seal == hashlib.sha256(canonical).hexdigest()
    assert name not in json.dumps(proof)
    assert proof["requested_by"] != proof["approved_by"]
    assert otto.post(f"{address}/approve").status_code == 409
    assert ines.put(f"{address}/holds", json={"holds": {}}).status_code == 409
    assert [each["status"] for each in ines.get("/v1/erasures").json()["items"]] == ["carried_out"]


def test_a_request_is_refused_by_another_person_and_nothing_goes(engine: Engine, admin: Admin) -> None:
    ines, otto = admin(), admin()
    _, row, name, _ = somebody(engine)
    plan = ines.post("/v1/erasures", json={"rows": [row], "reason": "a mistake"}).json()

    assert ines.post(f"/v1/erasures/{plan['id']}/reject", json={"comment": "no"}).status_code == 403
    refused = otto.post(f"/v1/erasures/{plan['id']}/reject", json={"comment": "not the person"})

    assert (refused.json()["status"], refused.json()["comment"]) == ("rejected", "not the person")
    assert name in dumped(engine)


def test_what_names_nobody_or_is_not_there_is_refused(admin: Admin) -> None:
    ines = admin()

    assert ines.post("/v1/erasures", json={"reason": "x"}).status_code == 422
    assert ines.post("/v1/erasures", json={"entity_id": "cus_1", "reason": " "}).status_code == 422
    assert ines.post("/v1/erasures", json={"entity_id": "cus_1", "reason": "x"}).status_code == 404
    assert ines.get("/v1/erasures/7").status_code == 404
    assert ines.post("/v1/erasures/7/approve").status_code == 404


def test_whoever_reaches_a_part_of_the_hub_erases_nobody(engine: Engine, admin: Admin) -> None:
    limited = admin(Scope(regions=frozenset({"EMEA", "AMER", "APAC", "unassigned"})))
    entity_id, _, _, _ = somebody(engine)

    assert limited.post("/v1/erasures", json={"entity_id": entity_id, "reason": "x"}).status_code == 403
    assert limited.get("/v1/erasures").json()["items"] == []
