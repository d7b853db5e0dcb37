"""What a platform changes without a word is told once per column, handled by its mode, and stops nothing else."""

from pathlib import Path
from typing import Any

import pytest

from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import Decoded, translate
from tests.unit.mdm.intake.messages import CONTRACT, catalogue, envelope, message, part

LIMITED = CONTRACT.replace(
    "{{name: name, physicalType: text, required: true}}",
    "{{name: name, physicalType: varchar(6), required: true, customProperties: [{{property: mode, value: MODE}}]}}",
).replace(
    "{{name: made_on, physicalType: date}}",
    "{{name: made_on, physicalType: date, customProperties: [{{property: mode, value: MODE}}]}}\n"
    "      - {{name: stock, physicalType: smallint, customProperties: [{{property: mayBeAbsent, value: 'true'}}, "
    "{{property: mode, value: MODE}}]}}\n"
    "      - {{name: state, physicalType: text, enum: [{{value: new}}, {{value: used}}], customProperties: "
    "[{{property: mayBeAbsent, value: 'true'}}, {{property: mode, value: MODE}}]}}",
)

#: What an event has, and how the difference is called.
DRIFTS = [
    ({"name": "a long bolt"}, "name", "COLUMN_WIDENED"),
    ({"stock": 40_000}, "stock", "COLUMN_WIDENED"),
    ({"state": "broken"}, "state", "ENUM_VALUE_NEW"),
    ({"name": None}, "name", "COLUMN_NULL"),
]


def shop(folder: Path, mode: str) -> Catalogue:
    return catalogue(folder, contract=LIMITED.replace("MODE", mode))


def decoded(shop: Catalogue, *rows: dict[str, Any]) -> Decoded:
    return translate(
        [message(envelope("u", after=part(**row)), offset=number) for number, row in enumerate(rows)], shop
    )


@pytest.mark.parametrize(("row", "column", "code"), DRIFTS)
def test_evolve_keeps_the_value_and_tells_the_owner_once(
    tmp_path: Path, row: dict[str, Any], column: str, code: str
) -> None:
    found = decoded(shop(tmp_path, "evolve"), row, {}, row)

    assert len(found.events) == 3, "good data flows, and so does this"
    assert [(drift.code, drift.column, drift.owner) for drift in found.drifts] == [(code, column, "parts-desk")]
    assert found.events[0].row is not None
    assert found.events[0].row[column] == row[column]


@pytest.mark.parametrize(("row", "column", "code"), DRIFTS)
def test_freeze_refuses_the_event_and_tells_the_owner_once(
    tmp_path: Path, row: dict[str, Any], column: str, code: str
) -> None:
    found = decoded(shop(tmp_path, "freeze"), row, {}, row)

    assert len(found.events) == 1, "good data flows"
    assert [letter.code for letter in found.dead_letters] == ["CONTRACT_VIOLATION"] * 2
    assert [(drift.code, drift.column) for drift in found.drifts] == [(code, column)]


@pytest.mark.parametrize(("row", "column", "code"), DRIFTS)
def test_discard_value_drops_the_value_and_tells_the_owner_once(
    tmp_path: Path, row: dict[str, Any], column: str, code: str
) -> None:
    found = decoded(shop(tmp_path, "discard_value"), row, {}, row)

    assert len(found.events) == 3
    assert found.events[0].row is not None
    assert column not in found.events[0].row, "unknown, so that the value from before stays"
    assert [(drift.code, drift.column) for drift in found.drifts] == [(code, column)]


@pytest.mark.parametrize("mode", ["evolve", "freeze"])
def test_a_retyped_column_quarantines_its_events_and_is_told_once(tmp_path: Path, mode: str) -> None:
    found = decoded(shop(tmp_path, mode), {"made_on": "soon"}, {}, {"made_on": "later"})

    assert len(found.events) == 1
    assert [letter.code for letter in found.dead_letters] == ["VALUE_TYPE"] * 2
    assert [(drift.code, drift.column) for drift in found.drifts] == [("COLUMN_RETYPED", "made_on")]


def test_a_retyped_column_in_mode_discard_value_costs_only_its_value(tmp_path: Path) -> None:
    found = decoded(shop(tmp_path, "discard_value"), {"made_on": "soon"})

    assert found.dead_letters == ()
    assert found.events[0].row == {"id": 7, "name": "bolt", "price": "1.50"}
    assert [drift.code for drift in found.drifts] == ["COLUMN_RETYPED"]


def test_an_embedded_schema_of_another_type_is_a_retyped_column(tmp_path: Path) -> None:
    date = {"field": "name", "type": "int32", "name": "io.debezium.time.Date"}
    schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": [date]}]}
    value = {"schema": schema, "payload": envelope("c", after=part(name=19_000))}

    found = translate([message(value)], catalogue(tmp_path))

    assert [(letter.code, drift.code) for letter, drift in zip(found.dead_letters, found.drifts, strict=True)] == [
        ("VALUE_TYPE", "COLUMN_RETYPED")
    ]


def test_more_digits_after_the_point_are_a_wider_column(tmp_path: Path) -> None:
    found = decoded(catalogue(tmp_path), {"price": "1.505"})

    assert [(drift.code, drift.column) for drift in found.drifts] == [("COLUMN_WIDENED", "price")]


def test_a_reason_never_names_the_value(tmp_path: Path) -> None:
    secret = "a very secret name"
    found = decoded(shop(tmp_path, "freeze"), {"name": secret})

    assert secret not in found.drifts[0].detail + found.dead_letters[0].reason
