"""Which pairs of a crowded block are drawn, and what the drawn tell of all."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.uncompared import Missed, Sampled, drawn_places, halvings_of, strongest, uncompared_finding
from mdm.model.ids import CrosswalkKey, Domain

BLOCKS, SIZES = st.integers(-(2**63), 2**63 - 1), st.integers(2, 90)


def sample(pairs: int, drawn: int, found: int) -> Sampled:
    return Sampled(pairs, drawn, drawn, found, 0, ())


@given(BLOCKS, SIZES)
def test_a_small_block_is_drawn_whole_each_pair_once(block: int, size: int) -> None:
    assert sorted(drawn_places(block, size, 0)) == sorted(combinations(range(size), 2))


@given(BLOCKS, SIZES, st.integers(1, 6))
def test_a_sample_has_pairs_of_the_block_each_once_and_the_same_ones_again(
    block: int, size: int, halvings: int
) -> None:
    drawn = list(drawn_places(block, size, halvings))

    assert drawn == list(drawn_places(block, size, halvings))
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= one < other < size for one, other in drawn)


@given(BLOCKS, SIZES, st.integers(0, 6), st.integers(1, 20))
def test_who_joins_a_block_changes_nothing_about_who_was_drawn_before(
    block: int, size: int, halvings: int, more: int
) -> None:
    after = list(drawn_places(block, size + more, halvings))

    assert [pair for pair in after if pair[1] < size] == list(drawn_places(block, size, halvings))


def test_every_pair_has_the_same_chance() -> None:
    """Of 4,000 blocks of ten each pair is drawn in about a quarter, in none by more than five deviations off."""
    often = dict.fromkeys(combinations(range(10), 2), 0)
    for block in range(4_000):
        for pair in drawn_places(block, 10, 2):
            often[pair] += 1

    assert all(abs(number - 1_000) < 5 * (4_000 * 0.25 * 0.75) ** 0.5 for number in often.values())


@given(st.integers(0, 10**15), st.integers(1, 10**6))
def test_no_more_are_drawn_than_wanted_and_no_less_than_half(pairs: int, most: int) -> None:
    chance = 0.5 ** halvings_of(pairs, most)

    assert pairs * chance < most + 1
    assert chance == 1 or pairs * chance * 2 >= most


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (sample(78, 78, 3), (3, 3, 3)),
        (sample(10_000, 1_000, 10), (100, 54, 183)),
        (sample(10_000, 1_000, 0), (0, 0, 38)),
        (sample(1_000_000, 0, 0), (0, 0, 1_000_000)),
    ],
)
def test_a_sample_is_told_of_all_with_its_limits_and_a_whole_block_exactly(
    told: Sampled, expected: tuple[int, int, int]
) -> None:
    assert told.expected == expected


def test_what_was_found_is_there_however_few_were_drawn() -> None:
    assert sample(30, 20, 20).expected.low >= 20


def test_matches_are_named_before_questions_and_then_the_heaviest() -> None:
    def missed(number: int, decision: str, weight: float) -> Missed:
        return Missed(
            CrosswalkKey("crm", "account", f"A{number}"), CrosswalkKey("erp", "partner", "1"), decision, weight
        )

    told = [missed(1, "match", 3.0), missed(2, "possible", 9.0), missed(3, "match", 3.0), missed(4, "match", 8.0),
            missed(5, "possible", -1.0), missed(6, "possible", -2.0)]  # fmt: skip

    assert [each.a.key for each in strongest(told[::-1])] == ["A4", "A1", "A3", "A2", "A5"]


def test_a_question_says_that_its_number_is_estimated() -> None:
    pair = Missed(CrosswalkKey("crm", "account", "A1"), CrosswalkKey("erp", "partner", "1"), "match", 8.04)
    told = Sampled(10_000, 1_000, 900, 9, 1, (pair,))

    finding = uncompared_finding(Domain.CUSTOMER, "word+country", 7, 300, told)

    assert (finding.question, finding.size, finding.owner) == (
        "oversize:customer:pairs:word+country", 100, "customer stewards",
    )  # fmt: skip
    for words in (
        "Of 1000 of them drawn by chance: the model would join 9 and ask about 1",
        "about 100 of all (54 to 183 with 95 % confidence)",
        "crm/account/A1 and erp/partner/1 (match, 8.0 bits)",
    ):
        assert words in finding.detail
