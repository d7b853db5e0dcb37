"""Everything derived is derived anew: the same where nothing was wrong, mended where something was, ids kept."""

import threading
from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, text

from mdm.errors import Conflict
from mdm.hub.feeds import pause_feed
from mdm.hub.process import Pipeline, process
from mdm.hub.rebuild import HELD_FOR, rebuild
from mdm.hub.verify import verify
from mdm.model.events import TopicPartition
from mdm.store import rebuild as store
from mdm.store.feeds import feed_states
from mdm.store.positions import stored_positions
from mdm.store.scratch import consistent, scratch_schema
from mdm.store.tables import metadata
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import Watch, drain
from tests.integration.hub.conftest import Feed, world_messages
from tests.integration.hub.test_exceptions import accounts, at
from tests.letters import refuse

TABLES = ("crm.public.account", "crm.public.product2", "crm.public.contract", "billing.public.customer")


@pytest.fixture
def fed(feed: Feed) -> None:
    feed([message for message in world_messages() if message.place.topic in TABLES])


def counted(engine: Engine) -> Mapping[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.scalar(text(f"select count(*) from {name}")) or 0
            for name in (*store.DERIVED, "entity", "outbox", "steward_task")
        }


@pytest.mark.usefixtures("fed")
def test_a_sound_hub_is_rebuilt_to_the_last_row_with_its_ids_and_versions(engine: Engine, pipeline: Pipeline) -> None:
    before = counted(engine)

    done = rebuild(pipeline, "tester", swap=True, settle=0)

    assert done.differences == ()
    assert done.swapped
    assert counted(engine) == before
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()


@pytest.mark.usefixtures("fed")
def test_damage_is_told_and_mended_and_what_changes_is_announced(engine: Engine, pipeline: Pipeline) -> None:
    refuse(engine, {"offset": 1}, {"offset": 2})
    with engine.begin() as connection:
        connection.execute(text("update dead_letter_group set letters = 7"))
        connection.execute(
            text("""update golden set "values" = jsonb_set("values", '{name}', '"Nobody"')
            where entity_id = (select min(entity_id) from golden where domain = 'customer' and known_to is null)""")
        )
        connection.execute(text("delete from block_key where rec_id in (select min(rec_id) from block_key)"))
        connection.execute(text("delete from search_term"))
        connection.execute(
            text("update link set superseded_at = now() where link_id = (select min(link_id) from link)")
        )

    looked = rebuild(pipeline, "tester")
    assert [each.subject.split()[-1] for each in looked.differences] == ["name"]
    assert not verify(engine, pipeline.catalogue, pipeline.rules).agrees, "looking changes nothing"

    rebuild(pipeline, "tester", swap=True, settle=0)

    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    with engine.connect() as connection:
        causes = list(connection.scalars(text("select cause from golden where cause = 'rebuild'")))
        announced = connection.scalar(text("select count(*) from outbox where payload ->> 'cause' = 'rebuild'"))
    assert causes == ["rebuild"]
    assert announced == 1


@pytest.mark.usefixtures("fed")
def test_the_hub_goes_on_after_a_swap(engine: Engine, pipeline: Pipeline) -> None:
    rebuild(pipeline, "tester", swap=True, settle=0)

    process(pipeline, "test", [at(accounts(1)[0], 10**6, 10**12, name="Renamed Holding")])
    again = rebuild(pipeline, "tester", swap=True, settle=0)

    assert again.differences == ()
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()


@pytest.mark.usefixtures("fed")
def test_what_was_written_meanwhile_is_never_lost(engine: Engine, pipeline: Pipeline) -> None:
    with scratch_schema(engine, "test") as schema:
        with consistent(engine) as work:
            copied = store.copy_facts(work, schema)
        process(pipeline, "test", [at(accounts(1)[0], 10**6, 10**12, name="Renamed Holding")])

        with pytest.raises(Conflict, match="nothing was exchanged"):
            store.swap(engine, schema, copied)

    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()


def test_what_a_killed_rebuild_held_is_let_go_by_the_next_and_nothing_else(engine: Engine, pipeline: Pipeline) -> None:
    pause_feed(engine, pipeline.clock, "left", "tester", HELD_FOR)
    pause_feed(engine, pipeline.clock, "kept", "anna", "the platform is being migrated")

    def held() -> set[str]:
        with engine.connect() as connection:
            return {state.feed for state in feed_states(connection) if state.paused}

    with scratch_schema(engine, "rebuild"), pytest.raises(Conflict):
        rebuild(pipeline, "tester", swap=True, settle=0)
    assert held() == {"left", "kept"}, "another rebuild still works under them"

    rebuild(pipeline, "tester", swap=True, settle=0)
    assert held() == {"kept"}


@pytest.mark.usefixtures("fed")
def test_a_worker_waits_for_a_swap_and_goes_on(engine: Engine, pipeline: Pipeline) -> None:
    renamed = [at(accounts(1)[0], 10**6 + number, 10**12 + number, name=f"Holding {number}") for number in range(200)]
    begun = threading.Event()
    watch = Watch(on_commit=lambda _messages, _report: begun.set())

    def work() -> None:
        drain(pipeline, MemoryFeed("live", renamed), batch_size=1, dead_letter_limit=0, watch=watch)

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(30)

    done = rebuild(pipeline, "tester", swap=True)
    worker.join(60)

    assert done.differences == ()
    last = renamed[-1].place
    assert stored_positions(engine, "live") == {TopicPartition(last.topic, last.partition): last.offset + 1}
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    with engine.connect() as connection:
        assert not any(state.paused for state in feed_states(connection))
        held = connection.scalar(text("select count(*) from audit where action = 'feed paused' and subject = 'live'"))
    assert held == 1


def test_exchanged_tables_are_referred_to_by_exchanged_tables_only() -> None:
    referring = {
        table.name
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in store.DERIVED
    }

    assert referring <= set(store.DERIVED), "a key from elsewhere would go on pointing at the tables of before"
