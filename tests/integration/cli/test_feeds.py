"""Feeds and workers, as an operator types them."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.cli import feeds
from mdm.errors import OperatorError
from mdm.intake.catalogue import Catalogue
from tests.integration.cli.conftest import Command, printed
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.test_reconcile_source import lay_out

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


def test_holding_a_feed_that_nobody_knows_says_so(mdm: Command, capture: Path) -> None:
    mdm("ingest", "--feed", f"file:{capture}", "--json")

    assert "has run here" in mdm("feeds", "pause", "file:captrue.jsonl", "--reason", "repair").stdout
    assert "has run here" not in mdm("feeds", "pause", "file:capture.jsonl", "--reason", "repair").stdout


@pytest.mark.parametrize("command", [("ingest",), ("worker", "ingest")])
def test_a_fault_point_that_is_none_is_refused_by_whatever_passes_them(
    mdm: Command, capture: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MDM_FAULT", "ingest.nowhere:1")

    with pytest.raises(OperatorError, match="no fault point"):
        mdm(*command, "--feed", f"file:{capture}")


def test_a_worker_reads_a_file_to_its_end(mdm: Command, capture: Path) -> None:
    mdm("worker", "ingest", "--feed", f"file:{capture}")

    assert printed(mdm("status", "--json"))["messages"]["consumed"] == 1


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ("kafka://broker", "names no broker"),
        ("kafka://", "names no broker"),
        ("kafka:broker:9092", "names no broker"),
        ("kafka://broker:port", "names no broker"),
        ("kafka://broker:70000", "names no broker"),
        ("kafka://user@broker:9092/x?y", "names no broker"),
        ("file:/nowhere/at/all", "nothing at"),
        ("ftp://broker", "Unknown feed"),
    ],
)
def test_an_address_that_cannot_work_is_refused_by_name(mdm: Command, feed: str, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        mdm("ingest", "--feed", feed)


def test_a_group_without_a_name_is_refused(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="needs a name"):
        mdm("ingest", "--feed", "kafka://broker:9092", "--group", " ")


def test_a_relay_publishes_to_an_address_that_can_be(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="names no broker"):
        mdm("worker", "relay", "--once", "--broker", "broker:port")


def test_a_stop_before_the_end_is_told_and_the_same_command_goes_on(
    mdm: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = tmp_path / "capture.jsonl"
    capture.write_text("\n".join(LINE.replace('"offset":0', f'"offset":{number}') for number in range(30)))
    turns = itertools.count()

    @contextmanager
    def after_two_turns() -> Iterator[Callable[[], bool]]:
        yield lambda: next(turns) >= 2

    monkeypatch.setattr(feeds, "stopped_by_signals", after_two_turns)
    stopped = mdm("ingest", "--feed", f"file:{capture}", "--batch-size", 10)
    assert stopped.exit_code == 130
    assert "the same command goes on from there" in " ".join(stopped.stderr.split())
    monkeypatch.undo()

    whole = mdm("ingest", "--feed", f"file:{capture}", "--json")
    assert whole.exit_code == 0
    told = printed(whole)
    assert (told["messages"], told["stopped"]) == (30, False)
    assert told["outcomes"]["crm"]["duplicate"] == 20


@pytest.mark.parametrize("written", ["bucket,rows,digest\n1,2\n", "bucket,rows,digest\n1,many,x\n", "rows\n1\n"])
def test_a_result_that_the_query_cannot_have_given_is_refused(mdm: Command, tmp_path: Path, written: str) -> None:
    result = tmp_path / "result.csv"
    result.write_text(written)
    with pytest.raises(OperatorError, match="no result of the query"):
        mdm("reconcile", "source", "crm", "account", "--result", result)


def test_a_source_is_asked_only_by_an_address_and_buckets_that_can_be(mdm: Command) -> None:
    with pytest.raises(OperatorError, match="--url must look like"):
        mdm("reconcile", "source", "crm", "account", "--url", "mysql://somewhere")
    assert mdm("reconcile", "source", "crm", "account", "--sql", "--buckets", "0").exit_code == 2


def test_rows_whose_deletes_were_lost_are_taken_out_by_command_unless_they_are_too_many(
    mdm: Command, engine: Engine, feed: Feed, catalogue: Catalogue, empty_database_url: str
) -> None:
    feed([each for each in world_messages() if each.place.topic == "crm.public.account"])
    lay_out(empty_database_url, engine, catalogue)
    remote = make_engine(empty_database_url)
    with remote.begin() as there:
        there.execute(text("delete from account where id in (select id from account order by id limit 3)"))
    remote.dispose()
    command = ("reconcile", "source", "crm", "account", "--url", empty_database_url)
    assert mdm(*command).exit_code == 1

    with pytest.raises(OperatorError, match=r"3 of .* nothing was taken out"):
        mdm(*command, "--take-out", "their restore of Friday", "--at-most", 2)
    with pytest.raises(OperatorError, match="needs --url and a reason"):
        mdm(*command, "--take-out", " ")
    assert mdm(*command).exit_code == 1

    taken = mdm(*command, "--take-out", "their restore of Friday")
    assert taken.exit_code == 0
    assert "3 rows were taken out." in taken.stderr
    assert mdm(*command).exit_code == 0
