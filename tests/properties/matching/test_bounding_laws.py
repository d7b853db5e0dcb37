"""Sets of linked records above the cap: what is given up, and what never is."""

from itertools import chain
from random import Random
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from matching.bounding import within
from matching.support import connected


class Link(NamedTuple):
    a: int
    b: int
    weight: float


_NODES = st.integers(0, 14)
_LINKS = st.lists(
    st.tuples(_NODES, _NODES, st.integers(0, 6)).filter(lambda each: each[0] != each[1]),
    unique_by=lambda each: frozenset(each[:2]),
    max_size=40,
).map(lambda rows: [Link(a, b, float(weight)) for a, b, weight in rows])
_VERDICTS = st.lists(st.tuples(_NODES, _NODES).filter(lambda each: each[0] != each[1]), max_size=3)
_CAPS = st.integers(3, 8)


def pairs(links: list[Link]) -> list[tuple[int, int]]:
    return [(link.a, link.b) for link in links]


@given(_LINKS, _CAPS)
def test_what_is_followed_connects_no_more_than_the_cap(links: list[Link], cap: int) -> None:
    followed, _ = within(links, [], cap)

    assert max(map(len, connected(pairs(followed))), default=0) <= cap


@given(_LINKS, _VERDICTS, _CAPS, st.randoms())
def test_order_does_not_matter(links: list[Link], verdicts: list[tuple[int, int]], cap: int, dice: Random) -> None:
    shuffled = list(links)
    dice.shuffle(shuffled)

    first, second = within(links, verdicts, cap), within(shuffled, verdicts, cap)

    assert set(first[0]) == set(second[0])
    assert sorted(link.weight for link in first[1]) == sorted(link.weight for link in second[1])


@given(_LINKS, _VERDICTS, _CAPS)
def test_sets_within_the_cap_keep_all_their_links(links: list[Link], verdicts: list[tuple[int, int]], cap: int) -> None:
    large = {node for members in connected([*pairs(links), *verdicts]) if len(members) > cap for node in members}
    followed, _ = within(links, verdicts, cap)

    assert {link for link in links if link.a not in large} <= set(followed)


@given(_LINKS, _VERDICTS, _CAPS)
def test_every_set_above_the_cap_is_asked_about_once(
    links: list[Link], verdicts: list[tuple[int, int]], cap: int
) -> None:
    large = [members for members in connected([*pairs(links), *verdicts]) if len(members) > cap]
    followed, given_up = within(links, verdicts, cap)

    asked = [members for members in large if any(link.a in members for link in given_up)]
    assert len(given_up) == len(asked)
    lost = set(links) - set(followed)
    assert {frozenset(members) for members in asked} == {
        frozenset(members) for members in large if any(link.a in members for link in lost)
    }
    assert set(chain.from_iterable(pairs(given_up))) <= set(chain.from_iterable(large))


def test_a_set_that_verdicts_alone_make_too_large_gives_nothing_up() -> None:
    assert within([], [(1, 2), (2, 3)], 2) == ([], [])


def test_no_link_is_followed_that_is_weaker_than_one_given_up() -> None:
    """Not even where it would connect few: what is followed is told by one weight, so anybody can say what it was."""
    strong = [Link(1, 2, 5.0), Link(3, 4, 5.0), Link(4, 5, 5.0)]
    too_much, harmless = Link(2, 3, 3.0), Link(6, 7, 2.0)
    weakest = Link(1, 6, 1.0)

    followed, given_up = within([*strong, too_much, harmless, weakest], [], 3)

    assert set(followed) == set(strong)
    assert given_up == [too_much]


@given(_LINKS, _VERDICTS, _CAPS)
def test_within_a_set_everything_followed_is_stronger_than_everything_given_up(
    links: list[Link], verdicts: list[tuple[int, int]], cap: int
) -> None:
    followed, _ = within(links, verdicts, cap)
    lost = set(links) - set(followed)

    for members in connected([*pairs(links), *verdicts]):
        kept = [link.weight for link in followed if link.a in members]
        gone = [link.weight for link in lost if link.a in members]
        assert not kept or not gone or min(kept) > max(gone)
