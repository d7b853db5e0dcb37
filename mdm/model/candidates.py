"""Which records to compare: those that share a block, or about which the same is stated, while few enough do.

A block above its cap pairs nobody. When a block comes to be within its cap its members are compared anew, and when it
outgrows it links that nothing else finds end, so that what is linked depends on the records there are and never on the
order in which they came.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from mdm.model.blocks import HALVINGS, caps_of
from mdm.model.ids import CrosswalkKey, RecordId

Pair: TypeAlias = tuple[RecordId, RecordId]

#: A record known by its key, and something stated about it.
Stated: TypeAlias = tuple[CrosswalkKey, str]


def usable(members: Mapping[int, Sequence[RecordId]], cap: int) -> list[Sequence[RecordId]]:
    """The members of those blocks that pair them; `cap` is the model's."""
    caps = caps_of(cap)
    return [each for block, each in members.items() if len(each) <= caps[block & HALVINGS]]


def pairs_within(groups: Iterable[Collection[RecordId]], wanted: Collection[RecordId]) -> set[Pair]:
    """Pairs of one of the wanted records with any other of its groups."""
    asked = wanted if isinstance(wanted, set | frozenset) else set(wanted)
    found: set[Pair] = set()
    for members in groups:
        for a in members:
            if a in asked:
                found.update((a, b) if a < b else (b, a) for b in members if a != b)
    return found


def in_parts(found: Collection[Pair], compared: Collection[RecordId], most: int) -> Iterator[list[Pair]]:
    """All these pairs, in parts of no more than `most` records, or of one compared record and its candidates.

    The pairs of a compared record stay together. Its candidates are many where a hub is large, and what they say must
    not be in memory for a whole batch at once.
    """
    by_record: dict[RecordId, list[Pair]] = defaultdict(list)
    for pair in found:
        by_record[pair[0] if pair[0] in compared else pair[1]].append(pair)
    part: list[Pair] = []
    ends: set[RecordId] = set()
    for record in sorted(by_record):
        mine = by_record[record]
        more = {end for pair in mine for end in pair}
        if part and len(ends | more) > most:
            yield part
            part, ends = [], set()
        part += mine
        ends |= more
    if part:
        yield part


def growth(removed: Iterable[tuple[int, RecordId]], added: Iterable[tuple[int, RecordId]]) -> dict[int, int]:
    """By how many members each block that changed at all has grown."""
    grown = Counter(block for block, _ in added)
    grown.subtract(block for block, _ in removed)
    return grown


def crossed(members: Mapping[int, Sequence[RecordId]], grown: Mapping[int, int], cap: int) -> set[int]:
    """Blocks that have come to be above their cap, or to be no longer, by how much they have grown."""
    found, caps = set(), caps_of(cap)
    for block, number in grown.items():
        now, most = len(members.get(block, ())), caps[block & HALVINGS]
        if number and (now <= most) != (now - number <= most):
            found.add(block)
    return found


def owners_to_compare(
    changes: Collection[Stated],
    owners_of: Mapping[str, Collection[CrosswalkKey]],
    tokens_of: Mapping[CrosswalkKey, Collection[str]],
    cap: int,
) -> set[CrosswalkKey]:
    """Records whose comparison may differ because what is stated about them came or went.

    What models read of evidence is which tokens two records share, and which kinds each has at all. So a token that
    is stated about one record only, and is neither its first nor its last of that kind, changes no comparison and is
    passed over - most invoices are.

    Args:
        changes: what is newly, or no longer, stated.
        owners_of: about whom each of these tokens is stated now, as far as that is not more than `cap` and all changes.
        tokens_of: what is stated now about each owner named in `changes`.
    """
    concerned: dict[str, set[CrosswalkKey]] = defaultdict(set)
    mine: dict[CrosswalkKey, set[str]] = defaultdict(set)
    for owner, token in changes:
        concerned[token].add(owner)
        mine[owner].add(token)
    found: set[CrosswalkKey] = set()
    for token, owners in concerned.items():
        everybody = owners.union(owners_of.get(token, ()))
        if len(everybody) > 1:
            found |= owners
        if len(everybody) > cap >= len(everybody) - len(owners):
            found |= everybody
    for owner, tokens in mine.items():
        kept = {_kind(token) for token in tokens_of.get(owner, ()) if token not in tokens}
        if any(_kind(token) not in kept for token in tokens):
            found.add(owner)
    return found


def _kind(token: str) -> str:
    return token.split(":", 1)[0]
