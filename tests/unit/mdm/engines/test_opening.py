"""Engines are opened by name, with what they can work with."""

import pyarrow as pa
import pytest

from matching.engines.duckdb_engine import candidate_pairs
from matching.features import Kind
from matching.model import load_model
from mdm.engines import open_engine
from mdm.errors import OperatorError


@pytest.mark.parametrize(
    ("workers", "memory", "complaint"),
    [
        (0, "1GB", "workers"),
        (100_000, "1GB", "workers"),
        (2, "lots", "lots"),
        (2, "0GB", "0GB"),
        (2, "5", "5"),
        (2, "1KB", "1KB of memory are too little"),
        (2, "31.9MB", "too little"),
    ],
)
def test_what_no_engine_can_work_with_is_refused_with_advice(workers: int, memory: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint) as refused:
        open_engine("duckdb", workers, memory)
    assert refused.value.advice


@pytest.mark.parametrize("memory", ["1GB", "512MB", "1.5 GiB", "800mb", "32MB", "32000kb"])
def test_amounts_of_memory_are_understood(memory: str) -> None:
    assert open_engine("duckdb", 1, memory)


def test_the_least_memory_that_is_taken_is_enough_for_some_records_and_too_little_is_told_with_advice() -> None:
    model = load_model("product")
    kinds = {**model.kinds, **model.key_kinds}
    columns = sorted({column for rule in model.blocking for column in rule.columns})
    table = pa.table({
        name: [[f"{n % 400}"] if kinds[name] is Kind.LIST else f"{n % 400}" for n in range(2000)] for name in columns
    })  # fmt: skip

    assert len(candidate_pairs(model, table, memory="32MB")) == 400 * 10
    with pytest.raises(OperatorError, match="4MB of memory are too little to find the candidates of 2,000 rec") as told:
        candidate_pairs(model, table, memory="4MB")
    assert "--memory" in told.value.advice
