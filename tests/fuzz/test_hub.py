"""Whole hubs fed with damaged feeds hold what was meant: two feeds of what `make fuzz-hub` does for minutes."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.fuzz.hub import case_of, check


@pytest.mark.parametrize("seed", [1, 91])
def test_a_damaged_feed_that_is_mended_ends_where_it_was_meant_to(seed: int, new_engine: Callable[[], Engine]) -> None:
    case = case_of(seed)
    assert len(case.mended) > 5

    check(case, new_engine(), new_engine(), random.Random(seed))
