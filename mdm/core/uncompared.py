"""Pairs that nothing compares: a sample of those in crowded blocks about which nobody is asked block by block.

Every pair of such a block is drawn with the same chance, a power of a half, by dice of the block's own. So the same hub
gives the same sample, and records that come later change it little: a question does not come and go with each of them.
Shares have the limits of Wilson (1927), of 95 %, as those of blind samples have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import isqrt, log, log1p
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from mdm.core.blind import wilson
from mdm.core.oversize import Finding
from mdm.model.ids import CrosswalkKey, Domain

UNCOMPARED = "PAIRS_UNCOMPARED"
#: Pairs of a rule that are drawn, about; where it has no more than these, all are looked at.
DRAWN = 10_000
#: Pairs named in a question.
_NAMED = 5


class Missed(NamedTuple):
    """Two records that the released model would link, and nothing compares. `weight` in bits."""

    a: CrosswalkKey
    b: CrosswalkKey
    decision: str
    weight: float


class Expected(NamedTuple):
    """How many pairs there are in all, with their limits."""

    value: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a sample tells of the blocks of one rule that are above their cap.

    Attributes:
        pairs: pairs of these blocks, once per block: what was drawn from.
        drawn: how many of them were drawn; all, where these are equal.
        alone: those of the drawn that no usable block compares, and that share no block about which stewards are asked
            as it is; each under the first rule only of which they share a block.
        matches, possible: those of them that would be linked so, whose entities no link or judgement connects, and no
            number that they state keeps apart.
        strongest: a few of these, the strongest first.
    """

    pairs: int
    drawn: int
    alone: int
    matches: int
    possible: int
    strongest: Sequence[Missed]

    @property
    def found(self) -> int:
        """Drawn pairs that would be a match or a question."""
        return self.matches + self.possible

    @property
    def whole(self) -> bool:
        """Whether all pairs were drawn, so that nothing is estimated."""
        return self.drawn == self.pairs

    @property
    def expected(self) -> Expected:
        """How many such pairs there are in all."""
        if self.whole:
            return Expected(self.found, self.found, self.found)
        low, high = (share * self.pairs for share in wilson(self.found, self.drawn))
        middle = self.pairs * self.found / self.drawn if self.drawn else 0.0
        return Expected(max(self.found, round(middle)), max(self.found, int(low)), round(high))


def halvings_of(pairs: int, most: int) -> int:
    """How often a chance of one is halved so that about `most` of these pairs are drawn, and no less than half."""
    return max(0, (pairs // (most + 1)).bit_length())


def drawn_places(block: int, size: int, halvings: int) -> Iterator[tuple[int, int]]:
    """The pairs that are drawn of a block of so many members, as places in it, the lower first.

    Pairs are numbered so that those of a later member come after all others: who joins a block only adds draws.
    """
    number, pairs = -1, size * (size - 1) // 2
    skipped = log1p(-(0.5**halvings)) if halvings else 0.0
    for throw in count():
        # The gap to the next one that a coin of this chance picks has a geometric distribution.
        number += 1 + (int(log(_dice(block, throw)) / skipped) if halvings else 0)
        if number >= pairs:
            return
        later = (1 + isqrt(1 + 8 * number)) // 2
        yield number - later * (later - 1) // 2, later


def _dice(block: int, throw: int) -> float:
    """One of 2^53 numbers above 0 and up to 1: the same for the same throw, and without any order among blocks."""
    return ((xxh3_64_intdigest(throw.to_bytes(8, "big"), block % (1 << 64)) >> 11) + 1) / (1 << 53)


def uncompared_question(domain: Domain, rule: str) -> str:
    """Names the question about the blocks of a rule."""
    return f"oversize:{domain}:pairs:{rule}"


def uncompared_finding(domain: Domain, rule: str, blocks: int, records: int, sampled: Sampled) -> Finding:
    """The question about the blocks of a rule, of which the sample found pairs that the model would link."""
    value, low, high = sampled.expected
    looked = "All were looked at" if sampled.whole else f"Of {sampled.drawn} of them drawn by chance"
    scale = "" if sampled.whole else f"; about {value} of all ({low} to {high} with 95 % confidence)"
    named = "; ".join(
        f"{'/'.join(each.a)} and {'/'.join(each.b)} ({each.decision}, {each.weight:.1f} bits)"
        for each in sampled.strongest
    )
    return Finding(
        uncompared_question(domain, rule),
        UNCOMPARED,
        domain,
        f"{records} {domain.plural} share {blocks} key{'' if blocks == 1 else 's'} of {rule!r} with too many others to "
        f"be paired by them: {sampled.pairs} pairs. {looked}: the model would join {sampled.matches} and ask about "
        f"{sampled.possible} that nothing compares{scale}. Judge the strongest by hand; where there are many, the "
        f"model needs a rule that refines {rule!r}. The strongest: {named}.",
        f"{domain} stewards",
        value,
    )


def strongest(missed: Sequence[Missed]) -> tuple[Missed, ...]:
    """The few that a question names: matches first, then by weight and name."""
    return tuple(sorted(missed, key=lambda each: (each.decision != "match", -each.weight, each[:2]))[:_NAMED])
