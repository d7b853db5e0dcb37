"""One answer to many tasks leaves out those that have an answer already, which waits for a second person."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mdm.access import FORMER_STEWARD
from mdm.core.four_eyes import Demand, Policy
from mdm.errors import AnswerWaits, Conflict
from mdm.hub import steward
from mdm.hub.steward import NO_POLICY
from mdm.hub.steward.bulk import Answer
from mdm.model.ids import EntityId
from mdm.model.stewardship import JudgeTask, Verdict
from mdm.store import read_console
from mdm.store.read_exceptions import Selection, proposed_discards
from mdm.store.read_readiness import pending_approvals
from mdm.store.read_review import left_of_job, open_proposal_of_task, open_proposals_about, proposal_state
from mdm.store.reading import snapshot
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


def test_a_question_under_a_proposal_takes_no_second_answer(world: World) -> None:
    """Whoever comes second is told whose answer waits, and what to do; so is one job beside another."""
    (task_id,) = tokens(world, 1, "customer")
    number = steward.decide(world.pipeline, BEN, JudgeTask(task_id, Verdict.SAME), policy=EVERYTHING_WAITS).proposal_id
    other = JudgeTask(task_id, Verdict.NOT_SAME)

    for act in (steward.decide, steward.preview):
        with pytest.raises(AnswerWaits, match=f"ben .* proposal {number} waits") as told:
            act(world.pipeline, ANNA, other, policy=EVERYTHING_WAITS)
        assert told.value.proposal_id == number
    assert world.rows("select count(*) from decision") == [(0,)]
    assert steward.preview_proposal(world.pipeline, ANNA, number or 0, EVERYTHING_WAITS).kind == "same"
    steward.withdraw(world.pipeline, BEN, number or 0)
    assert steward.decide(world.pipeline, ANNA, other, policy=EVERYTHING_WAITS).done


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


def test_what_waited_too_long_is_counted_nowhere_before_it_is_ended(world: World) -> None:
    """Neither as waiting for a second person nor in a job that could be taken back; lists call it expired."""
    tasks = tokens(world, 2, "customer")
    job_id = steward.start_bulk(world.pipeline, BEN, tasks, Answer(Verdict.SAME))
    steward.run_bulk(world.pipeline, job_id, EVERYTHING_WAITS)
    entity_id = EntityId(str(world.one("select entities[1] from proposal order by proposal_id limit 1")))
    (number, *_), _ = world.rows("select proposal_id from proposal order by proposal_id")
    now = world.pipeline.clock()
    later = now + timedelta(days=EVERYTHING_WAITS.days, minutes=1)

    def counted(at: datetime) -> list[object]:
        with world.pipeline.engine.connect() as connection:
            return [
                read_console.open_counts(connection, "anna", at)["approvals"],
                read_console.waiting_work(connection, at).proposals,
                read_console.own_work(connection, "ben", at).proposed,
                pending_approvals(connection, [entity_id], at).get(entity_id, 0) > 0,
                left_of_job(connection, job_id, at),
                proposal_state(connection, number, at)[1],
            ]

    def listed(status: str | None, at: datetime) -> list[str]:
        with snapshot(world.pipeline.engine) as work:
            return [each.status for each in steward.list_proposals(work, status, None, None, 9, now=at)]

    assert counted(now) == [2, 2, 2, True, (0, 2), "open"]
    assert counted(later) == [0, 0, 0, False, (0, 0), "expired"]
    assert [listed(status, now) for status in ("open", "expired", None)] == [["open"] * 2, [], ["open"] * 2]
    assert [listed(status, later) for status in ("open", "expired", None)] == [[], ["expired"] * 2, ["expired"] * 2]
    with snapshot(world.pipeline.engine) as work:
        assert steward.find_proposal(work, number, now=later).status == "expired"
    desk = steward.Desk(world.pipeline.engine, lambda: later, world.pipeline.rules)
    with pytest.raises(Conflict, match="is expired"):
        steward.withdraw(desk, BEN, number)
    steward.expire_due(desk)
    assert [listed(status, later) for status in ("open", "expired")] == [[], ["expired"] * 2]


def test_a_proposed_discard_that_waited_too_long_is_in_nobodys_way(world: World) -> None:
    now = world.pipeline.clock()
    with world.pipeline.engine.begin() as connection:
        for offset in (1, 2):
            connection.exec_driver_sql(
                """insert into dead_letter
                       (topic, partition, "offset", timestamp_ms, code, headers, reason, action, owner)
                   values ('t', 0, %s, 0, 'C', '[]', 'r', 'a', 'o')""",
                (offset,),
            )
        connection.exec_driver_sql(
            """insert into proposal (kind, command, effect, digest, demands, entities, author, author_role, proposed_at,
                   expires_at)
               select 'discard', jsonb_build_object('letters', jsonb_agg(dead_letter_id)), '{}', '', '[]', '{}', 'ben',
                   'steward', %(at)s, %(until)s from dead_letter""",
            {"at": now, "until": now + timedelta(days=14)},
        )
    with world.pipeline.engine.connect() as connection:
        asked = [
            [letters for _, _, letters in proposed_discards(connection, Selection(topic="t"), at)]
            for at in (now, now + timedelta(days=14))
        ]
    assert asked == [[2], []]
