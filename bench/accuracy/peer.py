"""Splink as its users meet it: comparisons of its library with their defaults, trained as its tutorial says."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow as pa
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import EMTrainingException

from matching.evaluation import Report, evaluate
from matching.training.splink_model import hush

_COMPARISONS = {
    "name": lambda column: cl.NameComparison(column),
    "similar": lambda column: cl.JaroWinklerAtThresholds(column),
    "exact": lambda column: cl.ExactMatch(column),
    "email": lambda column: cl.EmailComparison(column),
    "dob": lambda column: cl.DateOfBirthComparison(column, input_is_string=True),
}
#: The threshold of its tutorial, and others, of which the best is reported too.
DEFAULT, _TRIED = 0.95, (0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


def splink_by_default(
    given: Mapping[str, Any], rows: Sequence[Mapping[str, str]], tables: Sequence[str], entities: Sequence[str | None]
) -> tuple[Report, Report]:
    """Entities as the tutorial forms them, and the best that hindsight finds over thresholds, with and without EM."""
    plain = _reports(given, rows, tables, entities, trained=False)
    trained = {} if given.get("no_em") else _reports(given, rows, tables, entities, trained=True)
    everything = [*plain.values(), *trained.values()]
    return (trained or plain)[DEFAULT], max(everything, key=lambda report: report.pairs.quality.f1)


def _reports(
    given: Mapping[str, Any],
    rows: Sequence[Mapping[str, str]],
    tables: Sequence[str],
    entities: Sequence[str | None],
    *,
    trained: bool,
) -> dict[float, Report]:
    """Entities at each threshold, after training by expectation maximisation or with the library's own m."""
    hush()
    # Only what Splink is asked to read: other columns may have names that its own SQL uses.
    wanted = " ".join([*given["comparisons"], *given["blocking"]])
    columns = sorted({column for column in rows[0] if column in wanted} | set(given["comparisons"]))
    api = DuckDBAPI(connection=duckdb.connect())
    frames = []
    split = sorted(set(tables)) if given.get("distinct_files") else [""]
    for name in split:
        places = [at for at, table in enumerate(tables) if name in ("", table)]
        values = {column: pa.array([rows[at].get(column) or None for at in places], pa.string()) for column in columns}
        table = pa.table({**values, "unique_id": places})
        frames.append(api.register(table, dataset_display_name=name or "records"))
    settings = SettingsCreator(
        link_type="link_only" if len(frames) > 1 else "dedupe_only",
        comparisons=[_COMPARISONS[kind](column) for column, kind in given["comparisons"].items()],
        blocking_rules_to_generate_predictions=[block_on(rule) for rule in given["blocking"]],
    )
    linker = Linker(frames if len(frames) > 1 else frames[0], settings)
    first = [block_on(rule) for rule in given["blocking"]]
    linker.training.estimate_probability_two_random_records_match(first[:1], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    if trained:
        for rule in first[:3]:
            # A rule that pairs nobody, or drives a probability to nothing, trains nothing; its user takes the next.
            with suppress(EMTrainingException, ValueError):
                linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predictions = linker.inference.predict()
    return {threshold: _clusters(linker, predictions, threshold, entities) for threshold in _TRIED}


def _clusters(linker: Linker, predictions: Any, threshold: float, entities: Sequence[str | None]) -> Report:
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predictions, threshold_match_probability=threshold
    ).as_pyarrow_table()
    clusters = dict(zip(found["unique_id"].to_pylist(), found["cluster_id"].to_pylist(), strict=True))
    return evaluate(clusters, {at: entity for at, entity in enumerate(entities) if entity is not None})
