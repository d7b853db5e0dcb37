"""Generated companies as the table that matching reads: standardised by the shipped profiles, kept for the next run."""

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.companies import Row, rows
from matching.documents import FEATURES_VERSION
from matching.engines.table import columns_of, feature_table
from matching.model import MatchModel
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.intake.mapping import standardise

_CHUNK = 5_000
#: What a table is made by; a change in any of these makes it anew.
_ROOT = Path(__file__).parents[1]
_MADE_BY = (_ROOT / "matching" / "features", _ROOT / "mdm" / "intake", Path(__file__).parent)
_SOURCES = frozenset({".py", ".yaml", ".csv", ".txt", ".tsv", ".json", ".gz"})
#: The true company of each record, beside the columns that matching reads.
TRUTH = "company"


def company_table(
    model: MatchModel, records: int, seed: int, folder: Path | None, progress: Callable[[str], None]
) -> pa.Table:
    """The table of `records` generated records, with their truth. Made once per model and kept in `folder`."""
    path = folder / f"companies-{records}-{seed}-{_digest(model)}.parquet" if folder else None
    if path is not None and path.is_file():
        return pq.read_table(path, memory_map=True)
    batches = []
    with get_context("fork").Pool(os.cpu_count() or 1) as pool:
        work = partial(_standardised, model)
        for number, batch in enumerate(pool.imap(work, _chunks(records, seed)), start=1):
            batches.append(pa.ipc.open_stream(batch).read_all())
            if number % 20 == 0:
                progress(f"standardised {number * _CHUNK:,} of {records:,} records")
    table = pa.concat_tables(batches).combine_chunks()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    return table


def _digest(model: MatchModel) -> str:
    """What a table depends on: the columns that the model reads, the words that it calls common, and their makers."""
    digest = sha256(repr([FEATURES_VERSION, sorted(columns_of(model)), sorted(model.common_tokens)]).encode())
    for path in sorted(path for folder in _MADE_BY for path in folder.rglob("*") if path.suffix in _SOURCES):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _chunks(records: int, seed: int) -> Iterator[list[Row]]:
    source = rows(records, seed)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk


def comparisons(chunk: list[Row]) -> list[dict[str, Any]]:
    """The comparison forms of rows, by the shipped profiles."""
    catalogue = _catalogue()
    return [dict(standardise(catalogue, each.key, each.row).comparison) for each in chunk]


@cache
def _catalogue() -> Catalogue:
    return load_catalogue(None)


def _standardised(model: MatchModel, chunk: list[Row]) -> bytes:
    table = feature_table(model, comparisons(chunk))
    table = table.append_column(TRUTH, pa.array([each.company for each in chunk], pa.int64()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
