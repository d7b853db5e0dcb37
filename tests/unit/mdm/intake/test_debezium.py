"""What becomes of one message: an event, nothing, or a dead letter with a code and advice."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import decode, translate
from mdm.intake.refusal import ACTIONS
from mdm.model.events import ChangeEvent, DeadLetter, Ignored, Message, Operation, SourcePosition
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.intake.messages import catalogue, envelope, message, part

CANONICAL = {"id": 7, "name": "bolt", "price": "1.50", "made_on": "2023-12-07"}


@pytest.fixture
def shop(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


def event(value: Message, shop: Catalogue) -> ChangeEvent:
    decoded = decode(value, shop)
    assert isinstance(decoded, ChangeEvent), decoded
    return decoded


def refused(value: Message, shop: Catalogue) -> DeadLetter:
    decoded = decode(value, shop)
    assert isinstance(decoded, DeadLetter), decoded
    return decoded


def ignored(value: Message, shop: Catalogue) -> str:
    decoded = decode(value, shop)
    assert isinstance(decoded, Ignored), decoded
    return decoded.reason


class TestRows:
    def test_a_create_carries_the_row_in_canonical_form(self, shop: Catalogue) -> None:
        created = event(message(envelope("c")), shop)

        assert created.operation is Operation.CREATE
        assert created.key == CrosswalkKey("shop", "part", "7")
        assert created.row == CANONICAL
        assert created.event_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        assert (created.lsn, created.transaction, created.snapshot) == (100, "5", False)

    def test_a_row_in_a_schema_wrapper_reads_by_its_schema(self, tmp_path: Path) -> None:
        shop = catalogue(tmp_path, decimals="precise")
        decimal = {
            "field": "price",
            "type": "bytes",
            "name": "org.apache.kafka.connect.data.Decimal",
            "parameters": {"scale": "2"},
        }
        fields = [
            {"field": "id", "type": "int64"},
            {"field": "name", "type": "string"},
            decimal,
            {"field": "made_on", "type": "int32", "name": "io.debezium.time.Date"},
        ]
        schema = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": fields}]}
        key = {"schema": {"type": "struct", "fields": [{"field": "id", "type": "int64"}]}, "payload": {"id": 7}}
        value = {"schema": schema, "payload": envelope("c", after=part(price="AJY="))}

        assert event(message(value, key), shop).row == {
            "id": 7,
            "name": "bolt",
            "price": "1.50",
            "made_on": "2023-12-07",
        }

    def test_a_delete_believes_only_the_key(self, shop: Catalogue) -> None:
        invented = {"id": 7, "name": "", "price": None, "made_on": 0}

        deleted = event(message(envelope("d", before=invented)), shop)

        assert deleted.row is None
        assert deleted.key == CrosswalkKey("shop", "part", "7")

    def test_an_unchanged_large_column_is_named_not_overwritten(self, shop: Catalogue) -> None:
        updated = event(message(envelope("u", after=part(name="__debezium_unavailable_value"))), shop)

        assert updated.unavailable == {"name"}
        assert updated.row is not None
        assert "name" not in updated.row

    def test_a_column_that_is_not_mentioned_stays_unknown(self, shop: Catalogue) -> None:
        row = event(message(envelope("u", after={"id": 7, "name": "bolt"})), shop).row

        assert row == {"id": 7, "name": "bolt"}

    def test_a_changed_key_is_told_by_both_of_its_events(self, shop: Catalogue) -> None:
        given_up = event(message(envelope("d"), headers=(("__debezium.newkey", b'{"id":8}'),)), shop)
        taken = event(
            message(envelope("c", after=part(id=8)), {"id": 8}, headers=(("__debezium.oldkey", b'{"id":7}'),)), shop
        )

        assert given_up.next_key == taken.key == CrosswalkKey("shop", "part", "8")
        assert taken.previous_key == given_up.key

    def test_the_trace_of_the_message_is_kept(self, shop: Catalogue) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

        for written in (trace, f'"{trace}"', f'{{"schema":{{"type":"string"}},"payload":"{trace}"}}'):
            assert event(message(envelope(), headers=(("traceparent", written.encode()),)), shop).traceparent == trace

    def test_an_unreadable_trace_costs_only_the_trace(self, shop: Catalogue) -> None:
        assert event(message(envelope(), headers=(("traceparent", b"\xff\x00"),)), shop).traceparent is None


class TestPositions:
    def test_the_last_commit_goes_before_the_lsn(self, shop: Catalogue) -> None:
        value = envelope(transaction={"id": "5:100", "total_order": 3})

        assert event(message(value), shop).position == SourcePosition(90, 100, 3, 1)

    def test_an_unknown_last_commit_counts_as_the_lsn(self, shop: Catalogue) -> None:
        value = envelope(source={"sequence": '[null,"100"]'})

        assert event(message(value), shop).position == SourcePosition(100, 100, 0, 1)

    def test_a_snapshot_read_ranks_below_a_change_at_the_same_place(self, shop: Catalogue) -> None:
        read = event(message(envelope("r", source={"snapshot": "true"})), shop)
        change = event(message(envelope("u")), shop)

        assert read.snapshot
        assert read.position < change.position

    def test_an_incremental_snapshot_has_a_sequence_only(self, shop: Catalogue) -> None:
        read = event(message(envelope("r", source={"lsn": None, "txId": None, "snapshot": "incremental"})), shop)

        assert read.position == SourcePosition(90, 100, 0, 0)
        assert read.lsn is None

    def test_the_binlog_gives_file_position_and_row(self, shop: Catalogue) -> None:
        source = {"sequence": None, "lsn": None, "file": "binlog.000012", "pos": 400, "row": 2}

        assert event(message(envelope(source=source)), shop).position == SourcePosition(12, 400, 2, 1)

    @pytest.mark.parametrize(
        "source",
        [
            {"sequence": None, "lsn": None},
            {"sequence": "[]"},
            {"sequence": "no list"},
            {"sequence": '["a","b"]'},
            {"sequence": None, "lsn": None, "file": "binlog", "pos": 1},
        ],
    )
    def test_an_event_without_a_position_is_refused(self, shop: Catalogue, source: dict[str, Any]) -> None:
        assert refused(message(envelope(source=source)), shop).code == "POSITION_MISSING"


class TestTruncate:
    def test_master_data_is_not_emptied_by_a_message(self, shop: Catalogue) -> None:
        letter = refused(message(envelope("t"), key=None), shop)

        assert letter.code == "TRUNCATE_HELD"
        assert letter.owner == "parts-desk"
        assert (letter.system, letter.type) == ("shop", "part")

    def test_a_contract_may_apply_it(self, tmp_path: Path) -> None:
        emptied = event(message(envelope("t"), key=None), catalogue(tmp_path, truncate="apply"))

        assert emptied.operation is Operation.TRUNCATE
        assert emptied.key is None
        assert emptied.row is None


class TestIgnored:
    @pytest.mark.parametrize("value", [None, b"null", {"schema": {"type": "struct"}, "payload": None}])
    def test_a_tombstone_in_its_three_forms(self, shop: Catalogue, value: Any) -> None:
        assert ignored(message(value), shop) == "tombstone"

    def test_a_tombstone_of_an_unknown_topic(self, shop: Catalogue) -> None:
        assert ignored(message(None, topic="shop.public.other"), shop) == "tombstone"

    def test_a_topic_that_the_contract_passes_over(self, shop: Catalogue) -> None:
        assert ignored(message(envelope(), topic="shop.dbz.signal"), shop) == "topic_ignored"

    def test_a_heartbeat(self, shop: Catalogue) -> None:
        assert ignored(message({"ts_ms": 1}, topic="__debezium-heartbeat.shop"), shop) == "heartbeat"

    def test_a_transaction_marker(self, shop: Catalogue) -> None:
        assert (
            ignored(message({"status": "BEGIN", "id": "5:90"}, topic="shop.transaction"), shop) == "transaction_marker"
        )

    def test_a_schema_change(self, shop: Catalogue) -> None:
        assert ignored(message({"ddl": "ALTER TABLE part"}, topic="shop"), shop) == "schema_change"

    def test_a_logical_message(self, shop: Catalogue) -> None:
        assert ignored(message(envelope("m", message={}), topic="shop.message"), shop) == "logical_message"
        assert ignored(message(envelope("m", message={})), shop) == "logical_message"


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "bad"),
        [
            ("TOPIC_UNKNOWN", message(envelope(), topic="shop.public.other")),
            ("TOPIC_UNKNOWN", message({"status": "?"}, topic="shop.public.transaction")),
            ("FEED_LINE_MALFORMED", message(b"{", topic="file:a.jsonl", offset=12)),
            ("ENVELOPE_MALFORMED", message(b"{not json")),
            ("ENVELOPE_MALFORMED", message(b'"text"')),
            ("SCHEMA_UNKNOWN", message(b"\x00\x00\x00\x00\x01avro")),
            ("ENVELOPE_MALFORMED", message({"op": "c"})),
            ("ENVELOPE_MALFORMED", message(envelope("x", after=part()))),
            ("ENVELOPE_MALFORMED", message(envelope("c", after=None))),
            ("ENVELOPE_MALFORMED", message(envelope("c", after=[1]))),
            ("ENVELOPE_MALFORMED", message(envelope(source={"ts_us": 10**30}))),
            ("KEY_NULL", message(envelope(), key=None)),
            ("KEY_NULL", message(envelope(), key=b"null")),
            ("KEY_NULL", message(envelope(), key={"id": None})),
            ("KEY_MALFORMED", message(envelope(), key=b"7")),
            ("KEY_MALFORMED", message(envelope(), key={"number": 7})),
            ("KEY_MALFORMED", message(envelope(), key=b"{")),
            ("KEY_DIFFERS", message(envelope(after=part(id=8)))),
            ("KEY_DIFFERS", message(envelope("r"), key={"id": 8})),
            ("VALUE_TYPE", message(envelope(), key={"id": "seven"})),
            ("VALUE_TYPE", message(envelope(after=part(name=["bolt"])))),
            ("VALUE_TYPE", message(envelope(after=part(id=True)))),
            ("VALUE_TYPE", message(envelope(after=part(price="a lot")))),
            ("VALUE_TYPE", message(envelope(after=part(made_on="yesterday")))),
            ("CHARACTER_FORBIDDEN", message(envelope(after=part(name="bo\0lt")))),
            ("CHARACTER_FORBIDDEN", message(envelope(), key={"id": "\0"})),
            ("HEADER_MALFORMED", message(envelope("d"), headers=(("__debezium.newkey", b"{"),))),
            ("HEADER_MALFORMED", message(envelope("c"), headers=(("__debezium.oldkey", b'{"no":1}'),))),
            ("SCHEMA_MALFORMED", message({"schema": {"fields": 1}, "payload": envelope()})),
        ],
        ids=lambda case: case if isinstance(case, str) else "",
    )
    def test_a_bad_message_is_refused_by_code(self, shop: Catalogue, code: str, bad: Message) -> None:
        letter = refused(bad, shop)

        assert letter.code == code
        assert letter.message is bad
        assert letter.action == ACTIONS[code]
        assert letter.reason

    def test_the_reason_names_column_and_expected_type_but_no_value(self, shop: Catalogue) -> None:
        letter = refused(message(envelope(after=part(made_on="1977-05-03 secret"))), shop)

        assert "made_on" in letter.reason
        assert "date" in letter.reason
        assert "text of 17 characters" in letter.reason
        assert "secret" not in letter.reason

    @pytest.mark.parametrize("mode", ["evolve", "freeze", "discard_value"])
    def test_whose_row_it_is_is_not_left_to_the_mode_of_the_contract(self, tmp_path: Path, mode: str) -> None:
        letter = refused(message(envelope("u", after=part(id=8))), catalogue(tmp_path, mode=mode))

        assert (letter.code, letter.row_key) == ("KEY_DIFFERS", "7")
        assert "8" not in letter.reason

    def test_a_row_that_does_not_mention_its_key_is_the_keys(self, shop: Catalogue) -> None:
        row = {name: value for name, value in part().items() if name != "id"}

        assert event(message(envelope("u", after=row)), shop).key == CrosswalkKey("shop", "part", "7")

    def test_what_a_delete_says_of_the_row_before_is_not_believed(self, shop: Catalogue) -> None:
        deleted = event(message(envelope("d", before=part(id=0))), shop)

        assert deleted.key == CrosswalkKey("shop", "part", "7")

    def test_without_a_contract_the_operations_team_owns_the_letter(self, shop: Catalogue) -> None:
        assert refused(message(envelope(), topic="shop.public.other"), shop).owner == "integration-operations"

    def test_an_escaped_backslash_before_u0000_is_no_nul(self, shop: Catalogue) -> None:
        row = event(message(envelope(after=part(name="a\\u0000b"))), shop).row

        assert row is not None
        assert row["name"] == "a\\u0000b"


class TestContractModes:
    def test_evolve_keeps_a_new_column_and_tells_the_owner_once(self, shop: Catalogue) -> None:
        messages = [message(envelope("u", after=part(weight=2)), offset=number) for number in range(3)]

        decoded = translate(messages, shop)

        assert [found.row and found.row["weight"] for found in decoded.events] == [2, 2, 2]
        assert [(drift.code, drift.column, drift.owner) for drift in decoded.drifts] == [
            ("COLUMN_ADDED", "weight", "parts-desk")
        ]
        assert decoded.drifts[0].place == messages[0].place

    @pytest.mark.parametrize(("mode", "kept", "fate"), [("evolve", 5_000, "kept"), ("discard_value", 0, "dropped")])
    def test_thousands_of_new_columns_are_told_in_one_sentence(
        self, tmp_path: Path, mode: str, kept: int, fate: str
    ) -> None:
        many = {f"n{number}": number for number in range(5_000)}

        decoded = translate([message(envelope("u", after=part(**many)))], catalogue(tmp_path, mode=mode))

        row = decoded.events[0].row
        assert row is not None
        assert len(row.keys() & many.keys()) == kept
        assert [(drift.code, drift.column) for drift in decoded.drifts] == [("COLUMN_ADDED", "*")]
        assert fate in decoded.drifts[0].detail

    def test_a_name_that_no_database_gives_is_no_column(self, shop: Catalogue) -> None:
        assert refused(message(envelope("u", after=part(**{"x" * 5_000: 1}))), shop).code == "ENVELOPE_MALFORMED"

    def test_evolve_tells_of_a_missing_column(self, shop: Catalogue) -> None:
        decoded = translate([message(envelope("u", after={"id": 7, "name": "bolt", "made_on": 1}))], shop)

        assert [(drift.code, drift.column) for drift in decoded.drifts] == [("COLUMN_MISSING", "price")]

    def test_evolve_tells_of_a_null_where_none_may_be(self, shop: Catalogue) -> None:
        decoded = translate([message(envelope("u", after=part(name=None)))], shop)

        assert [(drift.code, drift.column) for drift in decoded.drifts] == [("COLUMN_NULL", "name")]

    def test_a_column_that_may_be_absent_causes_no_word(self, shop: Catalogue) -> None:
        decoded = translate([message(envelope()), message(envelope(after=part(colour="red")), offset=1)], shop)

        assert decoded.drifts == ()

    def test_a_column_that_goes_as_another_comes_reads_like_a_new_name(self, shop: Catalogue) -> None:
        renamed = {"id": 7, "title": "bolt", "price": "1.50", "made_on": 1}

        decoded = translate([message(envelope("u", after=renamed))], shop)

        assert {(drift.code, drift.column) for drift in decoded.drifts} == {
            ("COLUMN_RENAMED", "title"),
        }

    def test_freeze_refuses_what_deviates(self, tmp_path: Path) -> None:
        letter = refused(message(envelope(after=part(weight=2))), catalogue(tmp_path, mode="freeze"))

        assert letter.code == "CONTRACT_VIOLATION"
        assert "weight" in letter.reason

    def test_discard_value_drops_an_unknown_column(self, tmp_path: Path) -> None:
        decoded = translate([message(envelope(after=part(weight=2)))], catalogue(tmp_path, mode="discard_value"))

        assert decoded.events[0].row is not None
        assert "weight" not in decoded.events[0].row
        assert "dropped" in decoded.drifts[0].detail


def test_one_bad_message_holds_up_no_other(shop: Catalogue) -> None:
    batch = [message(envelope()), message(b"{", offset=1), message(None, offset=2), message(envelope("d"), offset=3)]

    decoded = translate(batch, shop)

    assert [found.place.offset for found in decoded.events] == [0, 3]
    assert [found.place.offset for found in decoded.ignored] == [2]
    assert [found.message.place.offset for found in decoded.dead_letters] == [1]


def _nested(levels: int) -> list[Any]:
    return [_nested(levels - 1)] if levels else []


@pytest.mark.parametrize(
    "column", [{"points": 2**64}, {"id": -(2**63) - 1}, {"deep": _nested(300)}, {"list": [{"inner": 10**30}]}]
)
def test_what_no_store_takes_is_a_dead_letter_and_its_neighbours_go_on(tmp_path: Path, column: dict[str, Any]) -> None:
    rows = [part(), part() | column, part()]
    messages = [message(envelope("u", after=row), offset=number) for number, row in enumerate(rows)]

    decoded = translate(messages, catalogue(tmp_path))

    assert [event.place.offset for event in decoded.events] == [0, 2]
    assert [letter.code for letter in decoded.dead_letters] == ["VALUE_TYPE"]


def test_the_largest_numbers_that_are_stored_are_taken(tmp_path: Path) -> None:
    row = part() | {"points": 2**64 - 1, "list": [-(2**63)]}

    decoded = translate([message(envelope("u", after=row))], catalogue(tmp_path))

    assert decoded.dead_letters == ()
    assert (decoded.events[0].row or {})["points"] == 2**64 - 1
