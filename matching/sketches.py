"""How alike two texts can be at most, from a few numbers per text: so that only likely pairs are compared in full.

The bound is safe: a pair whose Jaro-Winkler similarity reaches a threshold always has a bound that reaches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
# Rounding in the bound may not lose a pair that sits exactly on a threshold.
_SLACK = 1e-6
_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Sketches:
    """Per text: which characters it has, how many, and how it begins."""

    letters: NDArray[np.uint64]
    lengths: NDArray[np.int16]
    heads: NDArray[np.uint32]

    def bound(self, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.float32]:
        """At least the Jaro-Winkler similarity of texts `a` and `b`."""
        letters_a, letters_b = self.letters[a], self.letters[b]
        long_a, long_b = self.lengths[a], self.lengths[b]
        # A character that the other text does not have cannot be matched.
        common = np.minimum(
            long_a - np.bitwise_count(letters_a & ~letters_b), long_b - np.bitwise_count(letters_b & ~letters_a)
        ).astype(np.float32)
        jaro = (common / long_a + common / long_b + np.float32(1)) / np.float32(3)
        differ = self.heads[a] ^ self.heads[b]
        prefix = (
            (differ < 1 << 24).astype(np.float32) + (differ < 1 << 16) + (differ < 1 << 8) + (differ == 0)
        ) * np.float32(0.1)
        result: NDArray[np.float32] = jaro + prefix * (np.float32(1) - jaro) + np.float32(_SLACK)
        result[common <= 0] = 0.0
        return result


def sketch(data: NDArray[np.uint8], starts: NDArray[np.int64]) -> Sketches:
    """Sketches of texts that lie one after another in `data`; text i ends where text i + 1 starts."""
    lengths = np.diff(starts)
    full = lengths > 0
    letters = np.zeros(len(lengths), dtype=np.uint64)
    heads = np.zeros(len(lengths), dtype=np.uint32)
    if full.any():
        letters[full] = np.bitwise_or.reduceat(_BIT[data], starts[:-1][full])
        for place in range(_PREFIX):
            has = lengths > place
            heads[has] |= data[starts[:-1][has] + place].astype(np.uint32) << np.uint32(8 * (_PREFIX - 1 - place))
    return Sketches(letters, np.minimum(lengths, 32_000).astype(np.int16), heads)


def sketch_texts(texts: Sequence[bytes]) -> Sketches:
    """Sketches of texts in a list."""
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=starts[1:])
    return sketch(np.frombuffer(b"".join(texts), dtype=np.uint8), starts)
