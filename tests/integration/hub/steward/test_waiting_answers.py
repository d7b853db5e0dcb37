"""One answer to many tasks leaves out those that have an answer already, which waits for a second person."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mdm.access import FORMER_STEWARD
from mdm.core.four_eyes import Demand, Policy
from mdm.hub import steward
from mdm.hub.steward import NO_POLICY
from mdm.hub.steward.bulk import Answer
from mdm.model.stewardship import JudgeTask, Verdict
from mdm.store.read_review import open_proposal_of_task, open_proposals_about
from tests.integration.hub.steward.conftest import ANNA, BEN, World
from tests.integration.hub.steward.test_workbench import tokens

EVERYTHING_WAITS = Policy("all merges", 14, (Demand("merges", "A merge.", frozenset({FORMER_STEWARD}), merges=True),))


@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.NOT_SAME])
def test_what_has_an_answer_that_waits_is_left_out_of_looks_and_jobs(world: World, verdict: Verdict) -> None:
    tasks = tokens(world, 4, "customer")
    *others, first = tasks
    alone = steward.preview_bulk(world.pipeline, ANNA, {each: tasks[each] for each in others}, Answer(verdict))
    number = steward.decide(world.pipeline, BEN, JudgeTask(first, Verdict.SAME), policy=EVERYTHING_WAITS).proposal_id
    assert number is not None

    shown = steward.preview_bulk(world.pipeline, ANNA, tasks, Answer(verdict))
    look = steward.start_look(world.pipeline, ANNA, tasks, Answer(verdict))
    found, _ = steward.looked_at(world.pipeline, steward.run_look(world.pipeline, look))

    for each in (shown, found):
        assert (each.items, each.waiting, each.waits) == (4, 1, [(first, number)])
        assert replace(each, items=3, waiting=0, waits=[], sample=[]) == replace(alone, sample=[])
    assert steward.items_possible(world.pipeline, look).keys() <= set(others)

    job_id = steward.start_bulk(world.pipeline, ANNA, tasks, Answer(verdict))
    job = steward.run_bulk(world.pipeline, job_id, NO_POLICY)
    assert (job.outcomes["waiting"], job.waiting) == (1, [(first, number)])
    assert world.one("select status from proposal") == "open"
    assert world.rows(f"select status from steward_task where task_id = {first}") == [("open",)]


def test_an_answer_that_waited_too_long_is_in_nobodys_way_before_it_is_ended(world: World) -> None:
    tasks = tokens(world, 1, "customer")
    (task_id,) = tasks
    number = steward.decide(world.pipeline, BEN, JudgeTask(task_id, Verdict.SAME), policy=EVERYTHING_WAITS).proposal_id
    entity_id = str(world.one("select entities[1] from proposal"))
    now = world.pipeline.clock()
    later = now + timedelta(days=EVERYTHING_WAITS.days, minutes=1)
    desk = steward.Desk(world.pipeline.engine, lambda: later, world.pipeline.rules)

    with world.pipeline.engine.connect() as connection:
        of_task = [open_proposal_of_task(connection, task_id, each) for each in (now, later)]
        about = [open_proposals_about(connection, entity_id, each) for each in (now, later)]
    assert of_task == [(number, "same", "ben"), None]
    assert [[row[0] for row in each] for each in about] == [[number], []]
    assert steward.preview_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.SAME)).waiting == 1
    assert steward.preview_bulk(desk, ANNA, tasks, Answer(Verdict.SAME)).waiting == 0
    job = steward.run_bulk(desk, steward.start_bulk(desk, ANNA, tasks, Answer(Verdict.SAME)), EVERYTHING_WAITS)

    assert job.outcomes == {"proposed": 1}, "it is proposed again"
    assert world.rows("select author, status from proposal order by proposal_id") == [
        ("ben", "expired"), ("anna", "open"),
    ]  # fmt: skip
    assert world.one("select count(*) from audit where action = 'steward.proposal_expired'") == 1
