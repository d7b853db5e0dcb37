"""Splink's own way with the generated companies: its comparison library, its training, its clustering."""

import logging

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import splink.comparison_library as cl
from numpy.typing import NDArray
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from bench.meter import Meter

_THRESHOLD = 0.95


def splink_entities(table: pa.Table, meter: Meter, threads: int) -> NDArray[np.int64]:
    """The entity of each record, as Splink finds it without labels."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register(_records(table), dataset_display_name="companies"), _settings())
    with meter.stage("train"):
        linker.training.estimate_probability_two_random_records_match([block_on("tax")], recall=0.4)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e7, seed=1)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("name"))
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("postcode", "city"))
    with meter.stage("block and score"):
        predictions = linker.inference.predict(threshold_match_probability=0.5)
    with meter.stage("cluster"):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, _THRESHOLD)
        found = clusters.as_pyarrow_table().sort_by("record")
    return np.asarray(found["cluster_id"].to_numpy(), dtype=np.int64)


def _records(table: pa.Table) -> pa.Table:
    """The columns that its comparisons read; of lists the first value."""
    columns = {"record": pa.array(np.arange(len(table)), pa.int64())}
    for name in ("name", "country", "postcode", "city", "street"):
        columns[name] = table[name]
    for name, source in (("tax", "exclusive"), ("phone", "phones"), ("domain", "domains")):
        lists = table[source].combine_chunks()
        columns[name] = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(lists), 0), lists, None), 0)
    return pa.table(columns)


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.92, 0.88]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("tax", 1),
            cl.ExactMatch("phone"),
            cl.ExactMatch("domain"),
            cl.ExactMatch("country"),
            cl.ExactMatch("postcode"),
            cl.JaroWinklerAtThresholds("street", [0.9]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("tax"), block_on("phone"), block_on("domain", "substr(name, 1, 3)"), block_on("name", "country"),
            block_on("postcode", "street"), block_on("city", "substr(name, 1, 6)"),
            block_on("postcode", "substr(name, 1, 4)"),
        ],
    )  # fmt: skip
