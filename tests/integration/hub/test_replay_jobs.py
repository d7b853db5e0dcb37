"""Replays that can be left: throttled, stopped, gone on with, and harmless where nothing is out of line."""

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.errors import Invalid, NotFound
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline
from mdm.hub.replay_jobs import replay_job, run_replay, start_replay, stop_replay
from mdm.hub.steward import Actor
from mdm.store.refold import EventRange
from tests.integration.hub.conftest import Feed, world_messages

ANNA = Actor("user:anna", Role.OPERATOR)
CUSTOMERS = EventRange(system="billing", type="customer")


@pytest.fixture(autouse=True)
def loaded(feed: Feed) -> None:
    feed(world_messages()[:1500])


def test_a_replay_of_what_is_in_line_changes_nothing_and_says_so(engine: Engine, pipeline: Pipeline) -> None:
    before = state_digest(engine)

    done = run_replay(pipeline, start_replay(pipeline, ANNA, CUSTOMERS))

    assert (done.status, done.report["golden"], done.done) == ("done", 0, done.total)
    assert state_digest(engine) == before


def test_a_throttle_lets_so_many_rows_pass_in_a_second(pipeline: Pipeline) -> None:
    waited: list[float] = []
    job_id = start_replay(pipeline, ANNA, CUSTOMERS, rate=50)

    done = run_replay(pipeline, job_id, waited.append)

    assert done.status == "done"
    assert len(waited) == (done.total - 1) // 50
    assert all(0 < each <= done.total / 50 for each in waited)


def test_a_stopped_replay_is_gone_on_with(engine: Engine, pipeline: Pipeline) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("update source_record set attributes = '{}' where system = 'billing' and type = 'customer'")
        )
    job_id = start_replay(pipeline, ANNA, CUSTOMERS, rate=20)

    stopped = run_replay(pipeline, job_id, lambda _: stop_replay(pipeline, ANNA, job_id))
    assert stopped.status == "stopped"
    assert 0 < stopped.done < stopped.total

    assert run_replay(pipeline, job_id, lambda _: None).status == "done"
    with engine.connect() as connection:
        damaged = connection.scalar(
            text(
                "select count(*) from source_record where type = 'account' and attributes::text = '{}' and not deleted"
            )
        )
    assert damaged == 0


def test_everything_and_nothing_are_refused(pipeline: Pipeline) -> None:
    with pytest.raises(Invalid):
        start_replay(pipeline, ANNA, EventRange())
    with pytest.raises(Invalid):
        start_replay(pipeline, ANNA, CUSTOMERS, [1])
    with pytest.raises(NotFound):
        replay_job(pipeline, 99)
