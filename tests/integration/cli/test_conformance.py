"""The conformance kit as a vendor runs it."""

from pathlib import Path

import pytest

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed


def test_the_shipped_captures_conform(mdm: Command) -> None:
    result = mdm("conformance", "run", "--json")

    assert result.exit_code == 0
    report = printed(result)
    assert report["conforms"]
    assert len(report["feeds"]) == 12


def test_a_feed_that_does_not_conform_ends_with_one_and_says_what_to_do(mdm: Command, tmp_path: Path) -> None:
    line = '{"topic": "crm.public.account", "partition": 0, "offset": 0, "key": {"id": "1"}, "value": {"op": "x"}}\n'
    (tmp_path / "feed.jsonl").write_text(line, "utf-8")

    result = mdm("conformance", "run", "--feed", f"file:{tmp_path / 'feed.jsonl'}")

    assert result.exit_code == 1
    assert "ENVELOPE_MALFORMED" in result.stdout
    assert "what to do" in result.stdout


def test_a_feed_that_is_not_there_is_told(mdm: Command) -> None:
    with pytest.raises(OperatorError):
        mdm("conformance", "run", "--feed", "file:nowhere")
