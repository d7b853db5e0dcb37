"""Every condition of the shipped models means in SQL exactly what it means in the scorer, missing values included."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching.conditions import TRUE, UNKNOWN, Condition, Pairs
from matching.features import COLUMNS, Features, Kind, derive
from matching.frame import Frame
from matching.model import MatchModel, load_model
from matching.parsing import parse_condition
from tests.properties.matching.worlds import RECORDS

ARROW = {Kind.TEXT: pa.string(), Kind.LIST: pa.list_(pa.string()), Kind.NUMBER: pa.float64()}

#: Operators that the shipped models may not use at the moment.
MORE = [
    {"covered": {"column": "name_tokens", "near": 0.9}},
    {"contained": {"column": "name_tokens", "near": 0.88, "at_most": 1}},
    {"equal": ["city", "region"]},
    {"not": {"jaro_winkler": {"column": "name_sorted", "at_least": 0.92}}},
    {"levenshtein": {"column": "vat", "at_most": 2}},
]


def conditions(model: MatchModel) -> Iterator[Condition]:
    for comparison in model.comparisons:
        yield comparison.unknown
        yield from (level.condition for level in comparison.levels if level.condition is not None)
    yield from (veto.condition for veto in model.vetoes)
    if model.domain == "customer":
        yield from (parse_condition(item, "test") for item in MORE)


def table(domain: str, records: Sequence[Features]) -> pa.Table:
    columns: dict[str, Any] = {"number": pa.array(range(len(records)), pa.int64())}
    for name, kind in COLUMNS[domain].items():
        values = [record.get(name) for record in records]
        columns[name] = pa.array([list(value) if isinstance(value, tuple) else value for value in values], ARROW[kind])
    return pa.table(columns)


@pytest.mark.parametrize("domain", sorted(RECORDS))
@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_conditions_hold_in_sql_where_they_hold_in_the_scorer(domain: str, data: st.DataObject) -> None:
    model = load_model(domain)
    drawn = data.draw(st.lists(RECORDS[domain], min_size=20, max_size=20))
    records = [derive(domain, record, frozenset({"data"})) for record in drawn]
    left, right = (
        side.ravel() for side in np.meshgrid(np.arange(len(records)), np.arange(len(records)), indexing="ij")
    )
    wanted = list(conditions(model))
    database = duckdb.connect()
    database.register("record", table(domain, records))
    renamed = {side: ", ".join(f'"{name}" AS {name}_{side}' for name in ("number", *COLUMNS[domain])) for side in "lr"}
    statements = ", ".join(f"CAST({condition.sql()} AS INTEGER) AS c{i}" for i, condition in enumerate(wanted))
    rows = database.execute(
        f"SELECT {statements} FROM (SELECT {renamed['l']} FROM record) l, (SELECT {renamed['r']} FROM record) r "
        "ORDER BY number_l, number_r"
    ).fetchall()

    pairs = Pairs(Frame(records), left, right)
    for i, condition in enumerate(wanted):
        truth = pairs.truth(condition, pairs.all_rows)
        here = [None if value == UNKNOWN else int(value == TRUE) for value in truth]
        assert here == [row[i] for row in rows], condition.sql()
