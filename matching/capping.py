"""What the caps of blocks cost: per rule, the blocks that too many records share, and the true pairs that they keep
from being compared.

A block above the cap of its rule pairs nobody. Other rules find most of its pairs; what none finds is lost.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from matching.blocking import BlockingKey
from matching.model import MatchModel

Record = TypeVar("Record", bound=int)


@dataclass(frozen=True, slots=True)
class CappedRule:
    """The blocks of one rule that are above its cap.

    `records` is how many records are in any of them. `pairs` are the pairs of records that this rule does not make,
    once per block, whether or not another rule makes them. `true_pairs_lost` are the true pairs among them that no
    rule makes; None where no truth is known.
    """

    rule: str
    cap: int
    blocks: int
    records: int
    pairs: int
    true_pairs_lost: int | None = None


@dataclass(frozen=True, slots=True)
class Capped:
    """All rules with blocks above their cap, and the true pairs that are lost by that, each once.

    A true pair that shares blocks of several rules counts for each of them in `rules`, and once in `true_pairs_lost`.
    """

    rules: tuple[CappedRule, ...] = ()
    true_pairs_lost: int | None = None


def above_cap(model: MatchModel, blocks: Mapping[BlockingKey, Sequence[Record]]) -> dict[BlockingKey, Sequence[Record]]:
    """Of these blocks those that pair nobody, with their members."""
    caps = {rule.name: model.cap_of(rule) for rule in (*model.blocking, *model.dynamic)}
    return {key: members for key, members in blocks.items() if len(members) > caps[key.rule]}


def capped(
    model: MatchModel, large: Mapping[BlockingKey, Sequence[int]], lost: Iterable[tuple[int, int]] | None = None
) -> Capped:
    """Count what is above its cap, in the order of the model's rules.

    Args:
        large: the blocks that pair nobody, with their members.
        lost: true pairs that were not compared, each once; None where no truth is known.
    """
    found: defaultdict[str, list[Sequence[int]]] = defaultdict(list)
    for key, members in large.items():
        found[key.rule].append(members)
    mine = _keys_of_records(large)
    missed = Counter[str]()
    number = 0
    for a, b in lost or ():
        rules = {key.rule for key in mine.get(a, frozenset()) & mine.get(b, frozenset())}
        missed.update(rules)
        number += bool(rules)
    rows = tuple(
        CappedRule(
            rule=rule.name,
            cap=model.cap_of(rule),
            blocks=len(found[rule.name]),
            records=len({record for members in found[rule.name] for record in members}),
            pairs=sum(len(members) * (len(members) - 1) // 2 for members in found[rule.name]),
            true_pairs_lost=None if lost is None else missed[rule.name],
        )
        for rule in (*model.blocking, *model.dynamic)
        if rule.name in found
    )
    return Capped(rows, None if lost is None else number)


def never_compared(entities: Mapping[int, Hashable], compared: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The true pairs that are not among those that were compared, lower record first.

    Args:
        entities: the true entity of each record.
        compared: pairs with the lower record first.
    """
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for record, entity in entities.items():
        members[entity].append(record)
    found = {pair for pair in compared if entities.get(pair[0], pair) == entities.get(pair[1])}
    for together in members.values():
        yield from (pair for pair in combinations(sorted(together), 2) if pair not in found)


def _keys_of_records(large: Mapping[BlockingKey, Sequence[int]]) -> Mapping[int, frozenset[BlockingKey]]:
    keys: defaultdict[int, set[BlockingKey]] = defaultdict(set)
    for key, members in large.items():
        for record in members:
            keys[record].add(key)
    return {record: frozenset(each) for record, each in keys.items()}
