"""Encoded records as rows for the compiled scorer: what a record says lies together, so that few places are looked up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matching import kernels
from matching.conditions import Columns
from matching.kernels import Records
from matching.program import Program

_WORD = 64


def encode_rows(program: Program, columns: Columns) -> Records:
    """The rows of a batch of records for a program."""
    texts = [columns.codes(name) for name in program.texts]
    lists = [columns.lists(name) for name in program.lists]
    numbers = [columns.numbers(name) for name in program.numbers]
    size = len((*texts, *numbers, *(each.lengths for each in lists))[0])
    text = np.empty((size, len(texts)), dtype=np.int32)
    for slot, codes in enumerate(texts):
        text[:, slot] = codes
    number = np.empty((size, len(numbers)))
    for slot, values in enumerate(numbers):
        number[:, slot] = values
    many = sum(len(each.flat) for each in lists)
    placed = np.zeros((size, len(lists), 2), dtype=np.int32 if many < 2**31 else np.int64)
    for slot, each in enumerate(lists):
        placed[:, slot, 0] = each.lengths
    flat = np.empty(kernels.arrange(placed), dtype=np.int32)
    for slot, each in enumerate(lists):
        kernels.put(placed, flat, slot, each.starts, each.flat)
    data, starts, bases = _spelt(columns, program.spelt)
    worth, worth_bases = _worth(program, columns)
    return Records(
        present=_present([codes >= 0 for codes in texts] + [each.lengths > 0 for each in lists] + [~np.isnan(values) for values in numbers], size),
        text=text,
        lists=placed,
        flat=flat,
        numbers=number,
        data=data,
        sketches=kernels.sketch(data, starts),
        bases=bases,
        worth=worth,
        worth_bases=worth_bases,
        longest=np.array([max((int(each.lengths.max(initial=0)) for each in lists), default=0), int(np.diff(starts).max(initial=0))]),
    )


def _present(columns: Sequence[NDArray[np.bool_]], size: int) -> NDArray[np.uint64]:
    words = np.zeros((size, 2), dtype=np.uint64)
    for place, column in enumerate(columns):
        words[:, place // _WORD] |= column.astype(np.uint64) << np.uint64(place % _WORD)
    return words


def _spelt(
    columns: Columns, names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32]]:
    """The dictionaries of these columns, each once, one after another; where each text begins, and each column's."""
    found = columns.dictionaries(names)
    data, starts = [np.zeros(0, dtype=np.uint8)], [np.zeros(1, dtype=np.int64)]
    bases: dict[int, int] = {}
    texts = size = 0
    for each in found:
        if id(each) in bases:
            continue
        bases[id(each)] = texts
        first, last = int(each.starts[0]), int(each.starts[-1])
        starts.append(each.starts[1:] + (size - first))
        data.append(each.data[first:last])
        size += last - first
        texts += len(each.starts) - 1
    return np.concatenate(data), np.concatenate(starts), np.array([bases[id(each)] for each in found], dtype=np.uint32)


def _worth(program: Program, columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    parts, begins = [np.zeros(0, dtype=np.int64)], []
    for name, table in program.worth:
        codes = np.unique(columns.lists(name).flat)
        codes = codes[codes >= 0]
        mine = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
        mine[codes] = [table.information(text.decode()) for text in columns.texts(name, codes)]
        begins.append(sum(map(len, parts)))
        parts.append(mine)
    return np.concatenate(parts), np.array(begins, dtype=np.uint32)
