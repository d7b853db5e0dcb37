"""A real Kafka broker for tests that must not believe a fake. They run with `make live` (or `MDM_LIVE=1`), else never.

Where Java or Maven is missing they are skipped, and the reason says so.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack.broker import Broker
from deploy.stack.maven import Artifacts, StackUnavailable, fetch, missing_programs
from deploy.stack.processes import free_port


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = "live tests run with `make live`" if not os.environ.get("MDM_LIVE") else missing_programs()
    for item in items:
        if here in item.path.parents and reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    try:
        return fetch()
    except StackUnavailable as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def broker(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for tests that use topics of their own."""
    broker = Broker(artifacts, tmp_path_factory.mktemp("broker"), free_port(), free_port())
    broker.start()
    yield broker
    broker.program.stop()
