"""A feed that lost something raises an exception in the batch that shows it, and goes on."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

import mdm
from mdm.clock import system_clock
from mdm.core.gates import NOT_AGREED
from mdm.hub.process import Pipeline, process
from mdm.hub.silence import look_for_silence
from mdm.model.advice import ADVICE
from mdm.model.events import Message, Outcome
from mdm.model.lives import in_life
from mdm.store import recycled, source_differences
from mdm.store.read_exceptions import exceptions
from mdm.store.read_status import message_account
from mdm.store.silence import CODE
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.test_exceptions import account_names, at


def found(engine: Engine) -> list[tuple[str, str, str, int]]:
    with engine.connect() as connection:
        rows = exceptions(connection)
    return sorted((each["kind"], each["code"], each["owner"], each["seen"]) for each in rows)


def partition() -> list[Message]:
    return [m for m in world_messages() if (m.place.topic, m.place.partition) == ("crm.public.account", 0)]


def test_lost_offsets_are_an_exception_of_the_owner(engine: Engine, pipeline: Pipeline) -> None:
    messages = partition()

    process(pipeline, "kafka:hub", messages[:5])
    assert found(engine) == []
    process(pipeline, "kafka:hub", messages[9:12])
    process(pipeline, "kafka:hub", messages[12:14])

    assert found(engine) == [("gap", "OFFSETS_JUMP", "sales-operations", 1)]


def test_what_comes_in_a_topic_that_was_made_anew_is_taken_in_and_said(engine: Engine, pipeline: Pipeline) -> None:
    first = partition()[0]

    process(pipeline, "kafka:hub", [at(first, 0, 10**12, name="Before"), at(first, 1, 10**12 + 1, name="Later")])
    process(pipeline, "kafka:hub", [at(first, in_life(1, 0), 10**12 + 2, name="Anew")])

    assert account_names(engine) == {"Anew"}
    assert found(engine) == [("gap", "TOPIC_MADE_ANEW", "sales-operations", 1)]


def test_another_message_at_a_place_that_was_read_is_left_out_and_said(engine: Engine, pipeline: Pipeline) -> None:
    first, second = partition()[:2]
    process(pipeline, "file:one", [at(first, 0, 10**12, name="One"), at(second, 1, 10**12 + 1, name="Two")])

    process(pipeline, "file:one", [at(first, 0, 10**12, name="One"), at(second, 1, 10**12 + 1, name="Two")])
    assert found(engine) == [], "a repetition is nothing to worry about"
    process(pipeline, "file:other", [at(second, 0, 10**12, name="Another row"), at(second, 1, 10**13, name="Later")])

    assert account_names(engine) == {"One", "Two"}
    assert found(engine) == [("gap", "PLACE_TAKEN", "sales-operations", 1)]


def test_of_two_messages_of_one_place_in_one_batch_the_first_counts(engine: Engine, pipeline: Pipeline) -> None:
    first = partition()[0]
    broken = replace(at(first, 0, 10**12, name="Two"), value=b"{")

    report = process(pipeline, "file:one", [at(first, 0, 10**12, name="One"), broken])

    assert account_names(engine) == {"One"}
    assert report.outcomes == {("crm", Outcome.APPLIED): 1, ("crm", Outcome.DUPLICATE): 1}
    assert found(engine) == [("gap", "PLACE_TAKEN", "sales-operations", 1)]
    with engine.connect() as connection:
        assert not connection.scalar(text("select count(*) from dead_letter"))
        assert message_account(connection)["add_up"]


def test_a_slot_that_was_created_anew_is_an_exception(engine: Engine, pipeline: Pipeline) -> None:
    first = partition()[0]

    process(pipeline, "kafka:hub", [at(first, 1000, 10**12, name="One")])
    process(pipeline, "kafka:hub", [at(first, 1001, 10**9, name="Two")])

    assert found(engine) == [("gap", "LOG_BACKWARDS", "sales-operations", 1)]


def test_a_log_that_started_over_is_believed_again_when_it_was_set_ahead(engine: Engine, pipeline: Pipeline) -> None:
    first = partition()[0]

    process(pipeline, "kafka:hub", [at(first, 1000, 10**12, name="Before")])
    process(pipeline, "kafka:hub", [at(first, 1001, 10**9, name="Restored")])
    assert account_names(engine) == {"Before"}, "as the advice says: it counts as old"
    process(pipeline, "kafka:hub", [at(first, 1002, 10**12 + 1, name="Set Ahead")])
    assert account_names(engine) == {"Set Ahead"}


def test_the_whole_sample_world_shows_no_gap(engine: Engine, pipeline: Pipeline) -> None:
    messages = [message for message in world_messages() if message.place.topic.startswith(("product.", "crm."))]

    process(pipeline, "kafka:hub", messages)

    assert [each for each in found(engine) if each[0] == "gap"] == []


def test_a_platform_that_falls_silent_is_an_exception_until_it_is_heard_again(
    engine: Engine, pipeline: Pipeline
) -> None:
    messages = partition()
    process(pipeline, "kafka:hub", messages[:3])
    later = replace(pipeline, clock=lambda: system_clock() + timedelta(hours=2))

    assert look_for_silence(pipeline, timedelta(hours=1)) == []
    assert found(engine) == []
    assert look_for_silence(later, timedelta(hours=1)) == ["crm"]
    assert look_for_silence(later, timedelta(hours=1)) == ["crm"]
    assert found(engine) == [("gap", "SOURCE_SILENT", "sales-operations", 1)], "said once, however often it is seen"

    process(later, "kafka:hub", messages[3:5])
    assert look_for_silence(later, timedelta(hours=1)) == []
    assert found(engine) == []

    assert look_for_silence(replace(pipeline, clock=lambda: system_clock() + timedelta(hours=9)), timedelta(hours=1))
    assert found(engine) == [("gap", "SOURCE_SILENT", "sales-operations", 2)]


def test_every_code_that_an_exception_can_have_says_what_to_do() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in Path(mdm.__path__[0]).rglob("*.py"))
    drift = set(re.findall(r'Deviation\(\s*"([A-Z_]+)"', sources)) | {"COLUMN_WIDENED"}
    gaps = set(re.findall(r'Alarm\(\s*"([A-Z_]+)"', sources)) | {CODE}
    gaps |= {source_differences.CODE}
    sizes = set(re.findall(r'"([A-Z]+_OVERSIZED|RECORD_WITHOUT_USABLE_KEY|PAIRS_UNCOMPARED)"', sources))

    assert drift | gaps | sizes | {recycled.CODE, NOT_AGREED} == ADVICE.keys()
