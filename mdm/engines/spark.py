"""Blocking of a whole store in Spark SQL, scoring by the hub's own scorer in every worker.

Spark's own Jaro-Winkler gives other weights than the released model, so Spark only finds and ships the pairs. The
columns of the records are sent to every worker once; a store whose columns do not fit into a worker's memory needs
more, smaller hubs rather than a larger cluster.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from matching.engines.links import Links, Progress, joined, links_among
from matching.engines.table import TableFrame
from matching.features import Kind
from matching.model import BlockingRule, MatchModel
from mdm.errors import ConfigurationInvalid

try:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as sql
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise ConfigurationInvalid(
        "The Spark engine needs pyspark, which the hub itself does without.",
        action="Run: pip install 'mdm-hub[spark]' (in a checkout: make spark). It also needs Java 17.",
    ) from error

_RESULT = "a bigint, b bigint, weight double, match boolean, veto tinyint, candidates bigint"
_ROW = "_row"


class Spark:
    """Spark in local mode, or the cluster that the environment's Spark configuration names."""

    name = "spark"

    def __init__(self, workers: int = 2) -> None:
        if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
            raise ConfigurationInvalid(
                "The Spark engine needs Java, and there is none on the path.",
                action="Install Java 17, or say with JAVA_HOME where it is.",
            )
        self.workers = workers

    def links(
        self, model: MatchModel, table: pa.Table, rules: Sequence[BlockingRule], shared: pa.Table, progress: Progress
    ) -> Links:
        with TemporaryDirectory(prefix="mdm-spark-") as folder:
            spark = _session(self.workers, Path(folder))
            try:
                return _links(spark, model, table, rules, shared, Path(folder), progress)
            finally:
                spark.stop()


def _session(workers: int, folder: Path) -> SparkSession:
    # Spark starts its workers with whatever python3 is on the path, unless it is told otherwise here.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("mdm match").config("spark.sql.shuffle.partitions", str(2 * workers))
    if "SPARK_MASTER" not in builder._options:
        builder = builder.master(f"local[{workers}]")
    return (
        builder.config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.local.dir", str(folder))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")
        .config("spark.log.level", "ERROR")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )


def _links(
    spark: SparkSession,
    model: MatchModel,
    table: pa.Table,
    rules: Sequence[BlockingRule],
    shared: pa.Table,
    folder: Path,
    progress: Progress,
) -> Links:
    numbered = table.append_column(_ROW, pa.array(np.arange(len(table), dtype=np.int64)))
    pq.write_table(numbered, folder / "records.parquet")
    pq.write_table(shared.set_column(0, "block", shared["block"].cast(pa.string())), folder / "shared.parquet")
    feather.write_feather(table, folder / "columns.arrow", compression="uncompressed")
    records = spark.read.parquet(str(folder / "records.parquet"))
    kinds = {**model.kinds, **model.key_kinds}
    blocks = [_blocks(records, rule, kinds).withColumn("cap", sql.lit(model.cap_of(rule))) for rule in rules]
    more = spark.read.parquet(str(folder / "shared.parquet"))
    more = more.select(sql.concat(sql.lit("shared\x1f"), "block").alias("block"), sql.col("number").alias(_ROW))
    blocks.append(more.withColumn("cap", sql.lit(model.block_cap)))
    pairs = _pairs(reduce(DataFrame.unionAll, blocks))
    progress(f"pairing and scoring {len(table):,} records in Spark")
    path = str(folder / "columns.arrow")
    found = pairs.mapInArrow(lambda batches: _score(model, path, batches), _RESULT).toArrow()
    return _collected(found)


def _blocks(records: DataFrame, rule: BlockingRule, kinds: dict[str, Kind]) -> DataFrame:
    """A rule's blocks: `block`, the rule and the key; and the row of each record that has it."""
    known = records.select(_ROW, *rule.columns).dropna(subset=list(rule.columns))
    lists = [name for name in rule.columns if kinds[name] is Kind.LIST]
    names = {name: f"v{place}" for place, name in enumerate(rule.columns)}
    value = " || '|' || ".join(names[name] if name in lists else f"`{name}`" for name in rule.columns)
    if not lists:
        keys = f"array({value})"
    else:
        # All combinations, the first column varying slowest.
        keys = f"transform(`{lists[-1]}`, {names[lists[-1]]} -> {value})"
        for name in reversed(lists[:-1]):
            keys = f"flatten(transform(`{name}`, {names[name]} -> {keys}))"
    return known.select(sql.expr(f"explode(slice({keys}, 1, {rule.limit}))").alias("key"), _ROW).select(
        sql.concat(sql.lit(f"{rule.name}\x1f"), "key").alias("block"), _ROW
    )


def _pairs(blocks: DataFrame) -> DataFrame:
    """Pairs of rows in blocks within their `cap`."""
    usable = blocks.groupBy("block", "cap").count().where("count between 2 and cap").select("block")
    kept = blocks.join(usable, "block")
    left, right = (kept.select("block", sql.col(_ROW).alias(side)) for side in ("a", "b"))
    return left.join(right, "block").where("a < b").select("a", "b").distinct()


def _score(model: MatchModel, path: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Score pairs inside a worker, against the columns of all records, mapped into its memory."""
    frame = TableFrame(model, feather.read_table(path, memory_map=True))
    frame.encode(model)
    for batch in batches:
        a, b = (batch.column(place).to_numpy(zero_copy_only=False) for place in (0, 1))
        links = links_among(model, frame, a, b)
        counted = np.zeros(len(links), dtype=np.int64)
        if len(links):
            counted[0] = links.candidates
        yield pa.RecordBatch.from_arrays(
            [pa.array(each) for each in (links.a, links.b, links.weight, links.match, links.veto, counted)],
            names=["a", "b", "weight", "match", "veto", "candidates"],
        )


def _collected(found: pa.Table) -> Links:
    if not len(found):
        return joined([])
    columns = {name: found[name].to_numpy() for name in found.column_names}
    order = np.lexsort((columns["b"], columns["a"]))
    return Links(
        a=columns["a"][order],
        b=columns["b"][order],
        weight=columns["weight"][order],
        match=columns["match"][order],
        veto=columns["veto"][order],
        candidates=int(columns["candidates"].sum()),
    )
