"""Pairs of a batch in parts: everything once, little at a time."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.model.blocks import cap_of, numbered
from mdm.model.candidates import crossed, in_parts, usable
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


@given(st.integers(0, 2**64 - 1), st.integers(0, 3), st.integers(2, 200))
def test_a_block_is_a_bigint_that_says_its_own_cap(digest: int, halvings: int, most: int) -> None:
    block = numbered(digest, halvings)

    assert -(2**63) <= block < 2**63
    assert cap_of(most, block) == max(2, most // 2**halvings)
    # Nothing but two bits is lost, so that other keys stay other blocks.
    assert (block - digest) % 2**64 in {(halvings - digest % 4) % 2**64}


@given(st.integers(0, 2**64 - 1), st.integers(0, 3), st.integers(2, 60), st.integers(0, 70), st.integers(-70, 70))
def test_a_block_crosses_its_own_cap_when_it_comes_to_pair_its_members_or_no_longer(
    digest: int, halvings: int, most: int, now: int, grown: int
) -> None:
    block, before = numbered(digest, halvings), now - grown
    members = {block: [RecordId(number) for number in range(now)]}

    pairing = bool(usable(members, most))

    assert pairing == (now <= cap_of(most, block))
    assert (block in crossed(members, {block: grown}, most)) == (pairing != (before <= cap_of(most, block)))
