"""The order of the queue holds open questions only, however many were answered before."""

from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_new_tasks, rank_open_tasks, state_of_tasks
from mdm.intake.catalogue import load_catalogue


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
    with engine.begin() as connection:
        statement = "update steward_task set status = :status, closed_at = now() where task_id = :id"
        connection.execute(text(statement), {"status": status, "id": task_id})


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
    rank_open_tasks(engine, rules, now)
    assert ranked(engine) == {second}, "an old question ranks high: answered ones would stand before all others"

    now_is(engine, first, "open")
    rank_new_tasks(engine, rules, now)
    assert ranked(engine) == {first, second}
