"""While a platform migrates, two majors are accepted at once, and what lies above the contract sees one shape."""

from pathlib import Path
from typing import Any

import pytest

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.debezium import translate
from mdm.intake.mapping import standardise
from mdm.model.events import ChangeEvent
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.intake.messages import CONTRACT, envelope, message, part

FIRST = CONTRACT.format(mode="evolve", truncate="hold", decimals="string")
SECOND = FIRST.replace("version: 1.0.0", "version: 2.0.0").replace("name: name, ", "name: title, ")
MAPPING = "table: part\nkind: product\nattributes:\n  name: {as: product_name, from: [title, name]}\n"


def written(folder: Path, first: str = FIRST, second: str | None = SECOND, mapping: str = MAPPING) -> Path:
    shop = folder / "shop"
    shop.mkdir(parents=True, exist_ok=True)
    (shop / "contract.odcs.yaml").write_text(first, "utf-8")
    (shop / "part.yaml").write_text(mapping, "utf-8")
    if second is not None:
        (shop / "contract.v2.odcs.yaml").write_text(second, "utf-8")
    return folder


def old_row(**columns: Any) -> dict[str, Any]:
    return part(**columns)


def new_row(title: str) -> dict[str, Any]:
    row = part()
    del row["name"]
    return row | {"title": title}


def read(row: dict[str, Any], catalogue: Catalogue) -> ChangeEvent:
    decoded = translate([message(envelope("u", after=row))], catalogue)
    assert decoded.dead_letters == ()
    return decoded.events[0]


def test_events_of_both_majors_are_read_without_a_word(tmp_path: Path) -> None:
    both = load_catalogue(written(tmp_path))
    messages = [message(envelope("u", after=row), offset=n) for n, row in enumerate((old_row(), new_row("bolt")))]

    decoded = translate(messages, both)

    assert (len(decoded.events), decoded.drifts, decoded.dead_letters) == (2, (), ())


def test_both_majors_give_the_same_golden_attributes(tmp_path: Path) -> None:
    both = load_catalogue(written(tmp_path))
    key = CrosswalkKey("shop", "part", "7")

    old, new = read(old_row(name="Bolt"), both), read(new_row("Bolt"), both)

    assert standardise(both, key, old.row or {}).attributes == standardise(both, key, new.row or {}).attributes


def test_flat_rows_of_both_majors_are_read_too(tmp_path: Path) -> None:
    flat = [
        each.replace("{property: mode,", "{property: envelope, value: flat}\n  - {property: mode,")
        for each in (FIRST, SECOND)
    ]
    both = load_catalogue(written(tmp_path, *flat))
    at = {
        "__op": "u",
        "__source_ts_us": 1_700_000_000_000_000,
        "__source_sequence": '["90","100"]',
        "__source_lsn": 100,
    }
    messages = [message(row | at, offset=n) for n, row in enumerate((old_row(), new_row("bolt")))]

    decoded = translate(messages, both)

    assert (decoded.drifts, decoded.dead_letters) == ((), ())
    old, new = (event.row or {} for event in decoded.events)
    assert (old["name"], old["title"]) == ("bolt", None)
    assert (new["name"], new["title"]) == (None, "bolt")


def test_a_column_that_the_new_major_gave_up_does_not_survive_in_the_row(tmp_path: Path) -> None:
    new = read(new_row("bolt"), load_catalogue(written(tmp_path)))

    assert new.row is not None
    assert new.row["name"] is None
    assert new.row["title"] == "bolt"


def test_whoever_still_sends_the_deprecated_major_is_told(tmp_path: Path) -> None:
    deprecated = FIRST.replace("status: active", "status: deprecated")
    both = load_catalogue(written(tmp_path, first=deprecated))

    decoded = translate([message(envelope("u", after=old_row()))], both)

    assert [(drift.code, drift.column) for drift in decoded.drifts] == [("CONTRACT_DEPRECATED", "1.0.0")]
    assert len(decoded.events) == 1


def test_a_retired_major_is_read_no_more(tmp_path: Path) -> None:
    retired = FIRST.replace("status: active", "status: retired")
    one = load_catalogue(written(tmp_path, first=retired, mapping=MAPPING.replace("[title, name]", "title")))

    decoded = translate([message(envelope("u", after=old_row()))], one)

    assert [drift.code for drift in decoded.drifts] == ["COLUMN_RENAMED"], "it now reads as a renamed column"


def test_columns_of_a_retired_major_may_be_named_and_are_null_in_rows_of_the_next(tmp_path: Path) -> None:
    retired = FIRST.replace("status: active", "status: retired")

    new = read(new_row("bolt"), load_catalogue(written(tmp_path, first=retired)))

    assert new.row is not None
    assert (new.row["title"], new.row["name"]) == ("bolt", None)


@pytest.mark.parametrize("status", ["draft", "proposed", "retired"])
def test_without_an_active_contract_events_wait_as_dead_letters(tmp_path: Path, status: str) -> None:
    inactive = FIRST.replace("status: active", f"status: {status}")
    none = load_catalogue(written(tmp_path, inactive, None, MAPPING.replace("[title, name]", "name")))

    decoded = translate([message(envelope("u", after=old_row()))], none)

    assert [letter.code for letter in decoded.dead_letters] == ["CONTRACT_NOT_ACTIVE"]
    assert status in decoded.dead_letters[0].reason


def test_a_draft_beside_an_active_contract_reads_nothing(tmp_path: Path) -> None:
    draft = SECOND.replace("status: active", "status: draft")
    one = load_catalogue(written(tmp_path, second=draft, mapping=MAPPING.replace("[title, name]", "name")))

    assert [reader.contract.version for reader in one.profiles[0].readers] == ["1.0.0"]


def test_two_documents_of_one_major_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="major version 1"):
        load_catalogue(written(tmp_path, second=SECOND.replace("version: 2.0.0", "version: 1.1.0")))


def test_three_majors_at_once_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    third = SECOND.replace("version: 2.0.0", "version: 3.0.0")
    (folder / "shop" / "contract.v3.odcs.yaml").write_text(third, "utf-8")

    with pytest.raises(ConfigurationInvalid, match="3 major versions"):
        load_catalogue(folder)


def test_a_key_column_of_another_type_names_the_same_row_in_both_majors(tmp_path: Path) -> None:
    both = load_catalogue(written(tmp_path, second=SECOND.replace("physicalType: bigint", "physicalType: text")))
    old = message(envelope("u", after=old_row()))
    new = message(envelope("u", after=new_row("bolt") | {"id": "7"}), key={"id": "7"}, offset=1)

    decoded = translate([old, new], both)

    assert decoded.dead_letters == ()
    assert [event.key for event in decoded.events] == [CrosswalkKey("shop", "part", "7")] * 2
    assert translate([message(envelope(), key={"id": []})], both).dead_letters[0].code == "VALUE_TYPE"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{name: price,", "{name: price, required: true, primaryKey: true, primaryKeyPosition: 2,", "primary key"),
        ("customProperties:\n", "customProperties:\n  - {property: envelope, value: flat}\n", "envelope"),
    ],
)
def test_majors_whose_rows_could_not_be_told_to_be_the_same_are_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in SECOND

    with pytest.raises(ConfigurationInvalid, match=f"differ in their {told}"):
        load_catalogue(written(tmp_path, second=SECOND.replace(old, new, 1)))
