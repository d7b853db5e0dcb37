"""How critical workflows are, over HTTP and in the console."""

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.store import api_keys
from tests.api.test_stewardship import Client, client, hub
from tests.letters import refuse

__all__ = ["client", "hub"]


def refused_payment(engine: Engine) -> int:
    payment = {"topic": "billing.public.payment", "system": "billing", "type": "payment", "row_key": "p", "tier": 1}
    first, second = refuse(engine, payment | {"offset": 1}, payment | {"offset": 2, "code": "ORDER_HELD"})
    with engine.begin() as connection:
        connection.execute(
            text("update dead_letter set behind = :first where dead_letter_id = :second"),
            {"first": first, "second": second},
        )
    return first


def test_workflows_say_what_is_asked_and_how_they_stand(client: Client, hub: Engine) -> None:
    refused_payment(hub)

    answer = client(Role.STEWARD).get("/v1/tiers")

    assert answer.status_code == 200, answer.text
    found = {each["workflow"]: each for each in answer.json()["workflows"]}
    assert (found["payment"]["tier"], found["payment"]["refused"], found["payment"]["held"]) == (1, 1, 1)
    assert found["payment"]["order"] == "held"
    assert found["reference"]["skipped_after_days"] == 14


def test_they_are_for_those_who_see_the_whole_hub(client: Client, hub: Engine) -> None:
    assert client(Role.ERP_READER).get("/v1/tiers").status_code == 403
    with hub.begin() as connection:
        limited = api_keys.issue_key(connection, Role.STEWARD, "limited", Scope(regions=frozenset({"EMEA"})))
    answer = client(Role.STEWARD).get("/v1/tiers", headers={"X-API-Key": limited})
    assert answer.status_code == 403


def test_a_refused_message_says_its_tier_and_who_waits(client: Client, hub: Engine) -> None:
    first = refused_payment(hub)
    steward: TestClient = client(Role.STEWARD)

    blocking = steward.get(f"/v1/dead-letters/{first}").json()
    waiting = steward.get(f"/v1/dead-letters/{first + 1}").json()

    assert (blocking["tier"], blocking["held"], blocking["behind"]) == (1, 1, None)
    assert (waiting["held"], waiting["behind"]) == (0, f"D{first}")


def test_sources_are_listed_with_those_out_of_service(client: Client, hub: Engine) -> None:
    before = client(Role.STEWARD).get("/v1/sources").json()
    assert {each["state"] for each in before["sources"]} == {"in_service"}
    system = before["sources"][0]["system"]
    with hub.begin() as connection:
        connection.execute(
            text(
                """insert into source_retirement (system, state, reason, retired_by, retired_at)
                   values (:system, 'retired', 'moved', 'ops', now())"""
            ),
            {"system": system},
        )
    found = client(Role.STEWARD).get("/v1/sources").json()
    assert {each["system"]: each["state"] for each in found["sources"]}[system] == "retired"
    assert [(each["system"], each["reason"]) for each in found["retirements"]] == [(system, "moved")]


def test_the_scorecard_says_whether_every_threshold_is_reached(client: Client, hub: Engine) -> None:
    steward = client(Role.STEWARD)

    found = steward.get("/v1/governance/scorecard").json()

    measured = {each["name"]: each for each in found["measures"]}
    assert (measured["owned"]["value"], measured["owned"]["passed"]) == (1.0, True)
    assert found["passed"] == all(each["passed"] for each in found["measures"])
    strict = steward.get("/v1/governance/scorecard?min=1").json()
    assert {each["least"] for each in strict["measures"]} == {1.0}
    assert steward.get("/v1/governance/scorecard?min=2").status_code == 422
    assert client(Role.ERP_READER).get("/v1/governance/scorecard").status_code == 403
