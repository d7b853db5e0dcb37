"""What every unit of work asks about questions of size costs the same however many of them there are."""

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.store.oversize import any_question
from mdm.store.unit_of_work import UnitOfWork, unit_of_work


def test_whether_there_is_any_question_is_not_found_out_by_reading_all_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into exception (question, kind, code, detail, owner, place)
                   select 'oversize:customer:block:' || n, 'oversize', 'BLOCK_OVERSIZED', 'many', 'stewards', ''
                   from generate_series(1, 3000) n"""
            )
        )
        connection.execute(text("analyze exception"))

    with unit_of_work(engine, system_clock, "test") as work:
        asked: list[str] = []
        query = work.query

        def note(_: UnitOfWork, statement: str, *parameters: object) -> list[tuple[object, ...]]:
            asked.append(statement)
            return query(statement, *parameters)

        monkeypatch.setattr(UnitOfWork, "query", note)
        assert not any_question(work, "EVIDENCE_OVERSIZED")
        monkeypatch.undo()
        plan = "\n".join(row[0] for row in work.query("explain " + asked[0], "EVIDENCE_OVERSIZED"))

    assert "ix_exception_oversize" in plan
    assert "Seq Scan" not in plan
