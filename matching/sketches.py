"""How alike two texts can be at most, from a few numbers per text: so that only likely pairs are compared in full.

The bound is safe: a pair whose Jaro-Winkler similarity reaches a threshold always has a bound that reaches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Letters and digits have a bit each, all other bytes share the rest of a 64-bit word. Two bytes on one bit only make
# the bound looser.
BIT = np.array(
    [
        1 << (ord(chr(byte).lower()) - 97) if chr(byte).isascii() and chr(byte).isalpha()
        else 1 << (26 + byte - 48) if 48 <= byte < 58
        else 1 << (36 + byte % 28)
        for byte in range(256)
    ],
    dtype=np.uint64,
)  # fmt: skip
#: Longer texts are taken to have every character, and as many of it as they are long.
_LONG, _ALL = 255, np.uint64(2**64 - 1)
# Rounding in the bound may not lose a pair that sits exactly on a threshold.
_SLACK = np.float32(1e-6)
_PREFIX = 4
#: What the first characters can add, at most: a tenth of what is missing for each (Winkler).
_BOOST = np.float32(0.1)
#: Pairs whose first, cheaper bound stays below this are not looked at more closely. The models that ship ask for .86
#: and more; where one asks for less, the first bound has to do.
_WORTH_A_LOOK = np.float32(0.85)
_THIRD = np.float32(1 / 3)


@dataclass(frozen=True, slots=True)
class Sketches:
    """Per text: which characters it has, which it has twice, how many it has beyond these, and how it begins.

    Attributes:
        once, twice: a bit per character that occurs, and that occurs at least twice.
        beyond_once, beyond_twice: characters that are left when those of the first, or of both masks are taken away.
        shares: one divided by the number of characters; 0 for an empty text.
        heads: the first four bytes, the first of them highest.
    """

    once: NDArray[np.uint64]
    twice: NDArray[np.uint64]
    beyond_once: NDArray[np.int16]
    beyond_twice: NDArray[np.int16]
    shares: NDArray[np.float32]
    heads: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.once)

    def with_others(self, more: int, places: NDArray[np.int32], others: "Sketches") -> "Sketches":
        """The same with `more` empty ones behind them, and `others` written over those at these places."""

        def put(name: str) -> NDArray[Any]:
            found = np.pad(getattr(self, name), (0, more))
            found[places] = getattr(others, name)
            return found

        return Sketches(**{each.name: put(each.name) for each in fields(self)})

    def bound(self, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.float32]:
        """At least the Jaro-Winkler similarity of texts `a` and `b`; close to it only where that may be high.

        A character is matched with one like it, so no more of each can be matched than the text with fewer of it has.
        """
        a, b = a.astype(np.intp), b.astype(np.intp)  # looking up by other numbers takes three times as long
        shares = self.shares[a] + self.shares[b]
        shared = np.bitwise_count(self.once[a] & self.once[b])
        common = shared + np.minimum(self.beyond_once[a], self.beyond_once[b])
        differ = self.heads[a] ^ self.heads[b]
        result = _jaro(common, shares)
        # All four first characters are alike, or, where not even the first is, none counts.
        result += (differ < 1 << 24) * (_PREFIX * _BOOST) * (np.float32(1) - result)
        close = (result >= _WORTH_A_LOOK).nonzero()[0]
        a, b, differ = a[close], b[close], differ[close]
        common = shared[close] + np.bitwise_count(self.twice[a] & self.twice[b])
        jaro = _jaro(common + np.minimum(self.beyond_twice[a], self.beyond_twice[b]), shares[close])
        begin = (differ < 1 << 24).astype(np.float32) + (differ < 1 << 16) + (differ < 1 << 8) + (differ == 0)
        result[close] = jaro + begin * _BOOST * (np.float32(1) - jaro)
        return result


def _jaro(common: NDArray[np.int16], shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """The similarity of Jaro with no character out of order, and a hair more."""
    found: NDArray[np.float32] = common * shares
    found += np.float32(1)
    found *= _THIRD
    found += _SLACK
    return found


def sketch(data: NDArray[np.uint8], starts: NDArray[np.int64]) -> Sketches:
    """Sketches of texts that lie one after another in `data`; text i ends where text i + 1 starts."""
    starts, lengths = starts[:-1], np.diff(starts)
    once, twice = np.zeros((2, len(lengths)), dtype=np.uint64)
    heads = np.zeros(len(lengths), dtype=np.uint32)
    long = lengths > _LONG
    # The longest first, so that those which have a byte at some place are the first ones.
    order = np.argsort(-lengths, kind="stable")[np.count_nonzero(long) :]
    ends = np.searchsorted(-lengths[order], -np.arange(lengths[order[0]] if len(order) else 0))
    for place, end in enumerate(ends.tolist()):
        texts = order[:end]
        byte = data[starts[texts] + place]
        bits = BIT[byte]
        twice[texts] |= once[texts] & bits
        once[texts] |= bits
        if place < _PREFIX:
            heads[texts] |= byte.astype(np.uint32) << np.uint32(8 * (_PREFIX - 1 - place))
    beyond_once = lengths - np.bitwise_count(once)
    beyond_twice = beyond_once - np.bitwise_count(twice)
    once[long] = twice[long] = _ALL
    for place in range(_PREFIX):
        heads[long] |= data[starts[long] + place].astype(np.uint32) << np.uint32(8 * (_PREFIX - 1 - place))
    shares = np.zeros(len(lengths), dtype=np.float32)
    np.divide(1, lengths, out=shares, where=lengths > 0, casting="same_kind")
    return Sketches(once, twice, _short(beyond_once), _short(beyond_twice), shares, heads)


def _short(numbers: NDArray[np.int64]) -> NDArray[np.int16]:
    return np.minimum(numbers, 32_000).astype(np.int16)


def sketch_texts(texts: Sequence[bytes]) -> Sketches:
    """Sketches of texts in a list."""
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=starts[1:])
    return sketch(np.frombuffer(b"".join(texts), dtype=np.uint8), starts)
