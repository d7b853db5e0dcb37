"""What a priority rests on, over HTTP: the close and the customers behind questions and refused messages."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.lifecycle.close import current_close
from mdm.lifecycle.policy import shipped_policy
from mdm.model.ids import CrosswalkKey
from tests.api.conftest import As
from tests.api.rows import NOON
from tests.api.test_console_pages import entered
from tests.integration.store.test_affected import ACCOUNT, TWIN, a_company, impact_of


@pytest.fixture
def company(engine: Engine) -> None:
    """With one document of the month that is being closed today."""
    a_company(engine)
    month = current_close(system_clock().date(), shipped_policy().close_on).month
    with engine.begin() as connection:
        connection.execute(
            text("update source_record set attributes = cast(:day as json) where kind = 'posting'"),
            {"day": f'{{"posting_date": "{month}-03"}}'},
        )


def question(engine: Engine, a: CrosswalkKey, b: CrosswalkKey) -> int:
    with engine.begin() as connection:
        made: int = connection.execute(
            text(
                """insert into steward_task (question, kind, domain, a, b, weight, batch_id, opened_at)
                   select 'q', 'possible_match', 'customer', min(rec_id), max(rec_id), 3.0, 1, :now from source_record
                   where key in (:a, :b) returning task_id"""
            ),
            {"a": a.key, "b": b.key, "now": NOON},
        ).scalar_one()
    return made


@pytest.mark.usefixtures("company")
def test_a_question_tells_what_close_and_customers_add(engine: Engine, client_of: As) -> None:
    task_id = question(engine, ACCOUNT, TWIN)
    client: TestClient = client_of(Role.STEWARD)

    (task,) = client.get("/v1/tasks").json()["items"]

    assert task["task_id"] == task_id
    assert task["close_impact"]["documents"] == 1
    assert task["customer_exposure"] == {
        "customers": 2, "tiers": ["Enterprise", "SMB"], "users": 6300, "points": task["customer_exposure"]["points"]
    }  # fmt: skip
    reasons = {each["reason"]: each["points"] for each in task["reasons"]}
    assert reasons["a customer of tier Enterprise with 6\u202f300 users may be affected"] > 8


@pytest.mark.usefixtures("company")
def test_one_message_explains_its_priority(engine: Engine, client_of: As) -> None:
    impact_of(engine, ACCOUNT, now=system_clock())
    client: TestClient = client_of(Role.STEWARD)
    (listed,) = client.get("/v1/dead-letters/groups").json()["items"]

    told = client.get(f"/v1/dead-letters/{listed['newest']}/priority")

    assert told.status_code == 200
    assert told.json()["close_impact"] == listed["close_impact"]
    assert told.json()["customer_exposure"]["users"] == 6300
    assert sum(each["points"] for each in told.json()["because"]) == pytest.approx(told.json()["priority"], abs=0.2)
    assert client.get("/v1/dead-letters/999/priority").status_code == 404
    assert client_of(Role.VIEWER).get(f"/v1/dead-letters/{listed['newest']}/priority").status_code == 403


@pytest.mark.usefixtures("company")
def test_the_console_tells_what_a_priority_rests_on(engine: Engine, app: FastAPI, keys: dict[Role, str]) -> None:
    impact_of(engine, ACCOUNT, now=system_clock())
    question(engine, ACCOUNT, TWIN)
    browser = entered(app, keys[Role.STEWARD])

    for address in ("/console/exceptions", "/console/exceptions/groups/1", "/console/reviews"):
        page = browser.get(address).text
        assert "1 document, cut-off" in page, address
        assert "(Enterprise" in page, address
        assert "6\u202f300 users" in page, address
