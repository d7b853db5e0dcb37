"""The sample world's events, folded, are exactly the tables that the source databases ended with."""

import hashlib
import json
import random
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mdm.intake.catalogue import load_catalogue
from mdm.intake.debezium import Decoded, translate
from mdm.model.events import Message
from mdm.streams.file import FileFeed
from tests.journals.folding import fold

#: Number of rows, columns and SHA-256 of every final table, taken from the source databases' own export.
TABLES = json.loads((Path(__file__).parent / "world_tables.json").read_text("utf-8"))


@cache
def messages() -> tuple[Message, ...]:
    feed = FileFeed(Path(str(files("mdm.demo"))) / "world" / "events")
    return tuple(feed.poll(100_000, 0.0))


@cache
def decoded() -> Decoded:
    return translate(messages(), load_catalogue())


def printed(value: Any) -> str:
    """A value as the export prints it: NULL as \\N, lists as JSON, the rest as PostgreSQL does."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def digest(rows: list[dict[str, Any]], columns: list[str]) -> str:
    lines = sorted(json.dumps([printed(row.get(name)) for name in columns], ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_every_message_is_an_event_or_a_tombstone() -> None:
    assert len(decoded().events) + len(decoded().ignored) == len(messages()) == 7896
    assert {ignored.reason for ignored in decoded().ignored} == {"tombstone"}


def test_nothing_deviates_from_the_shipped_contracts() -> None:
    assert decoded().drifts == ()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_folded_events_equal_the_final_table(name: str) -> None:
    system, table = name.split(".")
    rows = fold(decoded().events).table(system, table)

    assert len(rows) == TABLES[name]["rows"]
    assert digest(rows, TABLES[name]["columns"]) == TABLES[name]["sha256"]


def test_partitions_may_arrive_in_any_interleaving() -> None:
    in_order = fold(decoded().events).rows
    by_partition: dict[tuple[str, int], list[Message]] = {}
    for message in messages():
        by_partition.setdefault(message.place[:2], []).append(message)
    partitions = list(by_partition.values())
    random.Random(5).shuffle(partitions)

    shuffled = translate([message for partition in partitions for message in partition], load_catalogue())

    assert fold(shuffled.events).rows == in_order


def test_events_with_embedded_schemas_give_the_same_rows() -> None:
    with_schemas = FileFeed(Path(__file__).parent / "captures" / "world_with_schemas.jsonl.gz").poll(1000, 0.0)
    found = translate(with_schemas, load_catalogue())
    plain = {(event.key, event.operation, repr(event.row)) for event in decoded().events}

    assert found.dead_letters == ()
    assert found.drifts == ()
    assert len({event.type for event in found.events}) == 22
    assert all((event.key, event.operation, repr(event.row)) in plain for event in found.events)
