"""Blocks as they are stored: when they grow too large, and whom that concerns."""

from collections.abc import Collection

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.model.ids import RecordId
from mdm.store.pairs import replace_keys
from mdm.store.unit_of_work import unit_of_work

_BLOCK, _CAP = 17, 2


@pytest.mark.parametrize(
    ("before", "added", "removed", "concerned"),
    [
        pytest.param(1, 1, 0, [], id="as many as the cap"),
        pytest.param(2, 1, 0, [1, 2], id="one more than the cap"),
        pytest.param(2, 9, 0, [1, 2], id="many more than the cap at once"),
        pytest.param(5, 3, 0, [], id="above the cap long before, by more than it grows now"),
        pytest.param(3, 3, 0, [], id="just above the cap before"),
        pytest.param(6, 0, 4, [5, 6], id="below the cap again"),
        pytest.param(6, 0, 3, [], id="still above the cap"),
    ],
)
def test_members_of_a_block_are_concerned_only_where_it_crosses_the_cap(
    engine: Engine, before: int, added: int, removed: int, concerned: Collection[int]
) -> None:
    with unit_of_work(engine, system_clock, "test") as work:
        replace_keys(work, {RecordId(rec): [_BLOCK] for rec in range(1, before + 1)}, [], _CAP)
        gone = [RecordId(rec) for rec in range(1, removed + 1)]
        replaced = replace_keys(work, {RecordId(100 + rec): [_BLOCK] for rec in range(added)}, gone, _CAP)

    assert replaced.others & set(map(RecordId, range(1, before + 1))) == set(concerned)
    assert set(replaced.crossed) == ({_BLOCK} if concerned else set())
