"""Bad input ends where it should, stops nothing else, and can be taken in later."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.errors import NotFound
from mdm.hub.exceptions import Selection, discard_dead_letters, replay_dead_letters
from mdm.hub.process import BatchReport, Pipeline, process
from mdm.hub.verify import verify
from mdm.model.events import Message, Outcome, Place
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
    feed([replace(accounts(1)[0], value=b"nonsense")])

    with engine.connect() as connection:
        row = connection.execute(text("select reason, action, owner, value from dead_letter")).one()
    assert all(row[:3])
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
    assert {row.code for row in drifts} == {"COLUMN_ADDED", "COLUMN_MISSING"}
    assert names[0]


def test_a_dead_letter_is_taken_in_once_its_cause_is_mended(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    sound = accounts(1)[0]
    feed([replace(sound, value=b"nonsense")])
    with engine.begin() as connection:  # what a person would mend
        connection.execute(text("update dead_letter set value = :value"), {"value": sound.value})

    report = replay_dead_letters(pipeline, Selection(), "tester")

    assert number_of(report, Outcome.APPLIED) == 1
    assert codes(engine) == {}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    with pytest.raises(NotFound):
        replay_dead_letters(pipeline, Selection(), "tester")


def test_what_is_refused_again_stays_a_dead_letter(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed([replace(accounts(1)[0], value=b"nonsense")])

    report = replay_dead_letters(pipeline, Selection(code="ENVELOPE_MALFORMED"), "tester")

    assert number_of(report, Outcome.QUARANTINED) == 1
    assert len(codes(engine)) == 1
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_discarding_is_audited(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed([replace(accounts(1)[0], value=b"nonsense")])
    with engine.connect() as connection:
        letter = connection.scalar(text("select dead_letter_id from dead_letter"))

    assert discard_dead_letters(engine, pipeline.clock, [letter or 0], "a test row", "tester") == 1

    with engine.connect() as connection:
        row = connection.execute(text("select actor, detail from audit where action = 'discard'")).one()
    assert row.actor == "tester"
    assert row.detail["reason"] == "a test row"
    assert codes(engine) == {}
