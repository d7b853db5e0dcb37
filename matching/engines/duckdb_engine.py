"""Blocking of a whole store in DuckDB. Keys and caps are those of the released model, so the pairs are the stream's."""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.features import Kind
from matching.model import BlockingRule, MatchModel
from mdm.errors import OperatorError

#: The place of a record in its table; no derived column is called like that.
ROW = "_row"


def candidate_pairs(
    model: MatchModel,
    table: pa.Table,
    shared: pa.Table | None = None,
    *,
    rules: Sequence[BlockingRule] | None = None,
    threads: int = 2,
    memory: str = "1GB",
) -> NDArray[np.int64]:
    """Pairs of rows that share a key which few enough rows carry, packed as a << 32 | b, ascending.

    That is the cap of the key's rule, and `model.block_cap` for further blocks.

    Args:
        shared: further blocks that are no columns (evidence of other records): `block`, `number`.
        rules: the model's, if not given.

    Raises:
        OperatorError: this does not fit into `memory`.
    """
    try:
        return _candidate_pairs(model, table, shared, rules, threads, memory)
    except duckdb.OutOfMemoryException as error:
        raise OperatorError(
            f"{memory} of memory are too little to find the candidates of {len(table):,} records.",
            action="Give more with --memory (1GB for a million records), or fewer --workers.",
        ) from error


def _candidate_pairs(
    model: MatchModel,
    table: pa.Table,
    shared: pa.Table | None,
    rules: Sequence[BlockingRule] | None,
    threads: int,
    memory: str,
) -> NDArray[np.int64]:
    numbered = table.append_column(ROW, pa.array(np.arange(len(table), dtype=np.int64)))
    with duckdb.connect(config={"threads": threads, "memory_limit": memory}) as database:
        database.register("record", numbered)
        if shared is not None:
            database.register("shared", shared)
        database.execute("create temp table pair (packed bigint)")
        chosen = rules if rules is not None else (*model.blocking, *model.dynamic)
        blocks = [(rule_sql(model, rule), model.cap_of(rule)) for rule in chosen]
        if shared is not None:
            blocks.append(("select block, number as _row from shared", model.block_cap))
        for block, cap in blocks:
            database.execute(f"insert into pair {_pairs_sql(block)}", [cap])
        found = database.execute("select distinct packed from pair order by packed").fetchnumpy()["packed"]
    result: NDArray[np.int64] = np.asarray(found, dtype=np.int64)
    return result


def _pairs_sql(block: str) -> str:
    return f"""
        with block as materialized ({block}),
        usable as (select block from block group by block having count(*) between 2 and ?),
        kept as materialized (select block, _row from block semi join usable using (block))
        select a._row << 32 | b._row from kept a join kept b using (block) where a._row < b._row"""


def rule_sql(model: MatchModel, rule: BlockingRule) -> str:
    """A rule's blocks as SQL: `block`, a hash of the key, and the `_row` of each record that has it."""
    kinds = {**model.kinds, **model.key_kinds}
    lists = [name for name in rule.columns if kinds[name] is Kind.LIST]
    known = " and ".join(f'"{name}" is not null' for name in rule.columns)
    if len(lists) <= 1:
        value = _concat([f'unnest("{name}"[:{rule.limit}])' if name in lists else f'"{name}"' for name in rule.columns])
        return f"select hash({value}) as block, _row from record where {known}"
    keys = f"({_product(rule.columns, lists)})[:{rule.limit}]"
    return f"select hash(unnest({keys})) as block, _row from record where {known}"


def _product(columns: Sequence[str], lists: Sequence[str]) -> str:
    """All combinations, the first column varying slowest."""
    names = {name: f"v{place}" for place, name in enumerate(columns)}
    inner = _concat([names[name] if name in lists else f'"{name}"' for name in columns])
    *outer, last = lists
    text = f'list_transform("{last}", lambda {names[last]}: {inner})'
    for name in reversed(outer):
        text = f'flatten(list_transform("{name}", lambda {names[name]}: {text}))'
    return text


def _concat(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else " || '|' || ".join(parts)
