"""Erasing a person over HTTP: asked by one, held back attribute by attribute, approved by another, proven."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.model.announcements import payload_schema
from mdm.store import api_keys
from mdm.store import tables as t
from mdm.store.invariants import audit_breaks
from mdm.store.reading import snapshot
from tests.api.conftest import Surroundings
from tests.api.rows import NOON, inserted
from tests.api.writing import Writer
from tests.harness.tampering import tamper
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.test_erase import dumped
from tests.letters import refuse

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
        return Writer(app, headers={"X-API-Key": key}, raise_server_exceptions=False)

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
                     and 1 = (select count(*) from source_record o
                              where o.row::text ilike '%' || (r.row->>'website') || '%')
                   order by r.system, r.type, r.key limit 1"""
            )
        ).one()
    return row[0], {"system": row[1], "type": row[2], "key": row[3]}, row[4], row[5]


def test_a_person_is_erased_by_two_people_and_there_is_a_proof(engine: Engine, admin: Admin) -> None:
    ines, otto = admin(), admin()
    entity_id, row, name, website = somebody(engine)
    assert name in dumped(engine)

    misspelt = {"entity_id": entity_id, "reason": "case 4711", "holds": {"crm.account.websit": "tax law, ten years"}}
    refused = ines.post("/v1/erasures", json=misspelt)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-command"), "it would hold nothing"
    assert "crm.account.websit" in refused.json()["detail"]
    asked = ines.post("/v1/erasures", json={"entity_id": entity_id, "reason": "request of the person, case 4711"})
    assert asked.status_code == 201, asked.text
    plan = asked.json()
    assert (plan["status"], plan["proof"], plan["rows"][0]["key"]) == ("open", None, row["key"])
    assert "name" in plan["rows"][0]["erased"]
    address = f"/v1/erasures/{plan['id']}"
    assert otto.get(f"{address}/proof").status_code == 404

    looked_at = asked.headers["ETag"]
    assert otto.post(f"{address}/approve", headers={"If-Match": None}).status_code == 428
    held = ines.put(
        f"{address}/holds",
        json={"holds": {"crm.account.website": "tax law, ten years"}},
        headers={"If-Match": looked_at},
    )
    assert otto.post(f"{address}/approve", headers={"If-Match": looked_at}).status_code == 412, "held meanwhile"
    assert held.json()["rows"][0]["kept"] == {"website": "tax law, ten years"}
    assert "website" not in held.json()["rows"][0]["erased"]
    stranger = ines.put(f"{address}/holds", json={"holds": {"crm.account.shoe_size": "why not"}})
    assert (stranger.status_code, stranger.json()["type"]) == (422, "/problems/invalid-command")

    own = ines.post(f"{address}/approve")
    assert (own.status_code, own.json()["type"]) == (403, "/problems/refused")
    assert name in dumped(engine), "nothing happened yet"
    done = otto.post(f"{address}/approve", headers={"If-Match": otto.get(address).headers["ETag"]})

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


def letter(engine: Engine, key: str, said: str, header: str = "") -> None:
    """A refused message about a row of CRM."""
    with engine.connect() as connection:
        place = {"topic": "crm.public.account", "offset": connection.scalar(text("select count(*) from dead_letter"))}
    headers = [["said", b64encode(header.encode()).decode()]]
    named = {"system": "crm", "type": "account", "row_key": key, "value": said.encode(), "headers": headers}
    refuse(engine, {**place, **named})


def asked_about(engine: Engine) -> int:
    """A question about two rows of others."""
    with engine.begin() as connection:
        a, b = connection.execute(text("select rec_id from source_record order by rec_id desc limit 2")).scalars()
        named = {"question": "customer:x|y", "kind": "possible_match", "domain": "customer", "weight": 1.0}
        connection.execute(inserted(t.steward_task, **named, a=min(a, b), b=max(a, b), batch_id=1, opened_at=NOON))
        return int(connection.scalar(text("select max(task_id) from steward_task")) or 0)


def test_what_people_wrote_about_the_subject_goes_and_what_is_others_stays(engine: Engine, admin: Admin) -> None:
    ines, otto = admin(), admin()
    entity_id, row, name, website = somebody(engine)
    customer, view = f"/v1/customers/{entity_id}", urlencode({"q": name})
    with engine.begin() as connection:
        connection.execute(text("insert into console_view (owner, name, query) values ('ines', 'x', :q)"), {"q": view})
    letter(engine, row["key"], "of the row itself")
    letter(engine, "in a header", "", website)
    letter(engine, "somebody else", "A Customer, Technology")
    letter(engine, "without a row", f"cut off: {name}")
    said = f"{name} said so"
    commands: dict[str, dict[str, object]] = {
        "/v1/decisions": {"command": "pin", "entity_id": entity_id, "attribute": "industry", "value": "Snargleworks"},
        f"{customer}/checkpoints/legal_entity_validated": {},
        f"{customer}/return": {},
        f"{customer}/waivers": {"code": "SUBSIDIARY_MISSING", "path": "", "expires_on": "2099-01-01"},
        "/v1/delegations": {"to": "otto", "until": "2099-01-01T00:00:00Z"},
    }
    for address, body in commands.items():
        method = "PUT" if "checkpoints" in address or address.endswith("/return") else "POST"
        answer = ines.request(method, address, json={**body, "reason": said})
        assert answer.status_code == 200, answer.text
    assert ines.post("/v1/closes/2025-01/prepare", json={"comment": said}).status_code == 200
    task = asked_about(engine)
    for address, body in {
        f"/v1/tasks/{task}/assign": {"assignee": name},
        f"/v1/tasks/{task}/claim": None,  # tells from whom it is taken
        "/v1/delegations": {"to": name, "until": "2099-01-01T00:00:00Z"},
    }.items():
        given = ines.post(address, json=body)
        assert given.status_code in ((409,) if address.endswith("claim") else (200,)), (address, given.text)
    with snapshot(engine) as work:
        assert (name,) in work.query("select left(text, %s) from audit_remark", len(name)), "apart from the chain"
    asked = ines.post("/v1/erasures", json={"entity_id": entity_id, "reason": "case 4711"}).json()

    done = otto.post(f"/v1/erasures/{asked['id']}/approve")

    assert done.status_code == 200, done.text
    left = dumped(engine).casefold()
    assert [each for each in (name, view, website, "Snargleworks") if each.casefold() in left] == []
    with snapshot(engine) as work:
        letters = dict(work.query("select row_key, status from dead_letter"))
        assert list(audit_breaks(work)) == []
    assert [key for key, status in letters.items() if status == "open"] == ["somebody else"]
    assert ines.get(f"/v1/tasks/{task}").json()["assignee"] is None
    question = {"entity_id": entity_id, "target": {"erp": "sap"}}
    for gone in (ines.get(f"{customer}/readiness"), ines.post("/v1/onboarding/validate", json=question)):
        assert (gone.status_code, gone.json()["type"]) == (410, "/problems/entity-erased")
    assert (ines.get(f"/v1/ids/{entity_id}").json()["status"], ines.get(customer).status_code) == ("erased", 410)
    with snapshot(engine) as work:
        told = work.query("select type, payload from outbox where aggregateid = %s order by seq", entity_id)
    assert (told[-1][0], told[-1][1]["erased"]) == ("customer.retired", True)
    assert ("customer.decided", True) in {(type_, payload["erased"]) for type_, payload in told}
    for type_, payload in told:
        Draft202012Validator(payload_schema(type_)).validate(payload)


def test_a_remark_that_was_changed_afterwards_breaks_the_audit(engine: Engine, admin: Admin) -> None:
    ines = admin()
    wish = {"to": "otto", "until": "2099-01-01T00:00:00Z", "reason": "on leave"}
    assert ines.post("/v1/delegations", json=wish).status_code == 200
    with snapshot(engine) as work:
        assert list(audit_breaks(work)) == []
    tamper(engine, "update audit_remark set text = 'ill' where name = 'reason'")

    with snapshot(engine) as work:
        assert [what for _, what in audit_breaks(work)] == ["the reason is not what was written"]


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
