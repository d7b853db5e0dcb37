"""Parts of a whole that do not touch each other."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.core.groups import together

touching = st.dictionaries(st.integers(0, 30), st.lists(st.integers(0, 12), max_size=3), max_size=20)


@given(touching, st.integers(1, 6))
def test_every_thing_is_in_one_part_of_bounded_size(touched: dict[int, list[int]], at_a_time: int) -> None:
    parts = together(touched, at_a_time)

    assert sorted(each for part in parts for each in part) == sorted(touched)
    assert all(0 < len(part) <= at_a_time for part in parts)


@given(touching)
def test_what_touches_the_same_is_in_one_part(touched: dict[int, list[int]]) -> None:
    part_of = {each: number for number, part in enumerate(together(touched, 1000)) for each in part}
    small = {each: number for number, part in enumerate(together(touched, len(touched) or 1)) for each in part}

    for a in touched:
        for b in touched:
            if set(touched[a]) & set(touched[b]):
                assert part_of[a] == part_of[b]
                assert small[a] == small[b]


def test_sets_fill_a_part_and_one_that_is_too_large_is_cut() -> None:
    assert together({1: "a", 2: "b", 3: "a", 4: "c"}, 3) == [[1, 3, 2], [4]]
    assert together({1: "a", 2: "a", 3: "a"}, 2) == [[1, 2], [3]]


def test_a_set_that_is_too_large_stays_whole_where_it_must_not_be_cut() -> None:
    assert together({1: "a", 2: "b", 3: "a", 4: "a", 5: "c"}, 2, cut=False) == [[1, 3, 4], [2, 5]]
