"""A question whose answer waits for a second person, over HTTP and in the console."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import ApiOptions
from mdm.access import Role
from mdm.core.four_eyes import Demand, Policy
from tests.api.conftest import Surroundings
from tests.api.test_console import form_token
from tests.api.test_stewardship import ask, clients_of, hub, task

__all__ = ["hub", "task"]


def test_a_question_takes_one_answer_at_a_time(hub: Engine, task: int) -> None:
    """What waits for a second person is agreed to, turned down or taken back before anybody answers otherwise."""
    merges = Policy("all merges", 14, (Demand("merges", "A merge.", frozenset({Role.SENIOR_STEWARD}), merges=True),))
    client = clients_of(hub, ApiOptions(log=Surroundings(hub).log, policy=merges))
    first, second, senior = client(Role.STEWARD), client(Role.STEWARD), client(Role.SENIOR_STEWARD)
    address, anyhow = f"/v1/tasks/{task}/judgement", {"If-Match": "*"}
    proposed = first.post(address, json={"verdict": "same"}, headers=anyhow)
    assert proposed.status_code == 200, proposed.text
    number = proposed.json()["proposal_id"]

    refused = [
        second.post(address, json={"verdict": "not_same"}, headers=anyhow),
        second.post("/v1/decisions/preview", json={"command": "judge_task", "task_id": task, "verdict": "not_same"}),
        first.post(address, json={"verdict": "same"}, headers=anyhow),
    ]

    for each in refused:
        body = each.json()
        assert each.status_code == 409, body
        assert (each.status_code, body["type"], body["proposal_id"]) == (409, "/problems/answer-waits", number)
        assert "its author can withdraw it" in body["detail"]
    assert ask(hub, "select status from steward_task where task_id = :id", id=task) == "open"
    assert senior.get(f"/v1/approvals/{number}/preview").status_code == 200, "it is not in its own way"
    assert first.post(f"/v1/approvals/{number}/withdraw", json={}).status_code < 300
    assert second.post(address, json={"verdict": "not_same"}, headers=anyhow).json()["decision_id"] is not None
    assert ask(hub, "select status from steward_task where task_id = :id", id=task) == "resolved"


@pytest.mark.sample_world
def test_the_next_question_takes_an_answer_and_the_queue_marks_what_takes_none(
    engine: Engine, steward: TestClient
) -> None:
    def asked(page: str) -> list[int]:
        return [int(each) for each in re.findall(r'data-open data-swap href="/console/reviews/(\d+)"', page)]

    first, second, third = asked(steward.get("/console/reviews").text)[:3]
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into proposal (kind, command, effect, digest, demands, entities, task_id, author, author_role,
                     status, proposed_at, expires_at)
                   values ('same', '{}', '{}', '', '[]', '{}', :task, 'user:ann', 'steward', 'open', now(),
                     'infinity')"""
            ),
            {"task": second},
        )

    queue, home = steward.get("/console/reviews").text, steward.get("/console/").text
    page = steward.get(f"/console/reviews/{first}").text
    form = {"csrf": form_token(page), "token": re.findall(r'name="token" value="([^"]+)"', page)[0]}
    answered = steward.post(f"/console/reviews/{first}/decide", data=form | {"verdict": "not_same"})

    marked = [row for row in queue.split("<tr data-item") if "answer waits" in row]
    assert [asked(row) for row in marked] == [[second]]
    assert f'/console/reviews/{second}"' not in home, "it is nobody's to answer now"
    assert answered.url.path == f"/console/reviews/{third}", answered.text[:400]
