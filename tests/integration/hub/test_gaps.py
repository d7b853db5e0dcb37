"""A feed that lost something raises an exception in the batch that shows it, and goes on."""

from sqlalchemy import Engine

from mdm.hub.process import Pipeline, process
from mdm.model.events import Message
from mdm.store.read_exceptions import exceptions
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.test_exceptions import at


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


def test_a_slot_that_was_created_anew_is_an_exception(engine: Engine, pipeline: Pipeline) -> None:
    first = partition()[0]

    process(pipeline, "kafka:hub", [at(first, 1000, 10**12, name="One")])
    process(pipeline, "kafka:hub", [at(first, 1001, 10**9, name="Two")])

    assert found(engine) == [("gap", "LOG_BACKWARDS", "sales-operations", 1)]


def test_the_whole_sample_world_shows_no_gap(engine: Engine, pipeline: Pipeline) -> None:
    messages = [message for message in world_messages() if message.place.topic.startswith(("product.", "crm."))]

    process(pipeline, "kafka:hub", messages)

    assert found(engine) == []
