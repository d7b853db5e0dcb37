"""Every condition of the shipped models means in SQL exactly what it means in the scorer, missing values included."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching.conditions import FALSE, TRUE, UNKNOWN, Condition, Judged, Not
from matching.features import COLUMNS, DISTINCT_IN, Features, Kind, derive
from matching.frame import Frame
from matching.model import Comparison, Level, MatchModel, load_model
from matching.parsing import parse_condition
from matching.scoring import score_columns
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

    pairs = [Judged(records[a], records[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
    for i, condition in enumerate(wanted):
        truths = [pair.truth(condition) for pair in pairs]
        here = [None if truth == UNKNOWN else int(truth == TRUE) for truth in truths]
        assert here == [row[i] for row in rows], condition.sql()


@pytest.mark.parametrize("domain", sorted(RECORDS))
@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_conditions_hold_where_they_hold_of_a_pair(domain: str, data: st.DataObject) -> None:
    """Each condition alone is a comparison with the levels true, false and unknown, and a veto."""
    model = load_model(domain)
    drawn = data.draw(st.lists(RECORDS[domain], min_size=20, max_size=20))
    records = [derive(domain, record, frozenset({"data"})) for record in drawn]
    left, right = (side.ravel() for side in np.indices((len(records), len(records))))
    wanted = list(conditions(model))
    asked = replace(
        model,
        comparisons=tuple(
            Comparison(
                str(number),
                parse_condition({"equal": DISTINCT_IN}, "test"),
                (level(condition), level(Not(condition)), level(None)),
                worst=0.0,
                best=0.0,
            )
            for number, condition in enumerate(wanted)
        ),
        vetoes=(),
    )

    levels = score_columns(asked, Frame(records), left, right).levels

    for row, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        pair = Judged(records[a], records[b])
        for column, condition in enumerate(wanted):
            assert _TRUTHS[levels[row, column]] == pair.truth(condition), (condition.sql(), records[a], records[b])


def level(condition: Condition | None) -> Level:
    return Level("a level", condition, m=0.5, u=0.5, weight=0.0, expected=None)


#: The truth that a level of the test above stands for.
_TRUTHS = {1: TRUE, 2: FALSE, 3: UNKNOWN}
