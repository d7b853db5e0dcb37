"""One workload, captured under nine connector settings: whatever the encoding, the decoded events are the same."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mdm.hub.conformance.run import SETTINGS, capture, contracts_of
from mdm.intake.debezium import Decoded, translate
from mdm.model.events import ChangeEvent, Operation

HERE = Path(__file__).parent
# connect mode has milliseconds only, double mode the precision of a double; an interval's form is a setting of its own.
CUT = ("opens_at", "created_at", "created", "changed_at")
#: Columns that a setting itself cuts or loses at the source.
LOSSY: dict[str, tuple[str, ...]] = {
    "plain_precise_adaptive": (),
    "schemas_precise_adaptive": (),
    "plain_precise_microseconds": (),
    "plain_string_isostring": ("photo",),
    "schemas_string_connect": CUT,
    "plain_double_connect": (*CUT, "credit_score"),
}


@cache
def decoded_capture(name: str) -> Decoded:
    return translate(capture(name), contracts_of(SETTINGS[name]))


def told(event: ChangeEvent) -> dict[str, Any]:
    """What an event says, without where it was captured."""
    return {
        "table": f"{event.system}.{event.type}",
        "operation": event.operation.value,
        "key": event.key.key if event.key is not None else None,
        # Each connector took its snapshot at a place of its own.
        "lsn": None if event.snapshot else event.lsn,
        "previous_key": event.previous_key.key if event.previous_key is not None else None,
        "next_key": event.next_key.key if event.next_key is not None else None,
        "unavailable": sorted(event.unavailable),
        "row": event.row,
    }


def expected() -> list[dict[str, Any]]:
    told_events: list[dict[str, Any]] = json.loads((HERE / "captures" / "expected.json").read_text("utf-8"))
    return told_events


def without(columns: tuple[str, ...], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **event,
            "unavailable": [name for name in event["unavailable"] if name not in columns],
            "row": event["row"] and {name: value for name, value in event["row"].items() if name not in columns},
        }
        for event in events
    ]


@pytest.mark.parametrize("name", LOSSY)
def test_every_setting_decodes_to_the_same_events(name: str) -> None:
    decoded = decoded_capture(name)
    lossy = LOSSY[name]

    assert decoded.dead_letters == ()
    assert decoded.drifts == ()
    assert without(lossy, [told(event) for event in decoded.events]) == without(lossy, expected())


@pytest.mark.parametrize("name", LOSSY)
def test_what_carries_no_row_is_ignored_by_name(name: str) -> None:
    reasons = {ignored.reason for ignored in decoded_capture(name).ignored}

    assert reasons == {"tombstone", "transaction_marker", "heartbeat", "logical_message"}


def test_an_incremental_snapshot_has_a_position_without_an_lsn() -> None:
    events = decoded_capture("plain_precise_adaptive").events
    incremental = [event for event in events if event.snapshot and event.lsn is None]

    assert len(incremental) > 3
    assert all(event.position.rank == 0 and event.position.minor > 0 for event in incremental)


def test_the_excerpt_holds_the_awkward_cases() -> None:
    events = expected()

    assert {event["operation"] for event in events} == {operation.value for operation in Operation}
    assert any(event["unavailable"] for event in events)
    assert any(event["previous_key"] for event in events)
    assert any(event["next_key"] for event in events)


@pytest.mark.parametrize("name", ["flat_rewrite", "flat_schemas"])
def test_flat_rows_say_the_same_as_enveloped_ones(name: str) -> None:
    by_change = {(event["table"], event["key"], event["lsn"]): event for event in expected() if event["lsn"]}
    flat = [told(event) for event in decoded_capture(name).events]
    shared = [event for event in flat if (event["table"], event["key"], event["lsn"]) in by_change]

    assert len(shared) > 30
    for event in shared:
        enveloped = by_change[event["table"], event["key"], event["lsn"]]
        assert event["row"] == enveloped["row"]
        assert event["unavailable"] == enveloped["unavailable"]


def test_flat_rows_without_a_position_are_refused_with_advice() -> None:
    decoded = decoded_capture("flat_default")

    assert decoded.events == ()
    assert {letter.code for letter in decoded.dead_letters} == {"POSITION_MISSING"}
    assert "add.fields" in decoded.dead_letters[0].action
