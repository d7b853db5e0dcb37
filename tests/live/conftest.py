"""A real Kafka broker for tests that must not believe a fake. They run with `make live` (or `MDM_LIVE=1`), else never.

Where Java or Maven is missing they are skipped with that reason, but for the promises of feeds: those are asked of
librdkafka's mock cluster then.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack.broker import Broker
from deploy.stack.maven import Artifacts, StackUnavailable, fetch, missing_programs
from deploy.stack.processes import free_port


def wants_mock() -> bool:
    """Whether the protocol tests run against a mock cluster: it was asked for, or nothing better can be had."""
    return os.environ.get("MDM_LIVE") == "mock" or missing_programs() is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and (reason := _reason_to_skip(item.path.name)):
            item.add_marker(pytest.mark.skip(reason=reason))


def _reason_to_skip(file: str) -> str | None:
    if not os.environ.get("MDM_LIVE"):
        return "live tests run with `make live`"
    if wants_mock() and file != "test_feeds.py":
        return missing_programs() or "asked for the mock cluster only"
    return None


def pytest_report_header() -> str | None:
    """Say what the live tests run against, so that nobody takes the mock for the real thing."""
    if not os.environ.get("MDM_LIVE"):
        return None
    return "live tests: librdkafka's mock cluster" if wants_mock() else "live tests: a real broker"


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
