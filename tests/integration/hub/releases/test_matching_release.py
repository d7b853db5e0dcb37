"""A release of a matching model: what it merges and parts is told before, done by the same engine, and taken back."""

import pytest
from sqlalchemy import text

from mdm.errors import Conflict
from mdm.hub import releases, steward
from mdm.hub.steward import NO_POLICY
from mdm.hub.verify import verify
from mdm.model.releases import RuleKind
from mdm.model.stewardship import JudgeTask, Verdict
from mdm.store.unit_of_work import _HUB_LOCK
from tests.integration.hub.releases.conftest import ANNA, BEN, CLARA, Office


def test_a_stricter_model_parts_customers_and_its_rollback_joins_them_again(office: Office) -> None:
    pipeline = office.world.pipeline
    threshold = pipeline.rules.models["customer"].thresholds.match  # type: ignore[index]
    made = office.draft(f"match: {threshold:g}", f"match: {threshold + 4:g}", RuleKind.MATCHING)

    task_id, _, _ = office.world.some_task()
    steward.decide(pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME), policy=NO_POLICY)
    before = office.world.digest()

    told = releases.simulate(pipeline, ANNA, made.release_id)

    verdicts = told.report["verdicts"]
    assert sum(verdicts["not_same"]["before"].values()) == 1
    assert verdicts["not_same"]["before"]["asked"] == 1, "it was a question, and would be one again"
    assert sum(verdicts["not_same"]["after"].values()) == 1

    assert office.world.digest() == before
    customers = told.report["domains"]["customer"]
    assert customers["split"] > 0
    assert customers["parted"], "some of those that would be parted are named"
    releases.approve(pipeline, BEN, made.release_id)
    done = releases.activate(pipeline, CLARA, made.release_id)
    assert done.run.report["split"] == told.report["split"]
    assert office.world.digest() != before
    rules = releases.in_force_now(pipeline.engine, pipeline.rules)
    assert verify(pipeline.engine, pipeline.catalogue, rules).differences == ()

    back = releases.roll_back(pipeline, CLARA, made.release_id, "too strict")

    assert back.same_state is True
    assert back.run.report["merged"] > 0
    assert office.world.digest() == before


def stricter(office: Office) -> int:
    """A draft that joins customers on more evidence only; returns its number."""
    threshold = office.world.pipeline.rules.models["customer"].thresholds.match  # type: ignore[index]
    return office.draft(f"match: {threshold:g}", f"match: {threshold + 4:g}", RuleKind.MATCHING).release_id


def test_nobody_waits_while_a_matching_release_is_simulated(office: Office) -> None:
    engine, steps = office.world.pipeline.engine, []

    def look(step: str, _share: float) -> None:
        with engine.begin() as connection:
            free = connection.scalar(text("select pg_try_advisory_xact_lock(:hub)"), {"hub": _HUB_LOCK})
            connection.execute(text("lock table source_record, link, crosswalk, golden in exclusive mode nowait"))
        assert free, f"others wait during: {step}"
        steps.append(step)

    releases.simulate(office.world.pipeline, ANNA, stricter(office), look)

    assert any("blocking keys" in step for step in steps)
    assert any("clustering" in step for step in steps)


def test_a_simulation_is_stopped_and_leaves_nothing_behind(office: Office) -> None:
    release_id, before = stricter(office), office.world.digest()
    run_id = releases.begin_simulation(office.world.pipeline, ANNA, release_id)

    def stop(step: str, _share: float) -> None:
        if "clustering" in step:
            releases.stop_simulation(office.world.pipeline, BEN, release_id)

    run = releases.run_simulation(office.world.pipeline, run_id, stop)

    assert (run.status, run.error, run.report) == ("failed", "stopped by user:ben", {})
    assert office.world.one("select count(*) from pg_namespace where nspname like 'mdm_scratch%'") == 0
    assert office.world.digest() == before
    assert office.audited("release.stop_simulation") == 1
    with pytest.raises(Conflict, match="No simulation"):
        releases.stop_simulation(office.world.pipeline, BEN, release_id)
