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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--feed", "file:x.jsonl", "--limit", "0"), "limit"),
        (("--limit", "5"), "--limit"),
        (("--topics", "^x$"), "--topics"),
    ],
)
def test_options_that_say_nothing_are_refused(mdm: Command, options: tuple[str, ...], told: str) -> None:
    try:
        result = mdm("conformance", "run", *options)
    except OperatorError as refused:
        said = refused.message
    else:
        assert result.exit_code == 2
        said = result.output
    assert told in said
