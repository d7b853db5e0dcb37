"""A batch of records as columns of numbers, so that conditions on many pairs become array operations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.features import Features
from matching.sketches import Sketches, sketch_texts

#: Values of a list that lie in one matrix for all records; the rest of a longer list is looked up when it is needed.
NARROW = 4
#: Places below this number are kept as four bytes.
_SHORT = 2**31


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Texts one after another as UTF-8; text i is from `starts[i]` to where the next starts."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists of codes, distinct within a list.

    `many` tells which have more than one value; `narrow` has the first values of each record, one row per place in the
    list, padded with -1; `flat` all values of all records, record i's from `starts[i]` on.
    """

    lengths: NDArray[np.int32]
    many: NDArray[np.bool_]
    narrow: NDArray[np.int32]
    starts: NDArray[np.int64] | NDArray[np.int32]
    flat: NDArray[np.int32]

    def wide(self, records: NDArray[np.intp]) -> NDArray[np.int32]:
        """All values of these records, one row per place in the list, padded with -1."""
        lengths = self.lengths[records]
        places = np.arange(max(int(lengths.max(initial=0)), 1))[:, None]
        inside = places < lengths
        return np.where(inside, self.flat[np.where(inside, self.starts[records] + places, 0)], np.int32(-1))


def make_lists(lengths: NDArray[np.int32], flat: NDArray[np.int32]) -> Lists:
    """A column of lists from the length of each record's list and all values one after another."""
    starts = np.zeros(len(lengths), dtype=np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    width = min(max(int(lengths.max(initial=0)), 1), NARROW)
    narrow = np.full((width, len(lengths)), -1, dtype=np.int32)
    for place in range(width):
        has = np.flatnonzero(lengths > place)
        narrow[place, has] = flat[starts[has] + place]
    # A million records have twenty such columns; half the bytes do for them.
    short = starts.astype(np.int32) if len(flat) < _SHORT else starts
    return Lists(lengths, lengths > 1, narrow, short, flat if len(flat) else np.array([-1], dtype=np.int32))


class Frame:
    """Columns of a batch of records, encoded on first use. Implements `matching.conditions.Columns`."""

    def __init__(self, records: Sequence[Features]) -> None:
        self._size = len(records)
        # By column: the records that have a value, and their values. Most records lack most columns.
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        self._values: defaultdict[str, list[Any]] = defaultdict(list)
        for number, record in enumerate(records):
            for column, value in record.items():
                self._rows[column].append(number)
                self._values[column].append(value)
        # Texts to codes in order of first sight; what is asked for and not there gets the next one.
        self._known: defaultdict[str, int] = defaultdict(count().__next__)
        self._texts: list[str] = []
        self._bytes: dict[int, bytes] = {}
        self._sketched = sketch_texts(())
        self._sketched_columns: set[str] = set()
        self._is_sketched = np.zeros(0, dtype=np.bool_)
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, Lists] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}

    def codes(self, column: str) -> NDArray[np.int32]:
        if column not in self._codes:
            codes = np.full(self._size, -1, dtype=np.int32)
            codes[self._rows[column]] = self._encoded(self._values[column])
            self._codes[column] = codes
        return self._codes[column]

    def texts(self, column: str, codes: NDArray[np.int32]) -> list[bytes]:  # noqa: ARG002 - one dictionary for all
        wanted = codes.tolist()
        self._encode_bytes(wanted)
        return list(map(self._bytes.__getitem__, wanted))

    def sketches(self, column: str) -> Sketches:
        if column not in self._sketched_columns:
            self._sketched_columns.add(column)
            self._sketch(np.unique(self._lists[column].flat if column in self._lists else self.codes(column)))
        return self._sketched

    def dictionaries(self, columns: Sequence[str]) -> list[Dictionary]:
        """One for all; only texts of these columns are in it, the others are empty."""
        codes = [self.codes(name) if name in self._codes else self.lists(name).flat for name in columns]
        used = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *codes]))
        used = used[used >= 0]
        texts = self.texts("", used)
        lengths = np.zeros(len(self._known), dtype=np.int64)
        lengths[used] = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:])
        return [Dictionary(np.frombuffer(b"".join(texts), dtype=np.uint8), starts)] * len(columns)

    def lists(self, column: str) -> Lists:
        if column not in self._lists:
            values: list[tuple[str, ...]] = self._values[column]
            lengths = np.zeros(self._size, dtype=np.int32)
            lengths[self._rows[column]] = np.fromiter(map(len, values), np.int32, len(values))
            self._lists[column] = make_lists(lengths, self._encoded(list(chain.from_iterable(values))))
        return self._lists[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        if column not in self._numbers:
            numbers = np.full(self._size, np.nan)
            numbers[self._rows[column]] = self._values[column]
            self._numbers[column] = numbers
        return self._numbers[column]

    def present(self, column: str) -> NDArray[np.bool_]:
        if column not in self._present:
            present = np.zeros(self._size, dtype=np.bool_)
            present[self._rows[column]] = True
            self._present[column] = present
        return self._present[column]

    def _encoded(self, values: list[Any]) -> NDArray[np.int32]:
        return np.fromiter(map(self._known.__getitem__, values), np.int32, len(values))

    def _encode_bytes(self, codes: Iterable[int]) -> None:
        """Make sure of the bytes behind these codes."""
        known = self._bytes
        new = [code for code in codes if code not in known]
        if new:
            self._texts += islice(self._known, len(self._texts), None)
            known.update((code, self._texts[code].encode()) for code in new)

    def _sketch(self, codes: NDArray[np.int32]) -> None:
        """Sketch the texts behind these codes, where that was not done for another column."""
        grown = len(self._known) - len(self._is_sketched)
        self._is_sketched = np.pad(self._is_sketched, (0, grown))
        codes = codes[codes >= 0]
        codes = codes[~self._is_sketched[codes]]
        self._is_sketched[codes] = True
        self._sketched = self._sketched.with_others(grown, codes, sketch_texts(self.texts("", codes)))
