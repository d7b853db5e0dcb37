"""A batch of records as columns of numbers, from which the compiled scorer makes its rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.features import Features


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Texts one after another as UTF-8; text i is from `starts[i]` to where the next starts."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists of codes, distinct within a list: how long each is, and all values one after another."""

    lengths: NDArray[np.int32]
    flat: NDArray[np.int32]


class Frame:
    """Columns of a batch of records, encoded on first use. Implements `matching.conditions.Columns`."""

    def __init__(self, records: Sequence[Features]) -> None:
        self._size = len(records)
        self.memory: dict[str, Any] = {}
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
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, Lists] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}

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
            self._lists[column] = Lists(lengths, self._encoded(list(chain.from_iterable(values))))
        return self._lists[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        if column not in self._numbers:
            numbers = np.full(self._size, np.nan)
            numbers[self._rows[column]] = self._values[column]
            self._numbers[column] = numbers
        return self._numbers[column]

    def _encoded(self, values: list[Any]) -> NDArray[np.int32]:
        return np.fromiter(map(self._known.__getitem__, values), np.int32, len(values))

    def _encode_bytes(self, codes: Iterable[int]) -> None:
        """Make sure of the bytes behind these codes."""
        known = self._bytes
        new = [code for code in codes if code not in known]
        if new:
            self._texts += islice(self._known, len(self._texts), None)
            known.update((code, self._texts[code].encode()) for code in new)
