"""The MySQL connector's events: other positions, other types, the same decoder."""

from pathlib import Path
from string import Template
from typing import Any

import pytest

from mdm.intake.catalogue import load_catalogue
from mdm.intake.debezium import Decoded, translate
from mdm.model.events import ChangeEvent
from mdm.streams.file import FileFeed

HERE = Path(__file__).parent
SETTINGS = {
    "mysql_plain_string_adaptive_us": {"decimals": "string", "times": "adaptive_time_microseconds"},
    "mysql_plain_string_isostring_bigu": {"decimals": "string", "times": "isostring"},
    "mysql_schemas_precise": {"decimals": "precise", "times": "adaptive_time_microseconds"},
}


def decoded_capture(name: str, folder: Path) -> Decoded:
    for template in (HERE / "mysql").glob("*/contract.odcs.yaml"):
        contract = folder / template.parent.name / template.name
        contract.parent.mkdir(parents=True, exist_ok=True)
        contract.write_text(Template(template.read_text("utf-8")).substitute(SETTINGS[name]), "utf-8")
    return translate(FileFeed(HERE / "captures" / f"{name}.jsonl.gz").poll(1000, 0.0), load_catalogue(folder))


def told(events: tuple[ChangeEvent, ...], lossy: str = "") -> list[tuple[str, str, Any]]:
    return [
        (
            event.operation.value,
            str(event.key),
            {name: value for name, value in (event.row or {}).items() if name != lossy},
        )
        for event in events
    ]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_decodes_to_the_same_rows(name: str, tmp_path: Path) -> None:
    decoded = decoded_capture(name, tmp_path / "one")
    reference = decoded_capture("mysql_plain_string_adaptive_us", tmp_path / "other")

    assert decoded.dead_letters == ()
    # A TIME outside one day does not fit isostring: the connector itself loses it there.
    lossy = "opens" if "isostring" in name else ""
    assert told(decoded.events, lossy) == told(reference.events, lossy)
    assert {ignored.reason for ignored in decoded.ignored} == {
        "heartbeat",
        "schema_change",
        "tombstone",
        "transaction_marker",
    }


def test_a_row_has_the_forms_of_its_column_types(tmp_path: Path) -> None:
    events = decoded_capture("mysql_schemas_precise", tmp_path).events
    row = next(event.row for event in events if event.type == "account" and event.row)

    assert row["score"] == "12345678901234567890.0123456789"
    assert row["opens"] == "08:15:00.123000"
    assert row["created"][10] == "T"
    assert row["created"][-1].isdigit()
    assert row["updated"].endswith("Z")
    assert row["bits"] == "1000000001"
    assert row["big"] in (5, 2**64 - 1)


def test_positions_follow_the_binlog(tmp_path: Path) -> None:
    events = decoded_capture("mysql_plain_string_adaptive_us", tmp_path).events
    streamed = [event.position for event in events if not event.snapshot]

    assert {position.major for position in streamed} == {3}, "the number of the binlog file"
    assert streamed == sorted(streamed)
    assert max(event.position for event in events if event.snapshot) < min(streamed)
