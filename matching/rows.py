"""Encoded records as rows for the compiled scorer: what one says lies together, so that few places are looked up."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.conditions import Columns
from matching.machine_code import compiled
from matching.program import WORD, Program, words_for

# Letters and digits have a bit each, all other bytes share the rest of a 64-bit word. Two bytes on one bit only make
# the bound looser.
_BIT = np.array(
    [
        1 << (ord(chr(byte).lower()) - 97) if chr(byte).isascii() and chr(byte).isalpha()
        else 1 << (26 + byte - 48) if 48 <= byte < 58
        else 1 << (36 + byte % 28)
        for byte in range(256)
    ],
    dtype=np.uint64,
)  # fmt: skip
#: What the rows are called in the memory of columns.
_ROWS = "rows"


class Records(NamedTuple):
    """Encoded records, each a row.

    Attributes:
        present: a bit per column that has a value, texts first, then lists, then numbers.
        text: the code of each text; -1 missing.
        lists: how long each list is, and its value where that is 1, otherwise where its values begin in `flat`.
        numbers: NaN is missing.
        data: texts that are compared letter by letter, one after another.
        sketches: of each of these: a bit per character that it has, and that it has twice, its first four bytes, and
            where it begins in `data`; one more row tells where the last one ends.
        bases: per column that is so compared, where its texts begin in `sketches`.
        worth: what values of lists tell; `worth_bases` where each column's begin.
        longest: the length of the longest list, and of the longest text.
    """

    present: NDArray[np.uint64]
    text: NDArray[np.int32]
    lists: NDArray[np.int32] | NDArray[np.int64]
    flat: NDArray[np.int32]
    numbers: NDArray[np.float64]
    data: NDArray[np.uint8]
    sketches: NDArray[np.uint64]
    bases: NDArray[np.uint32]
    worth: NDArray[np.int64]
    worth_bases: NDArray[np.uint32]
    longest: NDArray[np.int64]


def rows_of(program: Program, columns: Columns) -> Records:
    """The rows of a batch of records for a program; encoded once."""
    kept = columns.memory.get(_ROWS)
    if kept is None or kept[0] is not program:
        kept = columns.memory[_ROWS] = program, encode_rows(program, columns)
    records: Records = kept[1]
    return records


def encode_rows(program: Program, columns: Columns) -> Records:
    """The rows of a batch of records for a program."""
    texts = [columns.codes(name) for name in program.texts]
    lists = [columns.lists(name) for name in program.lists]
    numbers = [columns.numbers(name) for name in program.numbers]
    size = [*map(len, texts), *map(len, numbers), *(len(each.lengths) for each in lists)][0]
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
    flat = np.empty(_arrange(placed), dtype=np.int32)
    for slot, each in enumerate(lists):
        # Arrow's arrays cannot be written to, and for such all would be compiled a second time.
        _put(placed, flat, slot, np.require(each.flat, requirements="W"))
    data, starts, bases = _spelt(columns, program.spelt)
    worth, worth_bases = _worth(program, columns)
    has = [codes >= 0 for codes in texts], [each.lengths > 0 for each in lists], [~np.isnan(each) for each in numbers]
    longest = max((int(each.lengths.max(initial=0)) for each in lists), default=0), int(np.diff(starts).max(initial=0))
    return Records(
        present=_present(list(chain(*has)), size),
        text=text,
        lists=placed,
        flat=flat,
        numbers=number,
        data=data,
        sketches=sketched(data, starts),
        bases=bases,
        worth=worth,
        worth_bases=worth_bases,
        longest=np.array(longest),
    )


def _present(columns: Sequence[NDArray[np.bool_]], size: int) -> NDArray[np.uint64]:
    words = np.zeros((size, words_for(len(columns))), dtype=np.uint64)
    for place, column in enumerate(columns):
        words[:, place // WORD] |= column.astype(np.uint64) << np.uint64(place % WORD)
    return words


def _spelt(columns: Columns, names: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32]]:
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


@compiled
def sketched(data: Any, starts: Any) -> Any:
    """`Records.sketches` of texts that lie one after another; one more row tells where the last of them ends."""
    n = len(starts) - 1
    found = np.zeros((n + 1, 4), dtype=np.uint64)
    for text in range(n):
        start = starts[text]
        once = twice = head = np.uint64(0)
        for place in range(starts[text + 1] - start):
            byte = data[start + place]
            bit = _BIT[byte]
            twice |= once & bit
            once |= bit
            if place < 4:
                head |= np.uint64(byte) << np.uint64(8 * (3 - place))
        found[text, 0], found[text, 1], found[text, 2], found[text, 3] = once, twice, head, np.uint64(start)
    found[n, 3] = np.uint64(starts[n])
    return found


@compiled
def _arrange(lists: Any) -> Any:
    """Say where the values of each list begin in `Records.flat`, a record's one after another; how many there are.

    `lists` has the lengths; a list of one has its value in place of that.
    """
    place = 0
    for record in range(len(lists)):
        for slot in range(lists.shape[1]):
            if lists[record, slot, 0] > 1:
                lists[record, slot, 1] = place
                place += lists[record, slot, 0]
    return place


@compiled
def _put(lists: Any, flat: Any, slot: Any, values: Any) -> None:
    """Write the values of a column of lists, which come one record's after another's."""
    begin = 0
    for record in range(len(lists)):
        length = lists[record, slot, 0]
        if length == 1:
            lists[record, slot, 1] = values[begin]
        else:
            for place in range(length):
                flat[lists[record, slot, 1] + place] = values[begin + place]
        begin += length
