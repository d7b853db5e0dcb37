"""The order of the queue holds open questions only, however many were answered before."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from mdm.clock import system_clock
from mdm.core.worklist import rank
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_new_tasks, rank_open_tasks, state_of_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.model.worklist import CutOff, Measures, MuchMoney
from mdm.store import worklist as store
from mdm.store.affected import AsOf
from mdm.store.unit_of_work import UnitOfWork, unit_of_work


def ranked(engine: Engine) -> set[int]:
    with engine.connect() as connection:
        return set(connection.scalars(text("select task_id from task_priority")))


def opened(engine: Engine, question: str) -> int:
    with engine.begin() as connection:
        return int(
            connection.execute(
                text(
                    """insert into steward_task (question, kind, domain, a, b, weight, batch_id, opened_at)
                       values (:question, 'possible_match', 'customer', 1, 2, 3.0, 1, now()) returning task_id"""
                ),
                {"question": question},
            ).scalar_one()
        )


def now_is(engine: Engine, task_id: int, status: str) -> None:
    """As a unit of work does that closes a task or opens it again."""
    with unit_of_work(engine, system_clock, "test") as work:
        work.execute("update steward_task set status = %s, closed_at = now() where task_id = %s", status, task_id)
        (store.rank_again if status == "open" else store.drop_ranks)(work, [task_id])


def test_ranks_of_closed_questions_are_forgotten_and_come_back_with_them(engine: Engine) -> None:
    rules, now = load_rules(load_catalogue(None)), system_clock()
    empty = state_of_tasks(engine)
    first, second = opened(engine, "one"), opened(engine, "two")
    assert state_of_tasks(engine) != empty, "a page looks for questions without a rank"
    rank_new_tasks(engine, rules, now)
    assert ranked(engine) == {first, second}

    third = opened(engine, "three")
    rank_new_tasks(engine, rules, now, known=second)
    assert ranked(engine) == {first, second, third}, "only those behind the newest known one are looked for"
    now_is(engine, third, "obsolete")

    now_is(engine, first, "resolved")
    assert ranked(engine) == {second}, "an old question ranks high: answered ones would stand before all others"

    now_is(engine, first, "open")
    rank_new_tasks(engine, rules, now, known=second + 1_000_000)
    assert ranked(engine) == {first, second}
    with engine.connect() as connection:
        again = connection.execute(text("select * from task_priority where task_id = :id"), {"id": first}).one()
    assert (again.ranked_at, again.weight) == (now, 3.0), "an old one that is asked again is ranked at once"
    assert again.due_at > again.opened_at


def test_a_task_that_is_closed_while_it_is_ranked_gets_no_rank(engine: Engine) -> None:
    rules, now = load_rules(load_catalogue(None)), system_clock()
    closing, closed, left = (opened(engine, each) for each in ("one", "two", "three"))
    limits = {domain: (model.thresholds.possible, model.thresholds.match) for domain, model in rules.models.items()}
    with engine.begin() as connection:
        facts = store.read_task_facts(connection, now, 10, limits, AsOf("2026-10", now.date(), frozenset()), ("erp",))
        assert {each.task_id for each in facts} == {closing, closed, left}
        now_is(engine, closed, "obsolete")
        with unit_of_work(engine, system_clock, "test") as work:
            work.execute("update steward_task set status = 'obsolete' where task_id = %s", closing)
            measures = Measures(MuchMoney({}, Decimal(1)), CutOff("2026-10", now.date(), 0))
            assert store.write_ranks(connection, [rank(each, measures) for each in facts], now) == 1

    assert ranked(engine) == {left}


def test_counting_ranks_waits_for_nobody_who_closes_tasks(engine: Engine) -> None:
    rules, now = load_rules(load_catalogue(None)), system_clock()
    held = opened(engine, "one")
    with unit_of_work(engine, system_clock, "test") as work:
        work.query("select from steward_task where task_id = %s for update", held)
        assert rank_open_tasks(engine, rules, now) == 0, "it neither waits nor turns for ever"
    assert rank_open_tasks(engine, rules, now) == 1


@pytest.mark.parametrize("act", [store.drop_ranks, store.rank_again])
def test_what_is_only_looked_at_meets_nobody_who_renews_ranks(
    engine: Engine, act: Callable[[UnitOfWork, Sequence[int]], None]
) -> None:
    task_id = opened(engine, "one")
    rules, now = load_rules(load_catalogue(None)), system_clock()
    rank_open_tasks(engine, rules, now)
    with unit_of_work(engine, system_clock, "test", kept=False) as work:
        work.query("select from task_priority")
        assert rank_open_tasks(engine, rules, now + timedelta(hours=2)) == 1
        act(work, [task_id])
    assert ranked(engine) == {task_id}


def test_few_tasks_are_held_at_a_time_while_ranks_are_written(engine: Engine) -> None:
    """Whoever decides on one of them waits for no more than these."""
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into steward_task (question, kind, domain, a, b, weight, batch_id, opened_at)
                   select n, 'possible_match', 'customer', 1, 2, 3.0, 1, now() from generate_series(1, 450) n"""
            )
        )
    held: list[int] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "for share" in statement:
            held.append(len(parameters["tasks"]))

    try:
        assert rank_open_tasks(engine, load_rules(load_catalogue(None)), system_clock()) == 450
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert held == [200, 200, 50]
