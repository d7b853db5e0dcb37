"""A batch of records as columns of numbers, so that conditions on many pairs become array operations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
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
        # Texts to codes in order of first sight, and the bytes of those that were compared letter by letter.
        self._dictionary: dict[str, int] = {}
        self._bytes: list[bytes] = []
        self._sketched = sketch_texts(())
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, Lists] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}

    def codes(self, column: str) -> NDArray[np.int32]:
        if column not in self._codes:
            known = self._dictionary
            codes = np.full(self._size, -1, dtype=np.int32)
            codes[self._rows[column]] = [known.setdefault(value, len(known)) for value in self._values[column]]
            self._codes[column] = codes
        return self._codes[column]

    def texts(self, column: str, codes: NDArray[np.int32]) -> list[bytes]:  # noqa: ARG002 - one dictionary for all
        known = self._known_bytes()
        return [known[code] for code in codes.tolist()]

    def sketches(self, column: str) -> Sketches:  # noqa: ARG002 - one dictionary for all
        if len(self._sketched) < len(self._dictionary):
            self._sketched = sketch_texts(self._known_bytes())
        return self._sketched

    def _known_bytes(self) -> list[bytes]:
        if len(self._bytes) < len(self._dictionary):
            self._bytes.extend(text.encode() for text in islice(self._dictionary, len(self._bytes), None))
        return self._bytes

    def lists(self, column: str) -> Lists:
        if column not in self._lists:
            known = self._dictionary
            values: list[tuple[str, ...]] = self._values[column]
            lengths = np.zeros(self._size, dtype=np.int32)
            lengths[self._rows[column]] = np.fromiter(map(len, values), np.int32, len(values))
            flat = [known.setdefault(text, len(known)) for texts in values for text in texts]
            self._lists[column] = make_lists(lengths, np.array(flat, dtype=np.int32))
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
