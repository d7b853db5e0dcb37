"""Cursors come back as they were given, and nothing else comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import read_cursor, write_cursor
from api.errors import ProblemRaised

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_PLACES = st.tuples(st.integers(-(2**63) + 1, 2**63 - 1), _TEXTS)


@given(_PLACES)
def test_a_cursor_comes_back_as_it_was_given(place: tuple[int, str]) -> None:
    assert read_cursor(write_cursor("list", place), "list", (int, str)) == list(place)


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ProblemRaised):
        read_cursor(text, "list", (int, str))


@pytest.mark.parametrize("place", [(1,), (1, 2), ("x", "y"), (True, "y"), (2**63, "y"), (1, "a\0b"), (1, "y", 3)])
def test_a_place_of_another_form_is_refused(place: tuple[int | str, ...]) -> None:
    with pytest.raises(ProblemRaised):
        read_cursor(write_cursor("list", place), "list", (int, str))


def test_a_cursor_belongs_to_its_list() -> None:
    with pytest.raises(ProblemRaised):
        read_cursor(write_cursor("/v1/customers?status=active", (1, "x")), "/v1/customers?", (int, str))
