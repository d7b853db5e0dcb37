"""A matching model in Splink's terms: settings, the table of records that its conditions read, and scores.

Comparisons, levels and conditions go over unchanged, each as SQL; a level's term frequencies and fixed u too. Nothing
is downloaded and nothing is written: Splink runs on a DuckDB in memory.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker

from matching.conditions import Condition
from matching.features import Features, Kind
from matching.model import Comparison, MatchModel
from matching.operators import Equal
from matching.shared import Shared

_ARROW = {Kind.TEXT: pa.string(), Kind.LIST: pa.list_(pa.string()), Kind.NUMBER: pa.float64()}


def settings_of(model: MatchModel, blocking: Sequence[str] = (), *, weighed: bool = True) -> dict[str, Any]:
    """Splink's settings document of a model, with its m and u unless it is not `weighed` yet."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": 2.0**model.prior / (1.0 + 2.0**model.prior),
        "comparisons": [_comparison(each, weighed) for each in model.comparisons],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule} for rule in blocking],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "max_iterations": 20,
        "em_convergence": 0.001,
    }


def _comparison(comparison: Comparison, weighed: bool) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.unknown.sql(), "label_for_charts": "unknown", "is_null_level": True}
    ]
    exact: set[str] = set()
    for level in comparison.levels:
        item: dict[str, Any] = {
            "sql_condition": "ELSE" if level.condition is None else level.condition.sql(),
            "label_for_charts": level.label,
        }
        if weighed:
            item |= {"m_probability": level.m, "u_probability": level.u}
        if isinstance(level.condition, Equal) and level.condition.first == level.condition.second:
            exact.add(level.condition.first)
        if level.term_frequency is not None:
            item["tf_adjustment_column"] = level.term_frequency.table.column
            item["tf_adjustment_weight"] = level.term_frequency.weight
            item["tf_minimum_u_value"] = level.term_frequency.minimum
            item["disable_tf_exact_match_detection"] = level.term_frequency.table.column not in exact
        levels.append(item)
    return {"output_column_name": _column(comparison), "comparison_levels": levels}


def _column(comparison: Comparison) -> str:
    return comparison.name.replace(" ", "_")


def arrow_table(
    model: MatchModel, records: Sequence[Features], rows: NDArray[np.intp] | None = None, **more: Sequence[Any]
) -> pa.Table:
    """The columns that the model's conditions read, of these records, and further ones. `record` numbers the rows.

    Args:
        rows: places of records, one for each row; without it, each record once.
    """
    used = sorted({column for column, _ in model.columns()} | _frequency_columns(model))
    columns: dict[str, Any] = {}
    for name in used:
        values = [record.get(name) for record in records]
        columns[name] = pa.array(
            [list(value) if isinstance(value, tuple) else value for value in values], _ARROW[model.kinds[name]]
        )
    for condition in _conditions(model):
        if isinstance(condition, Shared):
            columns[f"{condition.column}_worth"] = pa.array(
                [condition.worth(record.get(condition.column)) for record in records], pa.list_(pa.int32())
            )
    table = pa.table(columns) if rows is None else pa.table(columns).take(pa.array(rows))
    numbered = table.add_column(0, "record", pa.array(range(len(table)), pa.int64()))
    for name, further in more.items():
        numbered = numbered.append_column(name, pa.array(further))
    return numbered


def _frequency_columns(model: MatchModel) -> set[str]:
    levels = (level for comparison in model.comparisons for level in comparison.levels)
    return {level.term_frequency.table.column for level in levels if level.term_frequency is not None}


def _conditions(model: MatchModel) -> Iterable[Condition]:
    """Every condition of the comparisons and everything that it is made of."""
    waiting: list[Any] = [comparison.unknown for comparison in model.comparisons]
    waiting += [level.condition for comparison in model.comparisons for level in comparison.levels]
    while waiting:
        condition = waiting.pop()
        if condition is None:
            continue
        yield condition
        waiting.extend(getattr(condition, "parts", ()))
        waiting.append(getattr(condition, "part", None))


def open_linker(model: MatchModel, table: pa.Table, blocking: Sequence[str] = (), *, weighed: bool = True) -> Linker:
    """A Splink linker over the records with the model's settings and frozen term frequencies."""
    hush()
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    api = DuckDBAPI(connection=connection)
    records = api.register(table, dataset_display_name="records")
    linker = Linker(records, settings_of(model, blocking, weighed=weighed), validate_settings=False)
    for column in sorted(_frequency_columns(model)):
        shares = model.frequencies[column]
        counted = sorted(shares.counts)
        frozen = pa.table(
            {column: counted, f"tf_{column}": pa.array([shares.share(value) for value in counted], pa.float64())}
        )
        lookup = api.register(frozen, dataset_display_name=f"frequencies_of_{column}")
        linker.table_management.register_term_frequency_lookup(lookup, column)
    return linker


def hush() -> None:
    """Splink's progress notes are for notebooks; what matters is in the result."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("splink")]:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("splink").setLevel(logging.ERROR)


def splink_weights(
    model: MatchModel, records: Sequence[Features], left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What Splink says of these pairs: the match weight of each, and the contributions of its comparisons (a column
    each), term-frequency adjustments included."""
    linker = open_linker(model, arrow_table(model, records), ["1 = 0"])
    pairs = pa.table({"match_key": ["0"] * len(left), "join_key_l": left, "join_key_r": right})
    api = linker._db_api
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs, dataset_display_name="pairs"))
    found = linker.inference.predict().as_pyarrow_table()  # type: ignore[no-untyped-call]
    place = np.empty(len(left), dtype=np.intp)
    place[np.lexsort((right, left))] = np.lexsort((found["record_r"].to_numpy(), found["record_l"].to_numpy()))
    parts = np.zeros((len(left), len(model.comparisons)))
    for number, comparison in enumerate(model.comparisons):
        for column in (f"mw_{_column(comparison)}", f"mw_tf_adj_{_column(comparison)}"):
            if column in found.column_names:
                parts[:, number] += found[column].to_numpy()[place]
    return found["match_weight"].to_numpy()[place], parts


def parameters(linker: Linker) -> Mapping[str, list[tuple[float | None, float | None]]]:
    """m and u of every level that Splink has now, by comparison, best level first; None where it was not trained."""
    found: dict[str, list[tuple[float | None, float | None]]] = {}
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        found[comparison["output_column_name"].replace("_", " ")] = [
            (level.get("m_probability"), level.get("u_probability"))
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        ]
    return found
