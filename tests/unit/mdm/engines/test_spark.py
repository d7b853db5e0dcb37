"""Spark finds the links that DuckDB finds. Needs pyspark (`make spark`) and Java; skipped with a reason without."""

import importlib.util
import shutil

import numpy as np
import pyarrow as pa
import pytest

from matching.engines.table import feature_table
from matching.model import load_model
from mdm.engines import open_engine
from tests.unit.matching.engines.test_whole_store import store

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed: make spark"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on the path"),
]


def test_spark_gives_the_links_of_duckdb_weights_included() -> None:
    for domain in ("customer", "contract", "product"):
        model = load_model(domain)
        table = feature_table(model, store(domain))
        shared = pa.table({"block": pa.array([7, 7], pa.uint64()), "number": pa.array([0, 1], pa.int64())})
        rules = (*model.blocking, *model.dynamic)

        there, here = (
            open_engine(name).links(model, table, rules, shared, lambda _: None) for name in ("spark", "duckdb")
        )

        assert there.candidates == here.candidates
        for name in ("a", "b", "weight", "match", "veto"):
            np.testing.assert_array_equal(getattr(there, name), getattr(here, name))
