"""Stored events are taken in again: with nothing changed nothing happens, with other profiles the right things do."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.errors import NotFound
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.replay import replay, try_to_replay
from mdm.hub.verify import verify
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.store.refold import EventRange
from tests.harness.tampering import tamper
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.test_exceptions import accounts, at, changed

ACCOUNTS = EventRange(topic="crm.public.account")


@pytest.fixture
def fed(feed: Feed) -> None:
    feed([message for message in world_messages() if message.place.topic == "crm.public.account"])


def with_another_mapping(pipeline: Pipeline, folder: Path) -> Pipeline:
    """Accounts without an industry."""
    sources = folder / "sources"
    shutil.copytree(SHIPPED_SOURCES, sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    mapping = sources / "crm" / "account.yaml"
    lines = mapping.read_text("utf-8").splitlines()
    kept = [line for line in lines if line.strip() != "industry: industry"]
    assert len(kept) == len(lines) - 1
    mapping.write_text("\n".join(kept), "utf-8")
    catalogue = load_catalogue(sources)
    return replace(pipeline, catalogue=catalogue, rules=load_rules(catalogue))


def versions(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("select count(*) from golden")) or 0


@pytest.mark.usefixtures("fed")
def test_with_nothing_changed_a_replay_changes_nothing(engine: Engine, pipeline: Pipeline) -> None:
    before = versions(engine)

    done = replay(pipeline, ACCOUNTS, "tester")

    assert done.rows > 100
    assert done.effects == ()
    assert versions(engine) == before
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


@pytest.mark.usefixtures("fed")
def test_another_mapping_is_rehearsed_field_by_field_and_then_takes_effect(
    engine: Engine, pipeline: Pipeline, tmp_path: Path
) -> None:
    changed_pipeline = with_another_mapping(pipeline, tmp_path)
    before = state_digest(engine)

    rehearsed = try_to_replay(changed_pipeline, ACCOUNTS, "tester")

    assert {change.field for effect in rehearsed.effects for change in effect.fields} == {"industry"}
    assert all(change.after is None for effect in rehearsed.effects for change in effect.fields)
    assert state_digest(engine) == before

    shares: list[float] = []
    done = replay(changed_pipeline, ACCOUNTS, "tester", shares.append)

    assert done.effects == rehearsed.effects
    assert shares[-1] == 1.0
    assert state_digest(engine) != before
    assert verify(engine, changed_pipeline.catalogue, changed_pipeline.rules).agrees
    assert replay(changed_pipeline, ACCOUNTS, "tester").effects == ()


class Killed(BaseException):
    """Stands for kill -9 between two units of work; inside of one, the database takes back what was not committed."""


@pytest.mark.usefixtures("fed")
def test_a_replay_that_is_killed_half_way_is_finished_by_the_next_one(
    engine: Engine, pipeline: Pipeline, tmp_path: Path
) -> None:
    changed_pipeline = with_another_mapping(pipeline, tmp_path)
    rehearsed = try_to_replay(changed_pipeline, ACCOUNTS, "tester")
    before, shares = state_digest(engine), 0

    def die_soon(_share: float) -> None:
        nonlocal shares
        shares += 1
        if shares == 3:
            raise Killed

    with pytest.raises(Killed):
        replay(changed_pipeline, ACCOUNTS, "tester", die_soon, batch_size=25)
    half_way = state_digest(engine)
    done = replay(changed_pipeline, ACCOUNTS, "tester", batch_size=25)

    assert before != half_way != state_digest(engine)
    assert 0 < len(done.effects) < len(rehearsed.effects), "what was done before the kill is not done again"
    assert verify(engine, changed_pipeline.catalogue, changed_pipeline.rules).agrees
    assert try_to_replay(changed_pipeline, ACCOUNTS, "tester").effects == ()


@pytest.mark.usefixtures("fed")
def test_a_damaged_row_is_mended_from_its_history(engine: Engine, pipeline: Pipeline) -> None:
    with engine.begin() as connection:
        key = connection.scalar(
            text("""update source_record set attributes = jsonb_set(attributes::jsonb, '{name}', '"Nobody"')::json
                    where rec_id = (select min(rec_id) from source_record where not deleted) returning key""")
        )
    assert not verify(engine, pipeline.catalogue, pipeline.rules).agrees

    done = replay(pipeline, EventRange(system="crm", type="account", key=key), "tester")

    assert done.rows == 1
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


@pytest.mark.usefixtures("fed")
def test_a_range_names_offsets_times_and_rows(engine: Engine, pipeline: Pipeline) -> None:
    with engine.connect() as connection:
        newest = connection.scalar(text("select max(event_time) from record_history"))
    assert newest is not None

    def rows(meant: EventRange) -> int:
        return try_to_replay(pipeline, meant, "tester").rows

    assert 1 <= rows(EventRange(topic="crm.public.account", partition=0, first_offset=3, last_offset=5)) <= 3
    assert 1 <= rows(EventRange(since=newest)) < rows(EventRange(since=newest - timedelta(days=100)))
    with pytest.raises(NotFound):
        rows(EventRange(until=newest - timedelta(days=10_000)))
    with pytest.raises(NotFound):
        rows(EventRange(system="crm", type="account", key="nobody"))


def test_open_dead_letters_of_the_range_are_fed_again(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed([accounts(1)[0], changed(accounts(2)[1], 5, number_of_employees="many")])
    with engine.begin() as connection:
        connection.execute(text("update dead_letter set value = :value"), {"value": accounts(2)[1].value})

    done = replay(pipeline, ACCOUNTS, "tester")

    assert done.dead_letters is not None
    assert [effect.what for effect in done.effects] == ["created"]


def test_an_event_that_comes_late_gives_the_state_it_would_have_given_in_time(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first = accounts(1)[0]
    second = at(first, 10**6, 10**12, name="Second Name", website="https://second.example")
    third = at(first, 10**6 + 1, 10**12 + 1, name="Third Name", website="__debezium_unavailable_value")

    feed([first, third])
    feed([second])  # older in the source, newer in arrival
    late = state_digest(engine)

    with engine.begin() as connection:
        website = connection.scalar(text("select row ->> 'website' from source_record"))
    tables = ("golden", "crosswalk", "entity", "record_history", "event_ledger", "source_record")
    tamper(engine, *(f"truncate {table} cascade" for table in tables))
    feed([first, second, third])

    assert website == "https://second.example"
    assert state_digest(engine) == late
