"""Every command, request and line of Python that docs/stewardship.md shows works, in the order of the page."""

import shlex
from itertools import pairwise
from string import Template
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.app import ApiOptions, create_app
from mdm.access import Role
from mdm.bootstrap import Hub
from mdm.cli.app import app
from mdm.errors import NotFound
from mdm.hub.steward import claim
from mdm.settings import read_settings
from mdm.store import api_keys
from tests.integration.hub.steward.conftest import ANNA, World
from tests.pages import take

_COMMANDS = take("stewardship", "mdm")
_REQUESTS = take("stewardship", "curl")
_PYTHON = take("stewardship", "python")


@pytest.fixture
def names(world: World) -> dict[str, str]:
    """What the guide leaves to its reader."""
    customer = world.large_entity()
    task, *_ = world.some_task()
    founder = world.one(
        "select r.key from entity e join source_record r on r.rec_id = e.founder where entity_id = :id", id=customer
    )
    return {
        "HUB": "",
        "TASK": str(task),
        "CUSTOMER": customer,
        "RECORD": "/".join(next(each for each in sorted(world.members(customer)) if each.key != founder)),
    }


def test_every_command_works(world: World, world_url: str, names: dict[str, str]) -> None:
    assert len(_COMMANDS) > 20
    for line in _COMMANDS:
        words = shlex.split(Template(line.partition("#")[0]).substitute(names))[1:]
        result = CliRunner().invoke(app, words, env={"MDM_DATABASE_URL": world_url})
        assert result.exit_code == 0, (line, result.output, result.exception)
        assert result.stdout.strip()
    assert world.values(names["CUSTOMER"])["payment_terms"] == "NT60"
    world.assert_verified()


def test_the_queue_of_the_command_line_is_narrowed_to_who_has_a_task(
    world: World, world_url: str, names: dict[str, str]
) -> None:
    def listed(*options: str) -> list[dict[str, Any]]:
        words = ["steward", "tasks", "--limit", "1000", "--json", *options]
        result = CliRunner().invoke(app, words, env={"MDM_DATABASE_URL": world_url})
        assert result.exit_code == 0, (result.output, result.exception)
        return list(orjson.loads(result.stdout))

    claim(world.pipeline, ANNA, int(names["TASK"]))
    found = listed()

    assert len(found) == world.one("select count(*) from steward_task where status = 'open'") > 2
    assert [each["priority"] for each in found] == sorted((each["priority"] for each in found), reverse=True)
    assert [(each["task_id"], each["assignee"]) for each in listed("--assignee", "anna")] == [
        (int(names["TASK"]), "anna")
    ]
    assert len(listed("--unassigned")) == len(found) - 1
    assert {each["domain"] for each in listed("--domain", "product")} <= {"product"}
    assert listed("--snoozed") == listed("--kind", "nothing") == []


def test_every_request_works(world_engine: Engine, world: World, names: dict[str, str]) -> None:
    with world_engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.SENIOR_STEWARD | Role.DATA_OWNER | Role.APPROVER_FINANCE, "the guide")
    service = create_app(Hub(read_settings({}), world_engine, world.pipeline.clock), ApiOptions())
    client = TestClient(service, follow_redirects=False)
    assert len(_REQUESTS) > 7
    for request in _REQUESTS:
        words = [Template(word).safe_substitute(names | {"KEY": key}) for word in shlex.split(request)]
        options = dict(pairwise(words))
        headers = dict(word.split(": ", 1) for flag, word in pairwise(words) if flag == "-H")
        answer = client.request(options.get("-X", "GET"), words[-1], headers=headers, content=options.get("-d"))
        assert answer.status_code in (200, 202), (request, answer.text)


def test_the_python_works(world: World) -> None:
    # The page answers a question that needs no second person; which one that is depends on the models.
    shown = None
    for number in range(10):
        given = {
            "engine": world.pipeline.engine,
            "clock": world.pipeline.clock,
            "rules": world.pipeline.rules,
            "anna": ANNA,
            "task_id": world.some_task(number=number)[0],
        }
        try:
            for snippet in _PYTHON:
                exec(snippet, given)
        except NotFound as held:  # the answer waits for approval, so there is nothing to undo
            if "to undo" not in held.message:
                raise
            continue
        shown = given["shown"]
        break
    assert shown
