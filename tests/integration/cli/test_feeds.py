"""Feeds and workers, as an operator types them."""

from pathlib import Path

import pytest

from mdm.errors import OperatorError
from tests.integration.cli.conftest import Command, printed

LINE = (
    '{"topic":"crm.public.product2","partition":0,"offset":0,"timestamp":1,"headers":[],"key":{"id":"p1"},"value":null}'
)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    file = tmp_path / "capture.jsonl"
    file.write_text(LINE)
    return file


def test_a_feed_is_listed_held_and_let_go(mdm: Command, capture: Path) -> None:
    mdm("ingest", "--feed", f"file:{capture}", "--json")
    mdm("feeds", "pause", "file:capture.jsonl", "--reason", "the source is being repaired")

    (held,) = printed(mdm("feeds", "list", "--json"))
    assert (held["feed"], held["paused"], held["reason"]) == (
        "file:capture.jsonl",
        True,
        "the source is being repaired",
    )
    assert held["partitions"] == 1

    mdm("feeds", "resume", "file:capture.jsonl")
    (running,) = printed(mdm("feeds", "list", "--json"))
    assert not running["paused"]


def test_a_worker_reads_a_file_to_its_end(mdm: Command, capture: Path) -> None:
    mdm("worker", "ingest", "--feed", f"file:{capture}")

    assert printed(mdm("status", "--json"))["messages"]["consumed"] == 1


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ("kafka://broker", "names no broker"),
        ("kafka://", "names no broker"),
        ("file:/nowhere/at/all", "nothing at"),
        ("ftp://broker", "Unknown feed"),
    ],
)
def test_an_address_that_cannot_work_is_refused_by_name(mdm: Command, feed: str, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        mdm("ingest", "--feed", feed)
