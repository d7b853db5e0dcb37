"""A sketch never hides a pair that is similar."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from matching.sketches import sketch_texts

TEXTS = st.lists(
    st.one_of(
        st.text(alphabet="abcdeé", min_size=1, max_size=9),
        st.text(min_size=1, max_size=30),
        st.sampled_from(["a" * 300, "ab" * 200]),
    ),
    min_size=1,
    max_size=12,
)


@given(TEXTS)
def test_the_bound_is_at_least_the_similarity(texts: list[str]) -> None:
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    a, b = (side.ravel().astype(np.int32) for side in np.meshgrid(np.arange(len(texts)), np.arange(len(texts))))

    bounds = sketch_texts(encoded).bound(a, b)

    for one, other, bound in zip(a.tolist(), b.tolist(), bounds.tolist(), strict=True):
        assert bound >= JaroWinkler.similarity(encoded[one], encoded[other])


def test_texts_without_common_letters_are_told_apart_without_comparing_them() -> None:
    bounds = sketch_texts([b"logistik", b"bauhaus", b"bau"]).bound(
        np.array([0, 1], np.int32), np.array([1, 2], np.int32)
    )

    assert bounds[0] < 0.7 < bounds[1]
