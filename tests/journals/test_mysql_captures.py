"""The MySQL connector's events: other positions, other types, the same decoder."""

from functools import cache
from typing import Any

import pytest

from mdm.hub.conformance.run import SETTINGS, capture, contracts_of
from mdm.intake.debezium import Decoded, translate
from mdm.model.events import ChangeEvent

NAMES = ("mysql_plain_string_adaptive_us", "mysql_plain_string_isostring_bigu", "mysql_schemas_precise")


@cache
def decoded_capture(name: str) -> Decoded:
    return translate(capture(name), contracts_of(SETTINGS[name]))


def told(events: tuple[ChangeEvent, ...], lossy: str = "") -> list[tuple[str, str, Any]]:
    return [
        (
            event.operation.value,
            str(event.key),
            {name: value for name, value in (event.row or {}).items() if name != lossy},
        )
        for event in events
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_decodes_to_the_same_rows(name: str) -> None:
    decoded = decoded_capture(name)
    reference = decoded_capture("mysql_plain_string_adaptive_us")

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


def test_a_row_has_the_forms_of_its_column_types() -> None:
    events = decoded_capture("mysql_schemas_precise").events
    row = next(event.row for event in events if event.type == "account" and event.row)

    assert row["score"] == "12345678901234567890.0123456789"
    assert row["opens"] == "08:15:00.123000"
    assert row["created"][10] == "T"
    assert row["created"][-1].isdigit()
    assert row["updated"].endswith("Z")
    assert row["bits"] == "1000000001"
    assert row["big"] in (5, 2**64 - 1)


def test_positions_follow_the_binlog() -> None:
    events = decoded_capture("mysql_plain_string_adaptive_us").events
    streamed = [event.position for event in events if not event.snapshot]

    assert {position.major for position in streamed} == {3}, "the number of the binlog file"
    assert streamed == sorted(streamed)
    assert max(event.position for event in events if event.snapshot) < min(streamed)
