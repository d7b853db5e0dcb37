"""A store as one Arrow table: a row per record, a column per derived column that the model reads."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.conditions import Condition
from matching.features import DISTINCT_IN, Features, Kind, derive_once
from matching.frame import Dictionary, Lists
from matching.model import MatchModel
from matching.program import program_of
from matching.rows import rows_of

_ARROW = {Kind.TEXT: pa.string(), Kind.LIST: pa.list_(pa.string()), Kind.NUMBER: pa.float64()}
#: A dictionary up to this size is also kept as a list, from which texts are taken in half the time.
_LISTED = 250_000
#: What a record is called wherever it is stored.
SELF = "self"


def columns_of(model: MatchModel) -> dict[str, Kind]:
    """The columns that scoring, blocking and clustering of a model read, with their kinds."""
    known = {**model.kinds, **model.key_kinds}
    wanted = {name for name, _ in model.columns()} | {SELF} | set(model.cannot_link.identifiers)
    wanted |= set(model.cannot_link.parents or ())
    wanted |= {name for rule in (*model.blocking, *model.dynamic) for name in rule.columns}
    return {name: kind for name, kind in known.items() if name in wanted}


def compared(model: MatchModel, table: pa.Table) -> pa.Table:
    """The table without what only blocking reads: a quarter of its memory, given back once the pairs are found."""
    return table.select([name for name in table.column_names if name not in model.key_kinds])


def named(model: MatchModel, table: pa.Table) -> pa.Table:
    """The table with only what clustering reads of it, beside its frame: names, and what contradicts others."""
    wanted = {SELF, DISTINCT_IN, *model.cannot_link.identifiers, *(model.cannot_link.parents or ())}
    return table.select([name for name in table.column_names if name in wanted])


def feature_table(model: MatchModel, comparisons: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The table of these records, in their order."""
    return pa.Table.from_batches(list(feature_batches(model, comparisons)))


def feature_batches(model: MatchModel, comparisons: Iterable[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
    """The same in parts, at least one; each is derived when it is asked for."""
    kinds, some = columns_of(model), False
    for chunk in _chunks(model, comparisons):
        yield _batch(kinds, chunk)
        some = True
    if not some:
        yield _batch(kinds, [])


def _chunks(
    model: MatchModel, comparisons: Iterable[Mapping[str, Any]], size: int = 20_000
) -> Iterator[list[Features]]:
    chunk: list[Features] = []
    for comparison in comparisons:
        chunk.append(derive_once(model.domain, comparison, model.common_tokens))
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _batch(kinds: Mapping[str, Kind], records: Sequence[Features]) -> pa.RecordBatch:
    arrays = [pa.array([record.get(name) for record in records], _ARROW[kind]) for name, kind in kinds.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(kinds))


class TableFrame:
    """Columns of a table, encoded on first use. Implements `matching.conditions.Columns` for a million records.

    Columns that a condition compares with one another share a dictionary; all others have their own.
    """

    def __init__(self, model: MatchModel, table: pa.Table) -> None:
        self._table = table
        self.memory: dict[str, Any] = {}
        self._family = _families(model)
        self._dictionaries: dict[str, pa.Array] = {}
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, Lists] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._texts: dict[str, NDArray[np.object_]] = {}

    def encode(self, model: MatchModel) -> None:
        """Encode what this model reads, so that threads which share the frame only read it, and let go of all else."""
        rows_of(program_of(model), self)
        if any(comparison.adjusted for comparison in model.comparisons):
            return  # how rare a value is, is looked up by its text
        self._table = self._table.select([])
        for kept in (self._dictionaries, self._codes, self._lists, self._numbers, self._texts):
            kept.clear()

    def codes(self, column: str) -> NDArray[np.int32]:
        self._encode(column)
        return self._codes[column]

    def lists(self, column: str) -> Lists:
        self._encode(column)
        return self._lists[column]

    def texts(self, column: str, codes: NDArray[np.int32]) -> list[bytes]:
        name = self._name(column)
        dictionary = self._dictionaries[name]
        if len(dictionary) > _LISTED:
            return list(dictionary.take(pa.array(codes)).to_pylist())
        if name not in self._texts:
            # Filled before it is kept: another thread would take the places that are not filled yet.
            known = np.empty(len(dictionary), dtype=object)
            known[:] = dictionary.to_pylist()
            self._texts[name] = known
        found: list[bytes] = self._texts[name][codes].tolist()
        return found

    def dictionaries(self, columns: Sequence[str]) -> list[Dictionary]:
        for column in columns:
            self._encode(column)
        names = [self._name(column) for column in columns]
        found = {name: _dictionary(self._dictionaries[name]) for name in set(names)}
        return [found[name] for name in names]

    def numbers(self, column: str) -> NDArray[np.float64]:
        if column not in self._numbers:
            self._numbers[column] = self._table[column].to_numpy()
        return self._numbers[column]

    def _name(self, column: str) -> str:
        return self._family.get(column, (column,))[0]

    def _encode(self, column: str) -> None:
        if column in self._codes or column in self._lists:
            return
        family = self._family.get(column, (column,))
        parts = {name: self._table[name].combine_chunks() for name in family}
        flat = [_flat(part).cast(pa.binary()) for part in parts.values()]
        encoded = pa.chunked_array(flat).combine_chunks().dictionary_encode()
        self._dictionaries[family[0]] = encoded.dictionary
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        start = 0
        for (name, part), values in zip(parts.items(), flat, strict=True):
            mine = codes[start : start + len(values)]
            start += len(values)
            if pa.types.is_list(part.type):
                lengths = part.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
                self._lists[name] = Lists(lengths.astype(np.int32), mine)
            else:
                self._codes[name] = mine


def _flat(part: pa.Array) -> pa.Array:
    return part.flatten() if pa.types.is_list(part.type) else part


def _dictionary(dictionary: pa.Array) -> Dictionary:
    _, offsets, data = dictionary.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[dictionary.offset : dictionary.offset + len(dictionary) + 1]
    return Dictionary(np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, np.uint8), starts.astype(np.int64))


def _families(model: MatchModel) -> dict[str, tuple[str, ...]]:
    """For every column that is compared with another: all columns that it must share a dictionary with."""
    together: defaultdict[str, set[str]] = defaultdict(set)
    for condition in _leaves(model):
        first, second = getattr(condition, "first", None), getattr(condition, "second", None)
        if first is not None and second is not None and first != second:
            together[first].add(second)
            together[second].add(first)
    families: dict[str, tuple[str, ...]] = {}
    for column in together:
        members, waiting = {column}, [column]
        while waiting:
            more = together[waiting.pop()] - members
            members |= more
            waiting.extend(more)
        families[column] = tuple(sorted(members))
    return families


def _leaves(model: MatchModel) -> Iterator[Condition]:
    waiting: list[Any] = [each.unknown for each in model.comparisons] + [each.condition for each in model.vetoes]
    waiting += [level.condition for each in model.comparisons for level in each.levels if level.condition is not None]
    while waiting:
        condition = waiting.pop()
        waiting.extend(getattr(condition, "parts", ()))
        if hasattr(condition, "part"):
            waiting.append(condition.part)
        else:
            yield condition


def name_ranks(table: pa.Table) -> NDArray[np.int64]:
    """The place of each record in the order of names: how ties are broken, whatever the order of the table."""
    names = pc.binary_join(table[SELF].combine_chunks(), "\x00")
    ranks = np.empty(len(table), dtype=np.int64)
    ranks[pc.sort_indices(names).to_numpy()] = np.arange(len(table))
    return ranks
