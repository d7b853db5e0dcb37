"""Every request that docs/reconciliation.md shows is one that works."""

import pytest
from fastapi.testclient import TestClient

from mdm.access import Role
from tests.api.test_guide import run
from tests.pages import take

_REQUESTS = take("reconciliation", "curl")


@pytest.mark.parametrize("request_line", _REQUESTS)
def test_every_request_of_the_guide_works(erp: TestClient, keys: dict[Role, str], request_line: str) -> None:
    stranger = TestClient(erp.app, follow_redirects=False)

    answer = run(stranger, request_line.replace("$HUB", "").replace("$KEY", keys[Role.STEWARD]))

    assert answer.status_code == 200, (request_line, answer.text)
    assert answer.json()["items"] == []


def test_the_guide_shows_requests() -> None:
    assert len(_REQUESTS) == 2
