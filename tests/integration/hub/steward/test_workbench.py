"""Working through many tasks: claiming, putting off, similar decisions, numbers, and one answer to many."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from mdm.clock import system_clock
from mdm.errors import Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub import steward
from mdm.hub.steward import NO_POLICY, Expected, Job, Step, looking, many, task_tokens
from mdm.hub.steward.bulk import Answer
from mdm.hub.worklist import rank_open_tasks
from mdm.model.ids import EntityId
from mdm.model.stewardship import JudgeTask, Verdict
from mdm.store.queue_order import QueueFilters
from mdm.store.read_queue import queue_page
from mdm.store.read_stewardship import queue_numbers, steward_numbers
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import _HUB_LOCK
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA, BEN, World
from tests.integration.hub.steward.test_undoing import picture


def tokens(world: World, number: int, domain: str = "contract") -> dict[int, str | None]:
    """The best tasks of a domain with what they look like now."""
    ids = [
        row[0]
        for row in world.rows(
            "select task_id from steward_task where status = 'open' and domain = :domain "
            "order by weight desc, task_id limit :number",
            domain=domain,
            number=number,
        )
    ]
    with snapshot(world.pipeline.engine) as work:
        return dict(task_tokens(work, ids))


def test_a_task_is_taken_by_one_and_handed_over(world: World) -> None:
    task_id, *_ = world.some_task()

    first = steward.claim(world.pipeline, ANNA, task_id)
    assert steward.claim(world.pipeline, ANNA, task_id) == first
    with pytest.raises(Conflict, match="anna"):
        steward.claim(world.pipeline, BEN, task_id)
    with pytest.raises(Stale):
        steward.release(world.pipeline, BEN, task_id, Expected.task("0" * 16))
    assert steward.assign(world.pipeline, ANNA, task_id, "ben").assignee == "ben"
    assert steward.release(world.pipeline, BEN, task_id).assignee is None
    with pytest.raises(Invalid):
        steward.assign(world.pipeline, ANNA, task_id, " ")
    with pytest.raises(NotFound):
        steward.claim(world.pipeline, ANNA, 10**9)


def narrowed(world: World, *tasks: int) -> list[int]:
    """Which of these tasks the queue shows as nobody's; it shows every other as somebody's."""
    with world.pipeline.engine.connect() as connection:
        free, taken = (
            {each.task_id for each in queue_page(connection, QueueFilters(unassigned=wanted), None, 10_000)}
            for wanted in (True, False)
        )
    assert not free & taken
    assert set(tasks) <= free | taken
    return sorted(free & set(tasks))


def test_the_queue_knows_what_is_nobodys_whenever_it_was_ranked(world: World) -> None:
    before, after, *_ = sorted(tokens(world, 2, "customer"))
    hub, rank = world.pipeline, partial(rank_open_tasks, world.pipeline.engine, world.pipeline.rules)
    steward.claim(hub, ANNA, before)
    rank(system_clock())
    assert narrowed(world, before, after) == [after], "taken before it was ranked"

    steward.claim(hub, ANNA, after)
    steward.release(hub, ANNA, before)
    assert narrowed(world, before, after) == [before]
    rank(system_clock() + timedelta(hours=2))
    assert narrowed(world, before, after) == [before], "ranked anew"
    steward.assign_all(hub, ANNA, [before], "ben")
    assert narrowed(world, before, after) == []


def put_off(world: World, *tasks: int) -> list[int]:
    """Which of these tasks the queue shows as put off; it shows every other as one to look at."""
    now = system_clock()
    with world.pipeline.engine.connect() as connection:
        asleep, awake = (
            {each.task_id for each in queue_page(connection, filters, None, 10_000)}
            for filters in (QueueFilters(asleep_at=now), QueueFilters(awake_at=now))
        )
    assert not asleep & awake
    assert set(tasks) <= asleep | awake
    return sorted(asleep & set(tasks))


def test_the_queue_knows_what_is_put_off_whenever_it_was_ranked(world: World) -> None:
    before, after, *_ = sorted(tokens(world, 2, "customer"))
    hub, rank = world.pipeline, partial(rank_open_tasks, world.pipeline.engine, world.pipeline.rules)
    later = system_clock() + timedelta(days=2)
    steward.snooze(hub, ANNA, before, later)
    rank(system_clock())
    assert put_off(world, before, after) == [before], "put off before it was ranked"

    steward.snooze(hub, ANNA, after, later)
    steward.snooze(hub, ANNA, before, None)
    assert put_off(world, before, after) == [after]
    rank(system_clock() + timedelta(hours=2))
    assert put_off(world, before, after) == [after], "ranked anew"
    steward.snooze_all(hub, ANNA, [before, after], later + timedelta(days=1))
    assert put_off(world, before, after) == [before, after]
    steward.take_back(hub, ANNA, last(world).number)
    assert put_off(world, before, after) == [after], "as it was"


def test_a_task_is_put_off_and_woken_up(world: World) -> None:
    task_id, *_ = world.some_task()
    later = datetime.now(UTC) + timedelta(days=2)

    assert steward.snooze(world.pipeline, ANNA, task_id, later).snoozed_until == later
    assert steward.snooze(world.pipeline, ANNA, task_id, None).snoozed_until is None
    with pytest.raises(Invalid):
        steward.snooze(world.pipeline, ANNA, task_id, datetime(2020, 1, 1, tzinfo=UTC))
    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME))
    with pytest.raises(Conflict):
        steward.snooze(world.pipeline, ANNA, task_id, later)


def last(world: World) -> Step:
    with snapshot(world.pipeline.engine) as work:
        return next(each for each in steward.last_steps(work, ANNA.name) if not each.taken_back)


def test_what_was_done_with_questions_is_taken_back_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = sorted(tokens(world, 4))
    query = "select task_id, assignee, snoozed_until from task_work where task_id = any(:tasks) order by task_id"
    noon = datetime(2999, 1, 1, 12, tzinfo=UTC)
    steward.assign(world.pipeline, BEN, tasks[0], "ben")
    steward.snooze(world.pipeline, BEN, tasks[1], noon)
    first = world.rows(query, tasks=tasks)
    steward.release(world.pipeline, ANNA, tasks[0])
    steward.snooze(world.pipeline, ANNA, tasks[1], None)
    one_by_one = world.rows(query, tasks=tasks)
    monkeypatch.setattr(many, "_PART", 1)  # in several units of work, and still one step
    steward.assign_all(world.pipeline, ANNA, tasks, "cy")
    steward.snooze_all(world.pipeline, ANNA, tasks, noon)

    for _ in range(2):
        assert sorted(steward.take_back(world.pipeline, ANNA, last(world).number)) == tasks
    assert [row for row in world.rows(query, tasks=tasks) if row[1] or row[2]] == [
        row for row in one_by_one if row[1] or row[2]
    ]
    for _ in range(2):
        steward.take_back(world.pipeline, ANNA, last(world).number)
    assert [row for row in world.rows(query, tasks=tasks) if row[1] or row[2]] == list(first)
    assert world.rows("select count(*) from audit where action = 'steward.take_back'") == [(2 * len(tasks) + 2,)]
    with snapshot(world.pipeline.engine) as work:
        number = next(steward.last_steps(work, ANNA.name)).number
    with pytest.raises(Conflict, match="taken back already"):
        steward.take_back(world.pipeline, ANNA, number)


def test_what_somebody_did_after_a_step_is_theirs(world: World) -> None:
    task_id, *_ = world.some_task()
    steward.claim(world.pipeline, ANNA, task_id)
    number = last(world).number
    steward.assign(world.pipeline, BEN, task_id, "ben")

    with pytest.raises(Conflict, match="came after it"):
        steward.take_back(world.pipeline, ANNA, number)
    with pytest.raises(NotFound):
        steward.take_back(world.pipeline, BEN, number)
    steward.comment(world.pipeline, ANNA, f"task:{task_id}", "asked them")
    with pytest.raises(Refused):
        steward.take_back(world.pipeline, ANNA, last(world).number)
    assert world.rows("select assignee from task_work where task_id = :id", id=task_id) == [("ben",)]


def test_remarks_are_about_something(world: World) -> None:
    entity_id = world.large_entity()
    steward.comment(world.pipeline, ANNA, f"entity:{entity_id}", " a family of companies ")

    with snapshot(world.pipeline.engine) as work:
        assert [each.text for each in steward.comments(work, f"entity:{entity_id}")] == ["a family of companies"]
    for subject, error in (("entity:cus_none", NotFound), ("weather:today", Invalid), ("task:x", Invalid)):
        with pytest.raises(error):
            steward.comment(world.pipeline, ANNA, subject, "hm")
    with pytest.raises(Invalid):
        steward.comment(world.pipeline, ANNA, f"entity:{entity_id}", " ")


def test_similar_decisions_are_those_on_evidence_that_looked_alike(world: World) -> None:
    first, second, *others = tokens(world, 12)
    assert steward.similar_decisions(world.pipeline, first) == []
    for number in (second, *others):
        if world.one("select status from steward_task where task_id = :id", id=number) == "open":
            decide(world.pipeline, ANNA, JudgeTask(number, Verdict.NOT_SAME, "renewals"))

    found = steward.similar_decisions(world.pipeline, first, limit=3)

    assert found
    likeness = [each.likeness for each in found]
    assert likeness == sorted(likeness, reverse=True)
    assert all(0 < each.likeness <= 1 and each.shared for each in found)
    assert {each.decision.kind for each in found} == {"not_same"}
    assert all((each.likeness == 1) == (not each.differing) for each in found)
    steward.undo_last(world.pipeline, ANNA, policy=NO_POLICY)
    again = steward.similar_decisions(world.pipeline, first, limit=50)
    assert len(again) < len(others) + 1, "a decision that was taken back is no precedent"


def test_numbers_of_people_and_of_the_queue_add_up(world: World) -> None:
    one, two, three = list(tokens(world, 3, "customer"))
    decide(world.pipeline, ANNA, JudgeTask(one, Verdict.NOT_SAME))
    decide(world.pipeline, ANNA, JudgeTask(two, Verdict.UNSURE))
    steward.undo_last(world.pipeline, ANNA, policy=NO_POLICY)
    decide(world.pipeline, BEN, JudgeTask(three, Verdict.UNSURE))
    now = datetime.now(UTC)

    with snapshot(world.pipeline.engine) as work:
        people = {each.actor: each for each in steward_numbers(work, now - timedelta(hours=1), now)}
        queue = queue_numbers(work, now)

    assert (people["anna"].decisions, people["anna"].undone) == (2, 1)
    assert people["anna"].by_kind == {"not_same": 1, "unsure": 1}
    assert people["ben"].median_seconds is not None
    assert sum(each.open for each in queue) == len(world.open_tasks())
    assert sum(each.unsure for each in queue) == 1


def test_one_answer_to_many_tasks_as_it_was_shown(world: World) -> None:
    tasks = tokens(world, 8)
    answer = Answer(Verdict.NOT_SAME, "renewals are contracts of their own")
    before = picture(world)

    shown = steward.preview_bulk(world.pipeline, ANNA, tasks, answer, sample=3)
    assert picture(world) == before
    seen: list[int] = []
    job_id = steward.start_bulk(world.pipeline, ANNA, tasks, answer)
    job = steward.run_bulk(world.pipeline, job_id, NO_POLICY, lambda each: seen.append(each.settled))

    assert (job.status, job.settled, job.items) == ("done", len(tasks), len(tasks))
    assert seen == list(range(1, len(tasks) + 1))
    assert job.outcomes.get("done", 0) <= shown.possible
    assert len(shown.sample) == min(3, len(tasks))
    back = steward.run_bulk(world.pipeline, steward.start_take_back(world.pipeline, ANNA, job_id), NO_POLICY)
    assert (back.outcomes, back.refusals) == ({"done": job.outcomes["done"]}, [])
    assert picture(world, before["fates"]) == before
    world.assert_verified()


def test_an_item_that_changed_is_refused_and_the_others_go_on(world: World) -> None:
    tasks = tokens(world, 4, "customer")
    changed = min(tasks)
    steward.claim(world.pipeline, BEN, changed)

    job_id = steward.start_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE))
    job = steward.run_bulk(world.pipeline, job_id, NO_POLICY)

    assert job.outcomes == {"done": 3, "refused": 1}
    assert [task_id for task_id, _ in job.refusals] == [changed]


def test_a_stopped_job_goes_on_where_it_was(world: World) -> None:
    tasks = tokens(world, 4, "customer")
    job_id = steward.start_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE))

    def stop(job: Job) -> None:
        if job.settled == 2:
            steward.stop_bulk(world.pipeline, BEN, job_id)

    stopped = steward.run_bulk(world.pipeline, job_id, NO_POLICY, stop)
    finished = steward.run_bulk(world.pipeline, job_id, NO_POLICY)

    assert (stopped.status, stopped.settled) == ("stopped", 2)
    assert (finished.status, finished.settled) == ("done", 4)
    assert world.one("select count(*) from decision") == 4
    with pytest.raises(Refused):
        steward.start_take_back(world.pipeline, BEN, job_id)
    with pytest.raises(NotFound):
        steward.bulk_job(world.pipeline, 10**6)
    with pytest.raises(Invalid):
        steward.start_bulk(world.pipeline, ANNA, {}, Answer(Verdict.UNSURE))


def test_a_job_is_carried_out_by_one_at_a_time_and_gone_on_with_by_whom_it_is(world: World) -> None:
    job_id = steward.start_bulk(world.pipeline, ANNA, tokens(world, 3), Answer(Verdict.SAME, "one"))
    met: list[str] = []

    def another(_: Job) -> None:
        with pytest.raises(Conflict, match="at work on bulk job") as told:
            steward.run_bulk(world.pipeline, job_id, NO_POLICY)
        met.append(told.value.message)

    with pytest.raises(Refused, match="Only who started a job goes on with it"):
        steward.continue_job(world.pipeline, BEN, job_id, NO_POLICY)
    done = steward.continue_job(world.pipeline, ANNA, job_id, NO_POLICY, another)

    assert len(met) == done.items > 1
    assert (done.status, done.settled) == ("done", done.items)


def test_a_look_at_many_is_stopped_gone_on_with_and_adds_up_to_the_preview(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "AT_A_TIME", 2)
    tasks = tokens(world, 7, "customer") | {10**9: None}
    before, real = picture(world), looking.carry_out

    def watched(*given: Any) -> Any:
        with world.pipeline.engine.begin() as connection:
            free = connection.scalar(text("select pg_try_advisory_xact_lock_shared(:hub)"), {"hub": _HUB_LOCK})
        assert free, "ingest waits for a look"
        return real(*given)

    monkeypatch.setattr(looking, "carry_out", watched)
    whole = steward.preview_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.SAME))
    job_id = steward.start_look(world.pipeline, ANNA, tasks, Answer(Verdict.SAME))

    def stop(job: Job) -> None:
        steward.stop_bulk(world.pipeline, ANNA, job_id)

    stopped = steward.run_look(world.pipeline, job_id, progress=stop)
    assert stopped.status == "stopped"
    assert 1 <= stopped.settled <= looking.AT_A_TIME, "the part at which it was stopped is its last"
    assert [job.job_id for job in steward.jobs_of(world.pipeline, ANNA)] == [job_id]
    done = steward.run_job(world.pipeline, job_id)

    assert (done.status, done.settled) == ("done", 8)
    assert steward.jobs_of(world.pipeline, ANNA) == []
    found, sample = steward.looked_at(world.pipeline, done, 3)
    assert found == replace(whole, sample=[])
    assert sample == [task_id for task_id, _ in whole.sample][:3]
    assert picture(world) == before
    assert world.one("select count(*) from decision") == 0
    with pytest.raises(Invalid, match="only looks"):
        steward.run_bulk(world.pipeline, job_id)


def test_a_job_is_taken_back_by_a_job_that_can_be_left(world: World) -> None:
    before = picture(world)
    job_id = steward.start_bulk(world.pipeline, ANNA, tokens(world, 4, "customer"), Answer(Verdict.SAME))
    steward.run_bulk(world.pipeline, job_id, NO_POLICY)
    assert picture(world) != before
    with pytest.raises(Refused):
        steward.start_take_back(world.pipeline, BEN, job_id)

    back = steward.start_take_back(world.pipeline, ANNA, job_id)
    steward.run_bulk(world.pipeline, back, NO_POLICY, lambda job: job.settled == 1 and stop_it(world, back))
    assert steward.bulk_job(world.pipeline, back).status == "stopped"
    done = steward.run_job(world.pipeline, back, NO_POLICY)

    assert done.status == "done"
    assert picture(world) == before
    with pytest.raises(Conflict, match="Nothing of job"):
        steward.start_take_back(world.pipeline, ANNA, job_id)


def test_a_look_is_carried_out_and_a_job_taken_back_once_however_often_it_is_said(world: World) -> None:
    tasks = tokens(world, 3, "customer")
    look = steward.start_look(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE))
    other_look = steward.start_look(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE))
    assert steward.carried_out_by(world.pipeline, look) is None

    with ThreadPoolExecutor(4) as threads:
        confirmed = [
            threads.submit(steward.start_bulk, world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE), look)
            for _ in range(4)
        ]
        (job_id,) = {each.result() for each in confirmed}
    steward.run_bulk(world.pipeline, job_id, NO_POLICY)
    assert steward.start_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE), look) == job_id
    assert steward.carried_out_by(world.pipeline, look) == job_id
    assert steward.start_bulk(world.pipeline, ANNA, tasks, Answer(Verdict.UNSURE), other_look) != job_id

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(steward.start_take_back, world.pipeline, ANNA, job_id) for _ in range(4)]
        (back,) = {each.result() for each in asked}
    assert steward.run_bulk(world.pipeline, back, NO_POLICY).outcomes == {"done": 3}


def test_many_tasks_are_handed_over_and_put_off_and_each_is_in_the_audit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "_PART", 2)
    first, second, third, closed = sorted(tokens(world, 4, "customer"))
    steward.assign(world.pipeline, ANNA, first, "ben")
    decide(world.pipeline, ANNA, JudgeTask(closed, Verdict.NOT_SAME))
    later = datetime.now(UTC) + timedelta(days=2)

    handled = steward.assign_all(world.pipeline, ANNA, [third, second, first, closed, 10**9, second], "ben")
    put_off = steward.snooze_all(world.pipeline, ANNA, [first, third], later)

    assert handled.done == [third, second, first]
    assert handled.refusals == [(closed, f"Task {closed} is closed already."), (10**9, f"There is no task {10**9}.")]
    assert put_off.done == [first, third]
    with snapshot(world.pipeline.engine) as work:
        states = steward.task_states(work, [first, second, third])
    assert [states[each].assignee for each in (first, second, third)] == ["ben"] * 3
    assert [states[each].snoozed_until for each in (first, second, third)] == [later, None, later]
    handed = world.rows(
        """select a.subject, m.text from audit a left join audit_remark m on m.seq = a.seq and m.name = 'to'
           where a.action = 'steward.assign' order by a.seq"""
    )
    assert handed == [(f"task {each}", "ben") for each in (first, third, second)], (
        "what is somebody's already is not said again"
    )
    with pytest.raises(Invalid):
        steward.assign_all(world.pipeline, ANNA, [first], " ")
    with pytest.raises(Invalid):
        steward.snooze_all(world.pipeline, ANNA, [first], datetime(2020, 1, 1, tzinfo=UTC))


def stop_it(world: World, job_id: int) -> None:
    steward.stop_bulk(world.pipeline, ANNA, job_id)


def test_a_bulk_preview_adds_up_what_would_happen(world: World) -> None:
    tasks = tokens(world, 5, "customer")

    shown = steward.preview_bulk(world.pipeline, ANNA, tasks | {10**9: None}, Answer(Verdict.SAME))

    assert shown.items == len(tasks) + 1
    assert shown.possible + len(shown.refusals) == shown.items
    assert shown.refusals[-1][0] == 10**9
    assert shown.merged > 0
    assert EntityId(world.large_entity())
