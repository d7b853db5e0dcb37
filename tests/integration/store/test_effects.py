"""What a unit of work has done is found by its number, whatever the size of the hub."""

from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.model.ids import Domain
from mdm.store import effects
from mdm.store.unit_of_work import unit_of_work

_DOMAINS = [domain.value for domain in Domain]


def test_the_effects_of_a_unit_of_work_are_read_by_indexes(engine: Engine) -> None:
    with unit_of_work(engine, system_clock, "test", kept=False) as work:
        changed = work.query(f"explain {effects._VERSIONS}", _DOMAINS, 1 << 20, 2 << 20)
        ended = work.query(f"explain {effects._ENDED}", work.now)

    assert any("ix_golden_list" in line for (line,) in changed), changed
    assert any("ix_entity_ended" in line for (line,) in ended), ended
    assert not [line for (line,) in (*changed, *ended) if "Seq Scan" in line]
