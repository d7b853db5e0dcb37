"""Logs are lines of JSON with what was bound, whoever writes them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from mdm.observability.logs import bound, configure_logs, logger


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_event_its_facts_and_what_was_bound() -> None:
    stream = io.StringIO()
    configure_logs(json=True, stream=stream)

    with bound(feed="crm"):
        logger("mdm.test").info("batch_committed", messages=12)

    (line,) = written(stream)
    assert line["event"] == "batch_committed"
    assert (line["feed"], line["messages"], line["level"]) == ("crm", 12, "info")
    assert line["timestamp"].endswith("Z")


def test_libraries_log_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logs(json=True, stream=stream)

    logging.getLogger("library").warning("tried %s times", 3)

    assert written(stream)[0]["event"] == "tried 3 times"


def test_an_exception_is_part_of_its_line() -> None:
    stream = io.StringIO()
    configure_logs(json=True, stream=stream)

    try:
        raise ValueError("no such thing")
    except ValueError:
        logger("mdm.test").exception("failed")

    assert "no such thing" in written(stream)[0]["exception"]


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    configure_logs(json=True, level="warning", stream=stream)

    logger("mdm.test").info("detail")

    assert stream.getvalue() == ""


def test_on_a_terminal_lines_are_readable() -> None:
    stream = io.StringIO()
    configure_logs(json=False, stream=stream)

    logger("mdm.test").info("batch_committed", messages=12)

    assert "batch_committed" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
