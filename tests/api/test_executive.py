"""The executive page: the figures of `/v1/kpis` on one page, and as files."""

import csv
import io

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.access.scope import read_scope
from mdm.store import api_keys
from tests.api.conftest import Surroundings
from tests.api.test_access import session_of

pytestmark = pytest.mark.sample_world

PAGE = "/console/executive"


@pytest.fixture
def app(world_engine: Engine) -> FastAPI:
    around = Surroundings(world_engine)
    return create_app(around, ApiOptions(log=around.log))


@pytest.fixture
def key(world_engine: Engine) -> str:
    with world_engine.begin() as connection:
        return api_keys.issue_key(connection, Role.AUDITOR, "board")


def test_the_page_and_its_files_say_what_the_api_says(app: FastAPI, key: str) -> None:
    browser, _ = session_of(app, key)
    said = TestClient(app, headers={"X-API-Key": key}).get("/v1/kpis").json()

    page = browser.get(PAGE).text
    as_json = browser.get(f"{PAGE}?form=json")
    rows = list(csv.reader(io.StringIO(browser.get(f"{PAGE}?form=csv").text)))

    main = page.partition("<main")[2]
    for measure in said["measures"]:
        assert measure["title"] in main
    assert f"Close of {said['close_readiness']['month']}" in main
    assert f"{said['close_readiness']['open_points']} of {said['close_readiness']['points']} open" in main
    told = as_json.json()
    passes = {"now": 0, "failure_impact": 0}  # it grows while somebody looks
    assert told | passes == said | passes
    assert told["failure_impact"].keys() == said["failure_impact"].keys()
    assert as_json.headers["content-disposition"].startswith('attachment; filename="kpis-')
    by_currency = {row[1]: row[2] for row in rows if row[0] == "at risk: disagreements between platforms"}
    assert by_currency == said["amount_at_risk"]["disagreements"]
    assert {row[0] for row in rows} >= {measure["title"] for measure in said["measures"]}


def test_a_period_is_asked_for_and_half_a_one_is_refused(app: FastAPI, key: str) -> None:
    browser, _ = session_of(app, key)

    page = browser.get(f"{PAGE}?first=2025-01-01&last=2025-03-31")
    half = browser.get(f"{PAGE}?first=2025-01-01&last=")

    assert "2025-01-01 to 2025-03-31 beside 2024-10-03 to 2024-12-31" in page.text
    assert half.status_code == 422
    assert "two ends" in half.text


def test_whoever_reaches_a_part_is_told_so(app: FastAPI, world_engine: Engine) -> None:
    with world_engine.begin() as connection:
        limited = api_keys.issue_key(connection, Role.AUDITOR, "emea", read_scope({"regions": ["EMEA"]}))
    browser, _ = session_of(app, limited)

    page = browser.get(PAGE)

    assert page.status_code == 200
    assert "your scope reaches part of it" in page.text
    assert "Deadlines kept" not in page.text
