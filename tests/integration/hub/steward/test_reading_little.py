"""What a decision, its preview and its undo cost does not grow with the hub: nothing is read whole."""

from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, event, text

from mdm.hub import steward
from mdm.model.stewardship import JudgeTask, Undo, Verdict
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA, World

#: Rows beside those that are decided about, and what may be read of a table and all its indexes.
_BESIDE, _MOST = 20_000, 10_000
_MORE = (
    """insert into entity (entity_id, domain, status, founder, founded_batch, founded_at, changed_at)
       select 'cus_' || lpad(n::text, 26, c), 'customer', 'active', 1, 0, now(), now()
       from generate_series(1, :rows / 2) n, (values ('0'), ('Z')) s(c)""",
    """insert into steward_task (question, kind, domain, a, b, weight, status, batch_id, opened_at)
       select 'beside ' || n, 'possible_match', 'customer', -n, -n - 1, 3, 'open', 0, now()
       from generate_series(1, :rows) n""",
    """insert into decision (kind, domain, actor, command, effect, records, entities, batch_id, at)
       select 'unsure', 'customer', 'ben', '{}', '{"tasks_closed": []}', '{}', '{}', 0, now()
       from generate_series(1, :rows) n""",
)


@pytest.fixture
def large(world: World) -> World:
    engine = world.pipeline.engine
    with engine.begin() as connection:
        for statement in _MORE:
            connection.execute(text(statement), {"rows": _BESIDE})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
    engine.dispose()

    @event.listens_for(engine.pool, "checkin")
    def _tell(raw: object, _: object) -> None:
        # Counts are told a second late at the earliest, unless they are asked for.
        if raw is not None and not raw.closed:  # type: ignore[attr-defined]  # the driver's connection
            raw.execute("select pg_stat_force_next_flush()")  # type: ignore[attr-defined]
            raw.rollback()  # type: ignore[attr-defined]

    return world


def read_of(engine: Engine) -> Mapping[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """select s.relname, s.seq_tup_read + coalesce(sum(i.idx_tup_read), 0)
                   from pg_stat_user_tables s left join pg_stat_user_indexes i using (relid)
                   group by s.relid, s.relname, s.seq_tup_read"""
            )
        )
        return {row[0]: int(row[1]) for row in rows}


def test_a_merge_and_taking_it_back_read_what_they_are_about(large: World) -> None:
    desk, task = large.pipeline, large.some_task()[0]
    command = JudgeTask(task, Verdict.SAME, "the same company")
    too_much = {}

    def metered(what: str, before: Mapping[str, int]) -> None:
        after = read_of(desk.engine)
        grew = {name: after[name] - before.get(name, 0) for name in after}
        too_much.update({(what, name): rows for name, rows in grew.items() if rows > _MOST})

    before = read_of(desk.engine)
    steward.preview(desk, ANNA, command)
    metered("preview", before)
    before = read_of(desk.engine)
    decided = decide(desk, ANNA, command)
    metered("decide", before)
    assert decided.decision_id is not None
    before = read_of(desk.engine)
    decide(desk, ANNA, Undo(decided.decision_id, "not the same after all"))
    metered("undo", before)

    assert too_much == {}
    assert large.one("select status from steward_task where task_id = :id", id=task) == "open"
    assert large.rows("select 1 from task_priority where task_id = :id and ranked_at = '-infinity'", id=task)
