"""A batch of records as columns of numbers, so that conditions on many pairs become array operations."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

from matching.features import Features


class Frame:
    """Columns of a batch of records, encoded on first use. Implements `matching.conditions.Columns`."""

    def __init__(self, records: Sequence[Features]) -> None:
        self._records = records
        self._dictionary: dict[str, int] = {}
        self._bytes: list[bytes] = []
        self._codes: dict[str, NDArray[np.int32]] = {}
        self._lists: dict[str, NDArray[np.int32]] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        # Similarities computed so far, by the codes of the two texts, in ascending order.
        self._compared = np.zeros(0, dtype=np.int64)
        self._similarities = np.zeros(0, dtype=np.float64)

    def codes(self, column: str) -> NDArray[np.int32]:
        if column not in self._codes:
            values = (record.get(column) for record in self._records)
            self._codes[column] = np.fromiter(
                (-1 if value is None else self._code(str(value)) for value in values), np.int32, len(self._records)
            )
        return self._codes[column]

    def texts(self, codes: NDArray[np.int32]) -> list[bytes]:
        known = self._bytes
        return [known[code] for code in codes.tolist()]

    def jaro_winkler(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.float64]:
        pairs = (left.astype(np.int64) << 32) | right
        wanted, places = np.unique(pairs, return_inverse=True)
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
            rows = [_values(record, column) for record in self._records]
            width = max((len(row) for row in rows), default=1) or 1
            matrix = np.full((len(rows), width), -1, dtype=np.int32)
            for index, row in enumerate(rows):
                if row:
                    matrix[index, : len(row)] = [self._code(value) for value in row]
            self._lists[column] = matrix
        return self._lists[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        if column not in self._numbers:
            self._numbers[column] = np.array(
                [_number(record.get(column)) for record in self._records], dtype=np.float64
            )
        return self._numbers[column]

    def present(self, column: str) -> NDArray[np.bool_]:
        return np.fromiter(
            (bool(_filled(record.get(column))) for record in self._records), np.bool_, len(self._records)
        )

    def _code(self, value: str) -> int:
        code = self._dictionary.get(value)
        if code is None:
            code = self._dictionary[value] = len(self._bytes)
            self._bytes.append(value.encode())
        return code


def _filled(value: object) -> bool:
    return value is not None and value != () and value != ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _values(record: Mapping[str, object], column: str) -> tuple[str, ...]:
    value = record.get(column)
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (str(value),)
