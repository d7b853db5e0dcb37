"""Sets of linked records that are too large to be one question: their weakest links are not followed.

Identifiers shared by mistake, or a generic name, can chain any number of records together. Grouping looks at such a set
as a whole, so its size must have a limit. Links are given up weakest first, until what is left falls into sets within
the limit: a function of the set alone, whatever order its records came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from matching.support import connected


class Weighted(Protocol):
    """A link between two records."""

    @property
    def a(self) -> int: ...
    @property
    def b(self) -> int: ...
    @property
    def weight(self) -> float: ...


L = TypeVar("L", bound=Weighted)


def within(links: Sequence[L], verdicts: Iterable[tuple[int, int]], cap: int) -> tuple[list[L], list[L]]:
    """The links to follow, and of every set above the cap the strongest link that is given up.

    Verdicts of stewards are never given up; they alone may connect more than `cap` records.
    """
    fixed = list(verdicts)
    large = [members for members in connected([*((link.a, link.b) for link in links), *fixed]) if len(members) > cap]
    if not large:
        return list(links), []
    home = {node: number for number, members in enumerate(large) for node in members}
    kept = [link for link in links if link.a not in home]
    given_up: list[L] = []
    for number in range(len(large)):
        mine = [link for link in links if home.get(link.a) == number]
        followed = _strong(mine, [pair for pair in fixed if home.get(pair[0]) == number], cap)
        kept += followed
        weakest = min((link.weight for link in followed), default=None)
        lost = [link for link in mine if weakest is None or link.weight < weakest]
        if lost:  # a set that verdicts alone make too large has nothing to give up
            given_up.append(min(lost, key=lambda link: (-link.weight, link.a, link.b)))
    return kept, given_up


def _strong(links: Iterable[L], verdicts: Iterable[tuple[int, int]], cap: int) -> list[L]:
    """All links of the greatest weights that leave every connected set within the cap; equal weights go together."""
    levels: defaultdict[float, list[L]] = defaultdict(list)
    for link in links:
        levels[link.weight].append(link)
    sets = _Sets()
    for a, b in verdicts:
        sets.join(a, b)
    followed: list[L] = []
    for weight in sorted(levels, reverse=True):
        if max(sets.join(link.a, link.b) for link in levels[weight]) > cap:
            break
        followed += levels[weight]
    return followed


class _Sets:
    """Which nodes are connected so far."""

    def __init__(self) -> None:
        self._home: dict[int, set[int]] = {}

    def join(self, a: int, b: int) -> int:
        """Connect two nodes; the size of the set they are then in."""
        first, second = (self._home.setdefault(node, {node}) for node in (a, b))
        if first is not second:
            if len(first) < len(second):
                first, second = second, first
            first |= second
            self._home |= dict.fromkeys(second, first)
        return len(first)
