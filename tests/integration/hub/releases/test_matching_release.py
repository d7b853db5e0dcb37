"""A release of a matching model: what it merges and parts is told before, done by the same engine, and taken back."""

import json

import pytest
from sqlalchemy import text

from matching.documents import checksum_of
from mdm.errors import Conflict, Invalid, Stale
from mdm.hub import releases, steward
from mdm.hub.steward import NO_POLICY
from mdm.hub.verify import verify
from mdm.model.ids import Domain
from mdm.model.releases import RuleKind
from mdm.model.stewardship import JudgeTask, Verdict
from mdm.store.releases import asking, find
from mdm.store.unit_of_work import _HUB_LOCK
from tests.integration.hub.releases.conftest import ANNA, BEN, CLARA, Office


def test_a_stricter_model_parts_customers_and_its_rollback_joins_them_again(office: Office) -> None:
    pipeline = office.world.pipeline
    threshold = pipeline.rules.models["customer"].thresholds.match  # type: ignore[index]
    made = office.draft(f"match: {threshold:g}", f"match: {threshold + 3:g}", RuleKind.MATCHING)

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
    return office.draft(f"match: {threshold:g}", f"match: {threshold + 3:g}", RuleKind.MATCHING).release_id


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


def deafer(office: Office) -> int:
    """A draft that asks about pairs on more evidence only; returns its number."""
    return office.draft("possible: 0.0", "possible: 1.4", RuleKind.MATCHING).release_id


def faintest_question(office: Office) -> int:
    """The question about two customers that rests on least evidence."""
    found = office.world.one(
        """select t.task_id from steward_task t join link l on l.a = least(t.a, t.b) and l.b = greatest(t.a, t.b)
           where t.domain = 'customer' and t.kind = 'possible_match' and t.status = 'open' and l.superseded_at is null
             and l.veto is null and l.weight < 1.4 order by l.weight limit 1"""
    )
    return int(found)  # type: ignore[call-overload]


def test_a_verdict_that_a_release_contradicts_blocks_it_until_somebody_says_why_it_may(office: Office) -> None:
    pipeline = office.world.pipeline
    steward.decide(pipeline, ANNA, JudgeTask(faintest_question(office), Verdict.SAME), policy=NO_POLICY)
    number = deafer(office)
    told = releases.simulate(pipeline, ANNA, number)

    assert told.report["verdicts_contradicted"] == 1
    assert [each[0] for each in told.report["contradicted"]] == ["same"]
    assert checked(office, number) == {"fits": True, "simulated": True, "parity": True, "verdicts": False}
    with pytest.raises(Conflict, match="contradicts 1 verdict of a steward"):
        releases.approve(pipeline, BEN, number)
    with pytest.raises(Conflict, match="contradicts"):
        releases.approve(pipeline, BEN, number, despite="  ")

    approved = releases.approve(pipeline, BEN, number, despite="they merged last year")

    assert approved.despite == "they merged last year"
    assert checked(office, number)["verdicts"]
    detail = office.world.one("select detail from audit where action = 'release.approve'")
    assert detail["despite_verdicts"] == 1  # type: ignore[index]
    releases.activate(pipeline, CLARA, number)
    assert office.world.one("select count(*) from judgement where verdict = 'same'"), "the verdict still holds"
    rules = releases.in_force_now(pipeline.engine, pipeline.rules)
    assert verify(pipeline.engine, pipeline.catalogue, rules).agrees


def test_verdicts_that_the_approver_has_not_seen_keep_a_release_from_coming_into_force(office: Office) -> None:
    pipeline, task = office.world.pipeline, faintest_question(office)
    number = deafer(office)
    assert releases.simulate(pipeline, ANNA, number).report["verdicts_contradicted"] == 0
    assert checked(office, number)["verdicts"]
    releases.approve(pipeline, BEN, number, despite="nothing to say")
    assert office.world.one("select despite from rule_release") == "", "there was nothing to excuse"

    steward.decide(pipeline, ANNA, JudgeTask(task, Verdict.SAME), policy=NO_POLICY)

    with pytest.raises(Stale, match="has not seen"):
        releases.activate(pipeline, CLARA, number)


def test_a_release_that_nobody_simulated_does_not_pass(office: Office) -> None:
    expected = {"fits": True, "simulated": False, "parity": False, "verdicts": False}
    assert checked(office, stricter(office)) == expected


def unproven(office: Office) -> str:
    """The weights of customers in force, as if nobody had compared them with Splink."""
    document = json.loads(office.world.pipeline.rules.models[Domain.CUSTOMER].texts[1])
    document["provenance"]["parity"] = {"pairs": 0, "weight": 9.0}
    document["checksum"] = checksum_of(document)
    return json.dumps(document)


def test_weights_that_were_not_compared_with_splink_are_no_release(office: Office) -> None:
    pipeline = office.world.pipeline
    profile = pipeline.rules.models[Domain.CUSTOMER].texts[0]

    with pytest.raises(Invalid, match="compared with Splink over no pairs") as refused:
        releases.draft(
            pipeline, ANNA, RuleKind.MATCHING, Domain.CUSTOMER, "Try it", profile, {"weights": unproven(office)}
        )

    assert "mdm match train --domain customer" in refused.value.advice
    assert office.world.one("select count(*) from rule_release") == 0


def test_weights_that_lost_their_proof_do_not_come_into_force(office: Office) -> None:
    """A release that was written when nobody asked for it."""
    pipeline, number = office.world.pipeline, stricter(office)
    releases.simulate(pipeline, ANNA, number)
    lose_proof(office, number)

    assert not checked(office, number)["fits"]
    with pytest.raises(Invalid, match="compared with Splink over no pairs"):
        releases.approve(pipeline, BEN, number)
    with pytest.raises(Invalid, match="compared with Splink over no pairs"):
        releases.simulate(pipeline, ANNA, number)


def test_a_rollback_may_return_to_weights_without_proof(office: Office) -> None:
    """They decided here before; to stay with what went wrong would be no better."""
    pipeline, first = office.world.pipeline, stricter(office)
    into_force(office, first)
    before, second = office.world.digest(), deafer(office)
    into_force(office, second)
    lose_proof(office, first)

    back = releases.roll_back(pipeline, CLARA, second, "asked too little")

    assert back.same_state is True
    assert office.world.digest() == before


def into_force(office: Office, number: int) -> None:
    releases.simulate(office.world.pipeline, ANNA, number)
    releases.approve(office.world.pipeline, BEN, number)
    releases.activate(office.world.pipeline, CLARA, number)


def lose_proof(office: Office, number: int) -> None:
    with office.world.pipeline.engine.begin() as connection:
        connection.execute(
            text("update rule_release set attachments = jsonb_build_object('weights', cast(:weights as text))"
                 " where release_id = :number"),
            {"weights": unproven(office), "number": number},
        )  # fmt: skip


def checked(office: Office, number: int) -> dict[str, bool]:
    with office.world.pipeline.engine.connect() as connection:
        ask = asking(connection)
        found = releases.checks(ask, office.world.pipeline, find(ask, number))
    return {each.name: each.passed for each in found}
