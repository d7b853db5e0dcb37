"""Blind samples over HTTP and in the console: drawn, judged by two people who are told nothing, and what that tells."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.hub.steward import NO_POLICY
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.test_access import session_of
from tests.api.test_stewardship import Client, client, hub

__all__ = ["client", "hub"]

pytestmark = pytest.mark.sample_world

SAMPLES = "/v1/quality/samples"


@pytest.fixture
def steward(client: Client) -> TestClient:
    return client(Role.STEWARD)


def test_a_sample_is_drawn_judged_by_two_and_told(client: Client, steward: TestClient) -> None:
    second = client(Role.SENIOR_STEWARD)
    sample = steward.post(SAMPLES, json={"size": 20, "seed": "s"}).json()
    address = f"{SAMPLES}/{sample['sample_id']}"
    for person in (steward, second):
        while (pair := person.get(f"{address}/next").json()["pair"]) is not None:
            said = person.post(f"{address}/answers", json={"pair_id": pair["pair_id"], "verdict": "same"})
            assert said.status_code == 200, said.text

    told = steward.get(address).json()
    assert told["complete"] == told["pairs"] == sample["pairs"]
    assert told["whole"]["precision"] == {**told["whole"]["precision"], "value": 1.0, "high": 1.0}
    assert 0 < told["whole"]["precision"]["low"] < 1
    assert told["agreement"]["share"] == 1.0
    assert {each["stratum"] for each in told["strata"]} == {"joined", "asked", "near", "unmet", "far", "beyond"}
    assert {each["source"] for each in told["by_source"]} <= {"crm", "billing", "erp", "product"}
    closed = steward.post(f"{address}/close")
    assert closed.json()["closed_at"]
    assert steward.post(f"{address}/close").status_code == 409
    assert steward.get(SAMPLES).json()["items"][0]["sample_id"] == sample["sample_id"]


def test_a_pair_says_nothing_but_what_its_records_state(steward: TestClient) -> None:
    sample = steward.post(SAMPLES, json={"size": 30}).json()["sample_id"]

    pair = steward.get(f"{SAMPLES}/{sample}/next").json()["pair"]

    assert set(pair) == {"pair_id", "domain", "sides"}
    assert [set(side) for side in pair["sides"]] == [{"system", "values"}] * 2
    assert "cus_" not in re.sub(r'"cus_[A-Za-z0-9]{14}"', "", str(pair["sides"]))
    for hidden in ("weight", "stratum", "decision", "entity", "parent"):
        assert hidden not in str(pair), hidden


@pytest.mark.parametrize(
    ("role", "body", "status"),
    [(Role.OPERATOR, {"size": 20}, 403), (Role.STEWARD, {"size": 5}, 422), (Role.STEWARD, {"domain": "x"}, 422)],
)
def test_what_cannot_be_drawn_is_refused(client: Client, role: Role, body: dict[str, object], status: int) -> None:
    assert client(role).post(SAMPLES, json=body).status_code == status


def test_the_console_presents_pairs_blind_and_goes_on_to_the_next(hub: Engine) -> None:
    around = Surroundings(hub)
    app: FastAPI = create_app(around, ApiOptions(log=around.log, policy=NO_POLICY))
    with hub.begin() as connection:
        key = api_keys.issue_key(connection, Role.STEWARD, "steward")
    browser, csrf = session_of(app, key)
    drawn = browser.post("/console/quality/samples", data={"csrf": csrf, "domain": "customer", "size": "20"})
    assert drawn.status_code == 303
    sample = drawn.headers["location"]

    page = browser.get(f"{sample}/next").text

    main = page.partition("<main")[2]
    assert "bits" not in main
    assert "/console/customers/" not in main
    assert "/console/trace/" not in main
    pair = main.partition('name="pair" value="')[2].partition('"')[0]
    said = browser.post(f"{sample}/next", data={"csrf": csrf, "pair": pair, "verdict": "not_same"})
    assert (said.status_code, said.headers["location"]) == (303, f"{sample}/next")
    following = browser.get(f"{sample}/next").text.partition('name="pair" value="')[2].partition('"')[0]
    assert following
    assert following != pair
    nothing = browser.post(f"{sample}/next", data={"csrf": csrf, "pair": following})
    assert nothing.status_code == 422
    with hub.connect() as connection:
        assert connection.execute(text("select count(*) from judgement where superseded_at is null")).scalar() == 0
    assert browser.post(f"{sample}/close", data={"csrf": csrf}).status_code == 303
    assert "Nothing is left for you" in browser.get(f"{sample}/next").text
