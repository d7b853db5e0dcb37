"""Engines that find and score the candidate pairs of a whole store; all give the same links."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

import numpy as np
import pyarrow as pa

from matching.blocking import BlockingKey, keys_of
from matching.engines import duckdb_engine
from matching.engines.links import Links, Progress, score_links
from matching.engines.table import TableFrame, compared
from matching.model import BlockingRule, MatchModel


class Engine(Protocol):
    """Finds the links of a table of records (`matching.engines.table`)."""

    name: str
    #: Cores of this machine to use.
    workers: int

    def links(
        self, model: MatchModel, table: pa.Table, rules: Sequence[BlockingRule], shared: pa.Table, progress: Progress
    ) -> Links:
        """The links among the records that share a key of these rules or a block of `shared` (`block`, `number`)."""
        ...


class DuckDB:
    """Blocking in DuckDB, scoring on several threads."""

    name = "duckdb"

    def __init__(self, workers: int, memory: str) -> None:
        self.workers = workers
        self._memory = memory

    def links(
        self, model: MatchModel, table: pa.Table, rules: Sequence[BlockingRule], shared: pa.Table, progress: Progress
    ) -> Links:
        packed = duckdb_engine.candidate_pairs(
            model, table, shared, rules=rules, threads=self.workers, memory=self._memory
        )
        progress(f"{len(packed):,} candidate pairs among {len(table):,} records")
        frame = TableFrame(model, compared(model, table))
        frame.encode(model)
        return score_links(model, frame, packed, self.workers, progress)


class Plain:
    """The rules as they read, record by record."""

    name = "python"
    workers = 1

    def links(
        self, model: MatchModel, table: pa.Table, rules: Sequence[BlockingRule], shared: pa.Table, progress: Progress
    ) -> Links:
        blocks: defaultdict[object, list[int]] = defaultdict(list)
        caps = {rule.name: model.cap_of(rule) for rule in rules}
        for number, row in enumerate(table.to_pylist()):
            features = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
                        if value is not None}  # fmt: skip
            for key in keys_of(rules, features):
                blocks[key].append(number)
        for block, number in zip(shared["block"].to_pylist(), shared["number"].to_pylist(), strict=True):
            blocks[block].append(number)
        pairs = {
            a << 32 | b
            for key, members in blocks.items()
            if len(members) <= (caps[key.rule] if isinstance(key, BlockingKey) else model.block_cap)
            for a, b in combinations(sorted(members), 2)
        }
        progress(f"{len(pairs):,} candidate pairs among {len(table):,} records")
        return score_links(model, TableFrame(model, table), np.array(sorted(pairs), dtype=np.int64), 1, progress)
