"""Every request that README.md shows works on the sample world, which the demo has loaded by then."""

from collections.abc import Callable
from datetime import UTC, datetime
from string import Template

from fastapi.testclient import TestClient

from mdm.access import Role
from tests.api.test_guide import run
from tests.pages import take

_REQUESTS = take("README", "curl")
_NOW = "$(date -u +%FT%TZ)"


def test_every_request_of_the_readme_works(world: Callable[[Role], TestClient]) -> None:
    client = world(Role.ERP)
    known = {"KEY": client.headers["x-api-key"]}
    stranger = TestClient(client.app, follow_redirects=False)

    answers = []
    for request in _REQUESTS:
        line = request.replace("localhost:8080", "").replace(_NOW, f"{datetime.now(UTC):%FT%TZ}")
        answer = run(stranger, Template(line).substitute(known))
        assert answer.status_code == 200, (request, answer.text)
        answers.append(answer.json())
        known["ID"] = answers[-1].get("entity_id", known.get("ID", ""))

    found, crosswalk, lineage, at_that_instant, changes = answers
    assert found["items"]
    assert crosswalk["entity_id"] == lineage["id"] == at_that_instant["id"]
    assert len(changes["changes"]) == 100
