"""Pairs of a batch in parts: everything once, little at a time."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.model.candidates import in_parts
from mdm.model.ids import RecordId

_PAIRS = st.sets(st.tuples(st.integers(1, 30), st.integers(31, 60)), max_size=80)


@given(_PAIRS, st.sets(st.integers(1, 60)), st.integers(2, 20))
def test_every_pair_comes_once_and_a_part_holds_few_records(
    found: set[tuple[int, int]], compared: set[int], most: int
) -> None:
    pairs = {(RecordId(a), RecordId(b)) for a, b in found}
    mine = {RecordId(each) for each in compared}

    parts = list(in_parts(pairs, mine, most))

    assert sorted(pair for part in parts for pair in part) == sorted(pairs)
    for part in parts:
        ends = {end for pair in part for end in pair}
        owners = {a if a in mine else b for a, b in part}
        assert len(ends) <= most or len(owners) == 1


@given(_PAIRS, st.integers(2, 20))
def test_the_candidates_of_a_record_stay_together(found: set[tuple[int, int]], most: int) -> None:
    pairs = {(RecordId(a), RecordId(b)) for a, b in found}

    parts = list(in_parts(pairs, {a for a, _ in pairs}, most))

    seen = [{a for a, _ in part} for part in parts]
    assert sum(map(len, seen)) == len(set().union(*seen)) if seen else not pairs
