"""Splink's own way with the generated companies: its comparison library, its training, its clustering."""

import logging
from dataclasses import dataclass

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
    linker = _linker(_records(table), threads)
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


@dataclass(frozen=True, slots=True)
class Edges:
    """Pairs that Splink scored: rows of the table and match weights in bits."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.float64]


def labelled_edges(table: pa.Table, truth: NDArray[np.int64], meter: Meter, threads: int) -> Edges:
    """The pairs at or above a weight of 0, with m learned from the true companies of every tenth company."""
    labels = pa.array(truth, pa.int64(), mask=truth % 10 != 0)
    linker = _linker(_records(table).append_column("label", labels), threads)
    with meter.stage("train"):
        linker.training.estimate_probability_two_random_records_match([block_on("tax")], recall=0.4)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e7, seed=1)
        linker.training.estimate_m_from_label_column("label")
    with meter.stage("block and score"):
        found = linker.inference.predict(threshold_match_weight=0.0).as_pyarrow_table()
    a, b = (found[column].to_numpy().astype(np.int64) for column in ("record_l", "record_r"))
    return Edges(a, b, found["match_weight"].to_numpy().astype(np.float64))


def tax_numbers(table: pa.Table) -> list[str | None]:
    """The tax number that Splink compares, of each record."""
    return list(_records(table)["tax"].to_pylist())


def _linker(records: pa.Table, threads: int) -> Linker:
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    api = DuckDBAPI(connection=connection)
    return Linker(api.register(records, dataset_display_name="companies"), _settings())


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
