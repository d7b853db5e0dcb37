"""Measures against what they must reach."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.core.scorecard import TITLES, Counted, Scorecard, Threshold, score

NOTHING = dict.fromkeys(TITLES, Counted(0, 0))


def card(least: float = 0.0, **counted: Counted) -> Scorecard:
    wanted = {name: Threshold(0.95, "somebody", "Do something.") for name in TITLES}
    return score("1", wanted, NOTHING | counted, least)


def test_what_reaches_its_threshold_passes_and_what_does_not_fails() -> None:
    assert card(owned=Counted(95, 100)).passed
    assert not card(owned=Counted(94, 100)).passed


def test_the_least_that_is_asked_for_counts_where_it_is_more() -> None:
    assert not card(0.99, owned=Counted(98, 100)).passed
    assert not card(0.5, owned=Counted(94, 100)).passed, "its own threshold stays"


def test_what_cannot_be_measured_fails_nothing_and_is_no_part_of_the_mean() -> None:
    found = card(owned=Counted(1, 1))

    assert (found.passed, found.mean) == (True, 1.0)
    assert card().mean is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_is_never_outside_of_nought_to_one(good: int, of: int) -> None:
    (measured,) = [each for each in card(owned=Counted(min(good, of), of)).scores if each.name == "owned"]

    assert measured.value is not None
    assert 0 <= measured.value <= 1
