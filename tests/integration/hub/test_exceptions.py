"""Bad input ends where it should, stops nothing else, and can be taken in later."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.errors import Conflict, Invalid, NotFound, OperatorError
from mdm.hub import steward
from mdm.hub.digest import state_digest
from mdm.hub.exception_work import OneException, hand_over, put_down, take
from mdm.hub.exceptions import (
    Mended,
    Selection,
    accept_exception,
    fix_dead_letter,
    reopen_dead_letters,
    replay_dead_letters,
    resolve_exception,
    to_discard,
    try_fix,
    try_replay,
)
from mdm.hub.process import BatchReport, Pipeline, process
from mdm.hub.verify import verify
from mdm.intake.mend import mend
from mdm.model.events import Message, Outcome, Place
from mdm.store.read_audit import AuditFilters, read_audit
from mdm.store.read_exceptions import dead_letter, dead_letters, exceptions
from mdm.store.read_letter_groups import dead_letter_groups
from tests.integration.hub.conftest import Feed, world_messages


def accounts(number: int) -> list[Message]:
    """Snapshot reads of CRM accounts."""
    return [message for message in world_messages() if message.place.topic == "crm.public.account"][:number]


def changed(message: Message, offset: int, **changes: Any) -> Message:
    """The message at another place, with changes to the row after it."""
    value = orjson.loads(message.value or b"{}")
    value["after"].update(changes)
    return replace(message, place=Place(message.place.topic, 9, offset), value=orjson.dumps(value))


def codes(engine: Engine) -> dict[str, str]:
    query = text("select topic || '/' || \"offset\", code from dead_letter where status = 'open'")
    with engine.connect() as connection:
        rows = connection.execute(query)
        return {row[0]: row[1] for row in rows}


def number_of(report: BatchReport, outcome: Outcome) -> int:
    return sum(number for (_, each), number in report.outcomes.items() if each is outcome)


def test_bad_messages_become_dead_letters_and_the_others_go_on(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    good, other, *rest = accounts(8)
    unknown = replace(rest[0], place=Place("crm.public.nothing", 0, 1))
    no_key = replace(rest[1], place=Place("crm.public.account", 9, 2), key=None)
    broken = replace(rest[2], place=Place("crm.public.account", 9, 3), value=b'{"before":')
    wrong_type = changed(rest[3], 4, number_of_employees="many")

    report = feed([good, unknown, no_key, broken, wrong_type, other])

    assert number_of(report, Outcome.APPLIED) == 2
    assert codes(engine) == {
        "crm.public.nothing/1": "TOPIC_UNKNOWN",
        "crm.public.account/2": "KEY_NULL",
        "crm.public.account/3": "ENVELOPE_MALFORMED",
        "crm.public.account/4": "VALUE_TYPE",
    }
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_every_dead_letter_says_what_to_do_and_whose_move_it_is(engine: Engine, feed: Feed) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = (("traceparent", f"00-{trace}-00f067aa0ba902b7-01".encode()),)
    feed([replace(accounts(1)[0], value=b"nonsense", headers=traced)])

    with engine.connect() as connection:
        row = connection.execute(text("select reason, action, owner, value, trace_id from dead_letter")).one()
    assert all(row[:3])
    assert row.trace_id == trace
    assert bytes(row.value) == b"nonsense"


def test_a_renamed_column_is_reported_while_its_rows_go_on_with_the_value_they_had(
    engine: Engine, pipeline: Pipeline
) -> None:
    first = accounts(1)[0]
    value = orjson.loads(first.value or b"")
    process(pipeline, "test", [first])
    value["after"]["company_name"] = value["after"].pop("name")
    value["op"], value["source"]["sequence"], value["source"]["lsn"] = "u", '["99999999","99999999"]', 99999999

    process(pipeline, "test", [replace(first, place=Place("crm.public.account", 9, 1), value=orjson.dumps(value))])

    with engine.connect() as connection:
        drifts = connection.execute(text("select code, detail, owner from exception")).all()
        names = connection.scalars(text("select attributes ->> 'name' from source_record")).all()
    assert [row.code for row in drifts] == ["COLUMN_RENAMED"]
    assert names[0]


def the_letter(engine: Engine) -> int:
    with engine.connect() as connection:
        (letter,) = dead_letters(connection)
    return int(letter["id"])


def account_names(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("select row ->> 'name' from source_record where type = 'account'")))


def at(message: Message, offset: int, lsn: int, **changes: Any) -> Message:
    """An update of the message's row at another place of the topic and of the source's log."""
    value = orjson.loads(message.value or b"{}")
    value["after"].update(changes)
    value["op"], value["source"]["snapshot"] = "u", "false"
    value["source"]["sequence"], value["source"]["lsn"] = f'["{lsn}","{lsn}"]', lsn
    place = Place(message.place.topic, message.place.partition, offset)
    return replace(message, place=place, value=orjson.dumps(value))


def test_a_mended_message_is_taken_in_and_the_original_stays(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    sound = accounts(1)[0]
    feed([replace(sound, value=b"nonsense")])
    letter = the_letter(engine)

    replayed = fix_dead_letter(pipeline, letter, Mended(value=sound.value), "the CRM exported it twice", "tester")

    assert replayed is not None
    assert number_of(replayed.report, Outcome.APPLIED) == 1
    assert [effect.what for effect in replayed.effects] == ["created"]
    assert codes(engine) == {}
    with engine.connect() as connection:
        found = dead_letter(connection, letter)
    assert found is not None
    assert (bytes(found["value"]), found["status"], found["closed_by"]) == (b"nonsense", "replayed", "tester")
    assert [(fix["author"], fix["reason"]) for fix in found["fixes"]] == [("tester", "the CRM exported it twice")]
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    with pytest.raises(NotFound):
        replay_dead_letters(pipeline, Selection(), "tester")
    with pytest.raises(Conflict):
        fix_dead_letter(pipeline, letter, Mended(value=sound.value), "again", "tester")


def test_a_dry_run_shows_the_golden_fields_and_keeps_nothing(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    sound = accounts(1)[0]
    feed([sound, at(sound, 10**6, 10**12, name="Renamed Holding", number_of_employees="many")])
    letter = the_letter(engine)
    before = state_digest(engine)
    mended = Mended(value=mend(at(sound, 10**6, 10**12, name="Renamed Holding").value, []))

    rehearsed = try_fix(pipeline, letter, mended, "tester")

    (effect,) = rehearsed.effects
    assert effect.what == "changed"
    assert [change.after for change in effect.fields if change.field == "name"] == ["Renamed Holding"]
    assert state_digest(engine) == before
    assert codes(engine) == {f"crm.public.account/{10**6}": "VALUE_TYPE"}


def test_a_quarantined_event_does_not_hold_up_later_ones_and_takes_its_own_place_when_it_is_replayed(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first = accounts(1)[0]
    broken = at(first, 10**6, 10**12, name="Second Name", number_of_employees="many")
    last = at(first, 10**6 + 1, 10**12 + 1, name="Third Name")
    feed([first, broken, last])
    assert account_names(engine) == {"Third Name"}, "later events of the row go on"
    with engine.connect() as connection:
        found = dead_letter(connection, the_letter(engine))
    assert found is not None
    assert found["later_events"] == 1

    fixed = mend(broken.value, [("after.number_of_employees", "40")])
    replayed = fix_dead_letter(pipeline, the_letter(engine), Mended(value=fixed), "a typing error", "tester")

    assert replayed is not None
    assert number_of(replayed.report, Outcome.STALE) == 1
    assert replayed.effects == (), "what came after it in the source outranks it"
    assert account_names(engine) == {"Third Name"}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_a_replayed_event_gives_later_ones_the_columns_that_they_left_out(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first = accounts(1)[0]
    broken = at(first, 10**6, 10**12, description="a long text", number_of_employees="many")
    last = at(first, 10**6 + 1, 10**12 + 1, description="__debezium_unavailable_value")
    feed([first, broken, last])

    fixed = mend(broken.value, [("after.number_of_employees", "40")])
    fix_dead_letter(pipeline, the_letter(engine), Mended(value=fixed), "a typing error", "tester")

    with engine.connect() as connection:
        description = connection.scalar(text("select row ->> 'description' from source_record"))
    assert description == "a long text", "as if the quarantined event had come in time"
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_a_replayed_event_gives_them_to_a_row_that_went_on_under_another_key_in_another_partition(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first = accounts(1)[0]
    old_key, new_key = first.key or b"", b'{"id":"a new key"}'
    broken = at(first, 10**6, 10**12, description="a long text", number_of_employees="many")
    left = at(first, 10**6 + 1, 10**12 + 1)
    gone = {**orjson.loads(left.value or b""), "op": "d", "before": {"id": "any"}, "after": None}
    left = replace(left, value=orjson.dumps(gone), headers=(("__debezium.newkey", new_key),))
    came = at(first, 7, 10**12 + 2, id="a new key", name="New Key", description="__debezium_unavailable_value")
    came = replace(
        came,
        place=Place(first.place.topic, first.place.partition + 1, 7),
        key=new_key,
        value=orjson.dumps({**orjson.loads(came.value or b""), "op": "c"}),
        headers=(("__debezium.oldkey", old_key),),
    )
    feed([first, broken, came, left])

    fixed = mend(broken.value, [("after.number_of_employees", "40")])
    fix_dead_letter(pipeline, the_letter(engine), Mended(value=fixed), "a typing error", "tester")

    query = text("select row ->> 'name', row ->> 'description' from source_record where not deleted")
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [("New Key", "a long text")]
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_dead_letters_of_a_kind_are_one_group_with_owner_and_time(engine: Engine, feed: Feed) -> None:
    several = accounts(6)
    feed([changed(each, number, number_of_employees="x" * (number + 3)) for number, each in enumerate(several[:5])])
    feed([replace(several[5], value=b"nonsense")])

    with engine.connect() as connection:
        groups = dead_letter_groups(connection)
        of_a_kind = dead_letters(connection, Selection(like=groups[0]["newest_id"]))

    assert [(group["letters"], group["rows"], group["code"]) for group in groups] == [
        (5, 5, "VALUE_TYPE"),
        (1, 1, "ENVELOPE_MALFORMED"),
    ]
    assert groups[0]["owner"] == "sales-operations"
    assert groups[0]["first_seen"] <= groups[0]["last_seen"]
    assert len(of_a_kind) == 5


def test_replay_can_be_narrowed_down(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    several = accounts(4)
    feed([changed(each, number, number_of_employees="many") for number, each in enumerate(several)])
    key = orjson.loads(several[0].key or b"")["id"]

    def tried(**conditions: Any) -> int:
        return number_of(try_replay(pipeline, Selection(**conditions), "tester").report, Outcome.QUARANTINED)

    assert tried() == 4
    assert tried(row_key=key) == 1
    assert tried(first_offset=1, last_offset=2, partition=9) == 2
    assert tried(topic="crm.public.account", code="VALUE_TYPE", owner="sales-operations") == 4
    with pytest.raises(NotFound):
        tried(code="KEY_NULL")


def test_what_is_refused_again_stays_a_dead_letter_with_the_reason_of_this_time(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    feed([replace(accounts(1)[0], value=b"nonsense")])

    done = fix_dead_letter(pipeline, the_letter(engine), Mended(value=b'{"op": "?"}'), "an attempt", "tester")

    assert done is not None
    assert number_of(done.report, Outcome.QUARANTINED) == 1
    with engine.connect() as connection:
        (letter,) = dead_letters(connection)
    assert (letter["seen"], letter["fixed"]) == (2, True)
    assert "no known op" in letter["reason"]
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_discarding_is_audited_and_can_be_taken_back(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed([replace(accounts(1)[0], value=b"nonsense")])
    letter = the_letter(engine)
    with pytest.raises(OperatorError, match="condition"):
        to_discard(engine, Selection(), "all of them")

    steward.decide(
        pipeline,
        steward.Actor("tester", Role.OPERATOR),
        to_discard(engine, Selection(ids=(letter,)), "a test row"),
    )

    with engine.connect() as connection:
        (line,) = read_audit(connection, AuditFilters(action="steward.discard"), None, 10)
    assert (line.actor, line.detail["reason"]) == ("tester", "a test row")
    assert codes(engine) == {}
    assert reopen_dead_letters(engine, pipeline.clock, [letter], "it was not", "tester") == 1
    assert len(codes(engine)) == 1


def drift(pipeline: Pipeline, offset: int) -> None:
    """An account with a column that nobody has agreed on."""
    process(pipeline, "test", [changed(accounts(1)[0], offset, twitter__c="@acme")])


def exception_status(engine: Engine) -> tuple[str, int]:
    with engine.connect() as connection:
        row = connection.execute(text("select status, seen from exception where code = 'COLUMN_ADDED'")).one()
    return row.status, row.seen


def test_names_that_come_from_data_fill_the_list_up_to_a_bound(engine: Engine, pipeline: Pipeline) -> None:
    account = accounts(1)[0]
    for start in (0, 150, 300):
        process(
            pipeline,
            "test",
            [changed(account, number, **{f"n{number}": 1}) for number in range(start + 1, start + 151)],
        )
    process(pipeline, "test", [changed(account, 900, n7=2)])

    with engine.connect() as connection:
        found = connection.execute(text("select question, seen, detail from exception order by 1")).all()
    assert len(found) == 201
    rest = next(each for each in found if each.question == "crm:account:*:COLUMN_ADDED")
    assert rest.seen == 250
    assert "More than 200 columns differ in this way" in rest.detail
    assert {each.seen for each in found if each.question == "crm:account:n7:COLUMN_ADDED"} == {2}


def test_resolved_drift_opens_again_and_accepted_drift_does_not(engine: Engine, pipeline: Pipeline) -> None:
    drift(pipeline, 1)
    with engine.connect() as connection:
        (found,) = exceptions(connection)

    resolve_exception(engine, pipeline.clock, found["id"], "the column is gone", "tester")
    assert exception_status(engine) == ("resolved", 1)
    drift(pipeline, 2)
    assert exception_status(engine) == ("open", 2)
    accept_exception(engine, pipeline.clock, found["id"], "nobody reads it", "tester")
    drift(pipeline, 3)
    assert exception_status(engine) == ("accepted", 3)
    with pytest.raises(NotFound):
        resolve_exception(engine, pipeline.clock, found["id"], "once more", "tester")


def test_a_kind_has_one_who_looks_after_it_also_after_what_comes_later(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    clock = pipeline.clock
    many = [changed(account, number, number_of_employees="many") for number, account in enumerate(accounts(4))]
    feed([*many[:2], replace(accounts(5)[4], value=b"nonsense")])
    with engine.connect() as connection:
        kind = Selection(like=dead_letter_groups(connection, Selection(code="VALUE_TYPE"))[0]["newest_id"])

    assert take(engine, clock, kind, "ada") == take(engine, clock, kind, "ada") == 2
    with pytest.raises(Conflict, match="ada has it"):
        take(engine, clock, kind, "bob")
    feed(many[2:])

    def whose() -> dict[str, list[str]]:
        with engine.connect() as connection:
            return {each["code"]: each["assignees"] for each in dead_letter_groups(connection)}

    assert whose() == {"VALUE_TYPE": ["ada"], "ENVELOPE_MALFORMED": []}
    with engine.connect() as connection:
        assert len(dead_letters(connection, Selection(assignee="ada"))) == 4
        assert [each["code"] for each in dead_letters(connection, Selection(taken=False))] == ["ENVELOPE_MALFORMED"]
    assert hand_over(engine, clock, kind, "bob", "ada") == 4
    assert whose()["VALUE_TYPE"] == ["bob"]
    with pytest.raises(Invalid, match="to whom"):
        hand_over(engine, clock, kind, " ", "bob")
    assert put_down(engine, clock, kind, "bob") == 4
    assert whose()["VALUE_TYPE"] == []
    with engine.connect() as connection:
        acts = [row.action for row in read_audit(connection, AuditFilters(), None, 50)]
    assert [act for act in acts if act in ("take", "hand over", "put down")] == ["put down", "hand over", "take"]


def test_an_exception_has_one_who_looks_after_it_until_it_is_closed(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    feed([changed(accounts(1)[0], 1, twitter__c="@acme")])
    with engine.connect() as connection:
        drift = OneException(exceptions(connection)[0]["id"])

    take(engine, pipeline.clock, drift, "ada")
    with pytest.raises(Conflict, match="ada has it"):
        take(engine, pipeline.clock, drift, "bob")
    with engine.connect() as connection:
        assert [each["id"] for each in exceptions(connection, assignee="ada")] == [drift.exception_id]
        assert exceptions(connection, taken=False) == []
    resolve_exception(engine, pipeline.clock, drift.exception_id, "taken out", "ada")
    with pytest.raises(NotFound):
        put_down(engine, pipeline.clock, drift, "ada")
