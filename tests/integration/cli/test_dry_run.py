"""What the rows of a platform would do is told before they are taken in, and is what they do then."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.hub.arrivals import begin
from mdm.hub.process import Pipeline
from mdm.model.arrivals import Fate
from tests.integration.cli.conftest import Command, printed

_EVENTS = Path(__file__).parents[3] / "mdm" / "demo" / "world" / "events"


def _feed(system: str) -> tuple[str, str]:
    return "--feed", f"file:{_EVENTS / f'{system}.jsonl.gz'}"


def _left(engine: Engine) -> dict[str, Any]:
    """What a dry run must leave as it was."""
    with engine.connect() as connection:
        tables = (
            "batch", "source_record", "event_ledger", "feed_position", "golden", "entity", "steward_task", "audit",
            "dead_letter", "exception", "outbox",
        )  # fmt: skip
        counts = {name: connection.scalar(text(f"select count(*) from {name}")) for name in tables}
        schemas = connection.scalar(text("select count(*) from pg_namespace where nspname like 'mdm_scratch_%'"))
    return counts | {"scratch schemas": schemas}


def test_what_is_told_is_what_happens(mdm: Command, engine: Engine, pipeline: Pipeline, tmp_path: Path) -> None:
    mdm("ingest", *_feed("crm"))
    mdm("ingest", *_feed("product"))
    state, before = printed(mdm("state", "digest", "--json")), _left(engine)
    details = tmp_path / "rows.csv"
    told = printed(mdm("ingest", *_feed("erp"), "--dry-run", "--json", "--details", details))
    assert (printed(mdm("state", "digest", "--json")), _left(engine)) == (state, before)

    live = begin(pipeline)
    mdm("ingest", *_feed("erp"))
    happened = live.arrivals(None)
    assert told == json.loads(json.dumps(happened.shortened(10).as_json() | {"stopped": False}))
    assert min(told["auto"], told["review"], told["new"]) > 0
    assert told["auto"] + told["review"] + told["new"] == sum(each["rows"] for each in told["tables"] if each["domain"])
    assert told["domains"]["customer"]["changed"] > 0
    assert told["domains"]["customer"]["erp_concerned"] > 0

    with details.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], row["type"], row["key"], row["fate"]) for row in rows] == [
        (*row.key, row.fate.value) for row in happened.rows
    ]
    assert {row["fate"] for row in rows if not row["entity_id"]} <= {"review", "new"}
    joined = next(row for row in rows if row["fate"] == "auto" and row["domain"] == "customer")
    member = (
        "select entity_id from crosswalk c join source_record r using (rec_id) where r.type = :type and r.key = :key"
    )
    with engine.connect() as connection:
        assert connection.scalar(text(member), {name: joined[name] for name in ("type", "key")}) == joined["entity_id"]
    weights = [row.weight for row in happened.rows if row.fate is Fate.AUTO and row.weight is not None]
    assert weights == sorted(weights), "the least certain first"


def test_changes_of_known_rows_are_told(mdm: Command, pipeline: Pipeline, tmp_path: Path) -> None:
    lines = gzip.decompress((_EVENTS / "crm.jsonl.gz").read_bytes()).splitlines(keepends=True)
    parts = []
    for number, part in enumerate((lines[:1200], lines[1100:])):  # some come twice
        parts.append(tmp_path / f"{number}.jsonl")
        parts[-1].write_bytes(b"".join(part))
    mdm("ingest", "--feed", f"file:{parts[0]}")
    told = printed(mdm("ingest", "--feed", f"file:{parts[1]}", "--dry-run", "--json"))
    live = begin(pipeline)
    mdm("ingest", "--feed", f"file:{parts[1]}")
    assert told == json.loads(json.dumps(live.arrivals(10).as_json() | {"stopped": False}))
    assert any(each["changed"] for each in told["tables"] if each["domain"])
    assert any(domain["attributes"] for domain in told["domains"].values())


def test_what_was_taken_in_is_told_as_nothing_and_the_rest_of_a_feed_as_the_rest(mdm: Command, tmp_path: Path) -> None:
    mdm("ingest", *_feed("product"))
    again = printed(mdm("ingest", *_feed("product"), "--dry-run", "--json"))
    assert (again["auto"], again["review"], again["new"], again["tables"], again["domains"]) == (0, 0, 0, [], {})

    # The same messages in another file are known by their places.
    copy = tmp_path / "copy.jsonl.gz"
    copy.write_bytes((_EVENTS / "product.jsonl.gz").read_bytes())
    other = printed(mdm("ingest", "--feed", f"file:{copy}", "--dry-run", "--json"))
    assert other["tables"] == []


def test_what_would_be_refused_is_told_with_its_owner(mdm: Command, engine: Engine, tmp_path: Path) -> None:
    line = {"topic": "crm.public.account", "partition": 0, "offset": 0, "timestamp": 0, "key": {"id": 1}, "value": "?"}
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    told = printed(mdm("ingest", "--feed", f"file:{file}", "--dry-run", "--json"))
    (refused,) = told["refused"]
    assert refused["messages"] == 1
    assert refused["code"]
    assert refused["owner"]
    assert printed(mdm("exceptions", "list", "--json"))["dead_letters"] == []


def test_people_are_told_in_tables(mdm: Command) -> None:
    mdm("ingest", *_feed("product"))
    shown = mdm("ingest", *_feed("crm"), "--dry-run").stdout
    assert "What would be taken in; nothing was written" in shown
    assert "To take them in, leave out --dry-run." in shown


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--dry-run", "--bulk"), "--bulk"), (("--details", "rows.csv"), "--details")],
)
def test_options_that_do_not_go_together_are_refused(mdm: Command, options: tuple[str, ...], told: str) -> None:
    result = mdm("ingest", *_feed("crm"), *options)
    assert result.exit_code == 2
    assert told in result.output
