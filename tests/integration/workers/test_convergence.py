"""The proof that operators can run: shuffled, doubled, killed, and the same in the end."""

import pytest
from sqlalchemy import Engine, text

from mdm.errors import OperatorError
from mdm.hub.process import Pipeline
from mdm.workers.convergence import Plan, prove
from tests.integration.hub.conftest import Feed, world_messages


@pytest.fixture
def fed(feed: Feed) -> None:
    feed([message for message in world_messages() if message.place.topic.startswith("crm.")])


@pytest.mark.usefixtures("fed")
def test_a_replay_that_is_killed_twice_holds_the_same_as_the_live_hub(engine: Engine, pipeline: Pipeline) -> None:
    steps: list[float] = []

    proof = prove(pipeline, Plan(duplicate=0.2, restarts=2, seed=6), lambda _step, share: steps.append(share))

    assert proof.differences == ()
    assert proof.kills == 2
    assert proof.deliveries > proof.events > 1000
    assert all(live == replayed for live, replayed in proof.digests.values())
    assert steps[-1] == 1.0
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from pg_namespace where nspname like 'mdm_scratch%'")) == 0


def test_a_plan_that_makes_no_sense_is_refused_with_advice(pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError) as refusal:
        prove(pipeline, Plan(duplicate=2))

    assert "--duplicate" in refusal.value.advice
