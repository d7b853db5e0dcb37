"""A read that takes too long is given up: nobody can hold the database up by asking for much."""

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.api.rows import HubRows
from tests.api.test_lists import customer


def test_a_read_that_takes_too_long_is_given_up_and_says_what_to_do(
    rows: HubRows, erp: TestClient, engine: Engine
) -> None:
    customer(rows, "1", "Oak")
    state = erp.app.state  # type: ignore[attr-defined]
    before, state.longest_statement = state.longest_statement, 0.2
    try:
        with engine.begin() as other:
            other.execute(text("lock table golden in access exclusive mode"))
            answer = erp.get("/v1/customers")
    finally:
        state.longest_statement = before

    assert answer.status_code == 503
    problem = answer.json()
    assert (problem["type"], problem["detail"]) == (
        "/problems/too-slow",
        "It took longer than 0.2 seconds and was given up.",
    )
    assert "Ask for less" in problem["action"]
    assert len(erp.get("/v1/customers").json()["items"]) == 1, "the connection is as good as before"


def test_what_one_read_may_take_is_not_left_to_the_next_one(rows: HubRows, erp: TestClient, engine: Engine) -> None:
    customer(rows, "1", "Oak")
    erp.get("/v1/customers")

    with engine.connect() as connection:
        assert connection.execute(text("show statement_timeout")).scalar_one() == "0"
