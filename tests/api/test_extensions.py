"""Extension attributes from a mapping to the API: values, lineage, history, schemas, masks, exports."""

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.verify import verify
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.model.announcements import payload_schema
from mdm.model.events import Message, Place
from tests.api.conftest import As
from tests.api.test_console_pages import entered
from tests.integration.hub.test_exceptions import accounts

DECLARED = "\nextensions:\n  lead_source: account_source\n  topics: {as: texts, from: tags}\n"


@pytest.fixture
def pipeline(engine: Engine, tmp_path: Path) -> Pipeline:
    """A hub whose mapping of CRM accounts declares two extension attributes."""
    shutil.copytree(SHIPPED_SOURCES, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "crm" / "account.yaml"
    file.write_text(file.read_text("utf-8") + DECLARED, "utf-8")
    catalogue = load_catalogue(tmp_path)
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


def account(step: int, **row: Any) -> Message:
    """One CRM account as it was at a step of its life."""
    first = accounts(1)[0]
    value = orjson.loads(first.value or b"{}")
    value["op"] = "u" if step else "r"
    value["after"] |= row
    lsn = int(value["source"]["lsn"]) + step
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn - 1}","{lsn}"]', "ts_ms": value["source"]["ts_ms"] + step}
    value["source"] |= {"ts_us": value["source"]["ts_ms"] * 1000, "ts_ns": value["source"]["ts_ms"] * 1_000_000}
    return replace(first, place=Place(first.place.topic, 9, step), value=orjson.dumps(value))


@pytest.fixture
def golden(engine: Engine, pipeline: Pipeline) -> str:
    """A golden record of one account, which has said where it came from twice."""
    process(pipeline, "crm", [account(1, account_source="Web", tags=["fair", "north"])])
    process(pipeline, "crm", [account(2, account_source="Referral", tags=["fair", "north"])])
    with engine.connect() as connection:
        return str(connection.scalar(text("select entity_id from entity where domain = 'customer'")))


def test_values_lineage_and_history_hold_them(golden: str, client_of: As) -> None:
    client: TestClient = client_of(Role.STEWARD)
    said = {"crm": {"lead_source": "Referral", "topics": ["fair", "north"]}}

    assert client.get(f"/v1/customers/{golden}").json()["values"]["ext"] == said
    assert client.get(f"/v1/customers/{golden}?fields=ext").json()["values"] == {"ext": said}
    lineage = client.get(f"/v1/customers/{golden}/lineage").json()["attributes"]["ext"]
    assert [(each["name"], each["record"]["system"], each["offset"]) for each in lineage["elements"]] == [
        ("crm.lead_source", "crm", 2), ("crm.topics", "crm", 2)
    ]  # fmt: skip
    before = client.get(f"/v1/customers/{golden}/_history/1").json()["values"]["ext"]
    assert before["crm"]["lead_source"] == "Web"
    changed = client.get(f"/v1/customers/{golden}/_diff?from=1&to=2").text
    assert "Referral" in changed
    assert client.get("/v1/customers/export?format=ndjson").json()["values"]["ext"] == said
    (row,) = csv.DictReader(io.StringIO(client.get("/v1/customers/export?format=csv").text))
    assert orjson.loads(row["ext"]) == said


def test_who_sees_no_confidential_value_sees_none_of_them(golden: str, client_of: As) -> None:
    viewer: TestClient = client_of(Role.VIEWER)

    record = viewer.get(f"/v1/customers/{golden}").json()

    assert record["values"]["ext"] is None
    assert "ext" in record["masked"]
    for address in ("", "/lineage", "/sources", "/_history/1", "/_diff?from=1&to=2"):
        answer = viewer.get(f"/v1/customers/{golden}{address}")
        assert answer.status_code == 200, address
        assert not [each for each in ("Referral", 'Web"', "north") if each in answer.text], address
    assert "Referral" not in viewer.get("/v1/changes").text


def test_events_keep_their_schema_and_an_older_reader_is_not_broken(golden: str, engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select type, payload from outbox where aggregateid = :id"), {"id": golden}
        ).all()
    assert len(rows) == 2
    for type_, payload in rows:
        jsonschema.validate(payload, payload_schema(type_))
    assert rows[1].payload["changed"] == ["ext"], "nothing of the model has changed"
    schema = payload_schema("customer.changed")["properties"]["values"]["properties"]
    assert (schema["ext"]["x-data-class"], schema["ext"]["type"]) == ("confidential", "object")


def test_recomputing_gives_the_same(golden: str, engine: Engine, pipeline: Pipeline) -> None:
    assert golden
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_the_console_names_platform_and_attribute(golden: str, app: FastAPI, keys: dict[Role, str]) -> None:
    page = entered(app, keys[Role.STEWARD]).get(f"/console/customers/{golden}").text
    assert "Referral" in page
    assert "crm lead_source" in page


def test_a_projection_and_a_pin_reach_none_of_them(golden: str, client_of: As) -> None:
    steward: TestClient = client_of(Role.STEWARD)
    pin = {"command": "pin", "entity_id": golden, "attribute": "ext", "value": {"crm": {}}, "reason": "mine"}
    assert steward.post("/v1/decisions", json=pin).status_code == 422
    assert "Referral" not in steward.get(f"/v1/erp/sap/customers/{golden}?view=newest").text
