"""A batch of records as columns of numbers, so that conditions on many pairs become array operations."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

from matching.features import Features
from matching.frequencies import Frequencies


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
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, NDArray[np.int32]] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}
        self._shares: dict[tuple[str, Frequencies], NDArray[np.float64]] = {}
        self._information: dict[tuple[str, Frequencies], NDArray[np.int32]] = {}
        # Similarities computed so far, by the codes of the two texts, in ascending order.
        self._compared = np.zeros(0, dtype=np.int64)
        self._similarities = np.zeros(0, dtype=np.float64)

    def codes(self, column: str) -> NDArray[np.int32]:
        if column not in self._codes:
            known = self._dictionary
            codes = np.full(self._size, -1, dtype=np.int32)
            codes[self._rows[column]] = [known.setdefault(value, len(known)) for value in self._values[column]]
            self._codes[column] = codes
        return self._codes[column]

    def texts(self, codes: NDArray[np.int32]) -> list[bytes]:
        if len(self._bytes) < len(self._dictionary):
            self._bytes.extend(text.encode() for text in islice(self._dictionary, len(self._bytes), None))
        known = self._bytes
        return [known[code] for code in codes.tolist()]

    def jaro_winkler(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.float64]:
        wanted, places = np.unique((left.astype(np.int64) << 32) | right, return_inverse=True)
        at = np.searchsorted(self._compared, wanted)
        unseen = wanted if not len(self._compared) else wanted[self._compared[at % len(self._compared)] != wanted]
        if len(unseen):
            texts = self.texts((unseen >> 32).astype(np.int32)), self.texts((unseen & 0xFFFFFFFF).astype(np.int32))
            found = np.asarray(cpdist(*texts, scorer=JaroWinkler.similarity, dtype=np.float64))
            position = np.searchsorted(self._compared, unseen)
            self._compared = np.insert(self._compared, position, unseen)
            self._similarities = np.insert(self._similarities, position, found)
            at = np.searchsorted(self._compared, wanted)
        return self._similarities[at][places] if len(wanted) else np.zeros(0)

    def lists(self, column: str) -> NDArray[np.int32]:
        if column not in self._lists:
            known = self._dictionary
            values: list[tuple[str, ...]] = self._values[column]
            lengths = np.fromiter(map(len, values), np.int32, len(values))
            width = max(int(lengths.max(initial=0)), 1)
            filled = np.full((len(values), width), -1, dtype=np.int32)
            flat = [known.setdefault(text, len(known)) for texts in values for text in texts]
            filled[np.arange(width) < lengths[:, None]] = flat
            matrix = np.full((self._size, width), -1, dtype=np.int32)
            matrix[self._rows[column]] = filled
            self._lists[column] = matrix
        return self._lists[column]

    def information(self, column: str, frequencies: Frequencies) -> NDArray[np.int32]:
        key = column, frequencies
        if key not in self._information:
            lists = self.lists(column)
            worth = np.zeros(lists.shape, dtype=np.int32)
            # In the order of `lists`: row by row, and along each row.
            worth[lists >= 0] = [frequencies.information(text) for texts in self._values[column] for text in texts]
            self._information[key] = worth
        return self._information[key]

    def shares(self, column: str, frequencies: Frequencies) -> NDArray[np.float64]:
        key = column, frequencies
        if key not in self._shares:
            shares = np.full(self._size, np.nan)
            found = [frequencies.share(text) for text in self._values[column]]
            shares[self._rows[column]] = [np.nan if share is None else share for share in found]
            self._shares[key] = shares
        return self._shares[key]

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
