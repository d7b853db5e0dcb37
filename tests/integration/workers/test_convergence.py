"""The proof that operators can run: shuffled, doubled, killed, and the same in the end."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

import matching
from mdm.errors import OperatorError
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
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


def test_a_replay_reads_the_rules_of_the_live_hub_or_none(
    engine: Engine, pipeline: Pipeline, feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Path(matching.__path__[0]) / "models"
    shutil.copy(models / "product.weights.json", tmp_path)
    profile = (models / "product.yaml").read_text("utf-8")
    (tmp_path / "product.yaml").write_text(profile.replace("match: 2.0", "match: 2.5"), "utf-8")
    own = replace(pipeline, rules=load_rules(pipeline.catalogue, tmp_path))
    assert own.rules.fingerprint != pipeline.rules.fingerprint
    feed([message for message in world_messages() if message.place.topic == "crm.public.product2"])

    with pytest.raises(OperatorError, match="does not read the rules of the live hub"):
        prove(own, Plan(restarts=0))
    monkeypatch.setenv("MDM_MODELS_DIR", str(tmp_path))
    assert prove(own, Plan(restarts=0)).agrees


def test_a_plan_that_makes_no_sense_is_refused_with_advice(pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError) as refusal:
        prove(pipeline, Plan(duplicate=2))

    assert "--duplicate" in refusal.value.advice
