"""A question whose answer waits for a second person, over HTTP."""

from sqlalchemy import Engine

from api.app import ApiOptions
from mdm.access import Role
from mdm.core.four_eyes import Demand, Policy
from tests.api.conftest import Surroundings
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
