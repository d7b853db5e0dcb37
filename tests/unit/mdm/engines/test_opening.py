"""Engines are opened by name, with what they can work with."""

import pytest

from mdm.engines import open_engine
from mdm.errors import OperatorError


@pytest.mark.parametrize(
    ("workers", "memory", "complaint"),
    [(0, "1GB", "workers"), (100_000, "1GB", "workers"), (2, "lots", "lots"), (2, "0GB", "0GB"), (2, "5", "5")],
)
def test_what_no_engine_can_work_with_is_refused_with_advice(workers: int, memory: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint) as refused:
        open_engine("duckdb", workers, memory)
    assert refused.value.advice


@pytest.mark.parametrize("memory", ["1GB", "512MB", "1.5 GiB", "800mb"])
def test_amounts_of_memory_are_understood(memory: str) -> None:
    assert open_engine("duckdb", 1, memory)
