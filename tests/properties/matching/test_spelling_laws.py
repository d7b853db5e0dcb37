"""Compiled comparisons of texts are RapidFuzz's to the last bit, and a sketch never hides a pair that is similar."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler, Levenshtein

from matching import kernels
from matching.rows import sketched

_LETTERS = st.text(alphabet="abcdeé", max_size=9)
TEXTS = st.lists(
    st.one_of(
        _LETTERS,
        st.text(max_size=30),
        st.lists(_LETTERS, min_size=8, max_size=40).map("".join),
        st.sampled_from(["a" * 300, "ab" * 200, "a" * 64, "b" + "a" * 64, "x" * 63 + "ab"]),
    ),
    min_size=1,
    max_size=8,
)


class Texts:
    """Texts as the compiled functions take them, and room for these to work in."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = [text.encode("utf-8", "surrogatepass") for text in texts]
        starts = np.cumsum([0, *map(len, self.texts)])
        self.starts = starts.tolist()
        self.data = np.frombuffer(b"".join(self.texts), dtype=np.uint8)
        self.sketches = sketched(self.data, starts)
        longest = max(map(len, self.texts))
        self.places = np.zeros(256, dtype=np.uint64)
        self.taken, self.order = np.empty(longest, dtype=np.bool_), np.empty(longest, dtype=np.uint8)
        self.line = np.empty(longest + 1, dtype=np.int64)

    def pairs(self) -> Iterator[tuple[int, int]]:
        return ((a, b) for a in range(len(self.texts)) for b in range(len(self.texts)))

    def ends(self, a: int, b: int) -> Any:
        return (self.data, self.starts[a], len(self.texts[a]), self.starts[b], len(self.texts[b]))

    def similarity(self, a: int, b: int) -> float:
        return float(kernels.similarity(*self.ends(a, b), self.places, self.taken, self.order))

    def bound(self, a: int, b: int) -> float:
        return float(kernels.bound(self.sketches, np.uint32(a), np.uint32(b)))


@given(TEXTS)
@example(["", "", "a"])
def test_texts_are_as_alike_as_rapidfuzz_says(texts: list[str]) -> None:
    given_ = Texts(texts)

    for a, b in given_.pairs():
        assert given_.similarity(a, b) == JaroWinkler.similarity(given_.texts[a], given_.texts[b])
        assert not given_.places.any(), "what one pair leaves behind would be taken for the next one's"


@given(TEXTS, st.integers(0, 4))
def test_texts_are_as_far_apart_as_rapidfuzz_says(texts: list[str], most: int) -> None:
    given_ = Texts(texts)

    for a, b in given_.pairs():
        found = kernels.distance(*given_.ends(a, b), most, given_.line)
        apart = Levenshtein.distance(given_.texts[a], given_.texts[b])
        assert found == apart if apart <= most else found > most


def test_texts_of_any_length_are_compared() -> None:
    """Beyond 64 bytes another way is taken; it must also end with texts that are no names."""
    draw = random.Random(3)
    long = "".join(draw.choices("abcdefgh ", k=70_000))
    given_ = Texts(["", "a" * 63, "ab" * 32, "ba" * 32 + "c", long[:300], long, "x" + long[:-3] + "é", long[::-1]])

    for a, b in given_.pairs():
        assert given_.similarity(a, b) == JaroWinkler.similarity(given_.texts[a], given_.texts[b])
        apart = Levenshtein.distance(given_.texts[a], given_.texts[b], score_cutoff=9)
        assert min(kernels.distance(*given_.ends(a, b), 9, given_.line), 10) == apart


@given(TEXTS)
def test_the_bound_is_at_least_the_similarity(texts: list[str]) -> None:
    given_ = Texts(texts)

    for a, b in given_.pairs():
        assert given_.bound(a, b) >= JaroWinkler.similarity(given_.texts[a], given_.texts[b])


def test_texts_without_common_letters_are_told_apart_without_comparing_them() -> None:
    given_ = Texts(["logistik", "bauhaus", "bau"])

    assert given_.bound(0, 1) < 0.7 < given_.bound(1, 2)
