"""What the database refuses for now is waited out, and what is told of it holds no values."""

from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.errors import TransientError
from mdm.hub.process import Pipeline
from mdm.store.failures import told
from mdm.store.positions import stored_positions
from mdm.store.reading import transient_failures
from mdm.store.unit_of_work import Overlap, unit_of_work
from mdm.streams.memory import MemoryFeed
from mdm.workers.ingest import drain
from mdm.workers.patience import Patience
from tests.integration.hub.conftest import world_messages


def _for_new_sessions(engine: Engine, setting: str) -> None:
    with engine.begin() as connection:
        name = connection.scalar(text("select current_database()"))
        connection.execute(text(f"alter database {name} set {setting}"))
    engine.dispose()


def _writes(engine: Engine) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        work.query("select pg_sleep(0.2)")


def _asks(engine: Engine) -> None:
    with transient_failures(), engine.begin() as connection:
        connection.execute(text("insert into topic_life (topic, life, topic_id) values ('t', 0, '')"))


@pytest.mark.parametrize("act", [_writes, _asks])
def test_a_database_that_nobody_may_write_to_is_waited_for(engine: Engine, act: Callable[[Engine], None]) -> None:
    _for_new_sessions(engine, "default_transaction_read_only = on")

    with pytest.raises(TransientError, match="read-only transaction"):
        act(engine)


def test_a_limit_to_a_session_is_waited_out(engine: Engine) -> None:
    _for_new_sessions(engine, "transaction_timeout = '50ms'")

    with pytest.raises(TransientError, match="transaction timeout"):
        _writes(engine)


def test_a_worker_at_a_standby_sets_no_message_aside(engine: Engine, pipeline: Pipeline, database_url: str) -> None:
    messages = [each for each in world_messages() if each.place.topic == "crm.public.product2"]
    _for_new_sessions(engine, "default_transaction_read_only = on")
    refused = list[TransientError]()

    def promoted(failure: TransientError) -> None:
        refused.append(failure)
        elsewhere = make_engine(database_url)
        with elsewhere.begin() as connection:
            connection.execute(text(f"alter database {engine.url.database} reset default_transaction_read_only"))
        elsewhere.dispose()
        engine.dispose()

    drain(
        pipeline,
        MemoryFeed("memory:products", messages),
        batch_size=1000,
        dead_letter_limit=0,
        patience=Patience(3, on_failure=promoted),
    )

    assert refused
    assert sum(stored_positions(engine, "memory:products").values()) > 0
    with engine.connect() as connection:
        assert not connection.scalar(text("select count(*) from dead_letter where code = 'UNFORESEEN_FAILURE'"))


def test_what_is_told_of_a_failure_holds_no_values(engine: Engine) -> None:
    def twice() -> None:
        with unit_of_work(engine, system_clock, "test", alone=False) as work:
            for _ in range(2):
                work.execute("insert into topic_life (topic, life, topic_id) values ('geheim@example.com', 0, '')")

    with pytest.raises(Overlap) as overlap:
        twice()

    assert "geheim" not in str(overlap.value)
    assert "duplicate key value" in str(overlap.value)
    cause = overlap.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert "geheim" in str(cause), "the driver itself does repeat it"
    assert told(cause) == cause.diag.message_primary


def test_a_session_that_was_cut_is_given_up_without_a_word(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with suppress(TransientError), unit_of_work(engine, system_clock, "test") as work:
        work.query("select pg_terminate_backend(pg_backend_pid())")

    assert not caplog.records
    _writes(engine)
