"""Blocking keys: two records are compared only when they share one.

Every rule is a composition of columns, so that a key is selective by itself; a store does not pair records through a
key that more records carry than the cap of its rule (`model.block_cap`, or less), and finds them through their finer
keys instead.
"""

from collections.abc import Iterable, Mapping
from itertools import islice, product
from typing import Any, NamedTuple

from xxhash import xxh3_64_intdigest

from matching.features import OWN_NAMES, Features, derive_keys
from matching.model import BlockingRule, MatchModel
from mdm.model.blocks import numbered


class BlockingKey(NamedTuple):
    """A rule of the model and the value that a record has under it."""

    rule: str
    value: str


def block_keys(model: MatchModel, comparison: Mapping[str, Any]) -> tuple[BlockingKey, ...]:
    """The keys of a record, computed from what it says itself. Sorted, distinct."""
    return keys_of(model.blocking, derive_keys(model.domain, comparison, model.common_tokens))


def block_keys_in(
    model: MatchModel, comparison: Mapping[str, Any], column: str, values: Iterable[str]
) -> tuple[BlockingKey, ...]:
    """The keys of a record that does not state `column`, for each of the values that it may have. Sorted, distinct.

    The column must be one that is read as it is stated (a country): all others are derived only once.
    """
    features = derive_keys(model.domain, comparison, model.common_tokens)
    keys = set(keys_of(model.blocking, features))
    depending = [rule for rule in model.blocking if column in rule.columns]
    for value in values:
        keys.update(keys_of(depending, {**features, column: value}))
    return tuple(sorted(keys))


def dynamic_keys(model: MatchModel, comparison: Mapping[str, Any]) -> tuple[BlockingKey, ...]:
    """Keys that depend on values joined in (a contract's resolved customer), valid only while those values hold."""
    if not model.dynamic:
        return ()
    return keys_of(model.dynamic, derive_keys(model.domain, comparison, model.common_tokens))


def own_keys(model: MatchModel, names: Iterable[str]) -> tuple[BlockingKey, ...]:
    """The keys that a record has by its own names: nobody else has them but who names it."""
    rules = [rule for rule in model.blocking if len(rule.columns) == 1 and OWN_NAMES.issuperset(rule.columns)]
    return tuple(BlockingKey(rule.name, name) for rule in rules for name in names) if rules else ()


def block_hash(model: MatchModel, key: BlockingKey) -> int:
    """The number of a key (`mdm.model.blocks`): the same wherever and whenever it is made."""
    return block_numbers(model, (key,))[0]


def block_numbers(model: MatchModel, keys: Iterable[BlockingKey]) -> list[int]:
    """The number of each key, in order."""
    domain, coarse = model.domain, model.coarse_rules
    return [
        numbered(xxh3_64_intdigest(f"{domain}\x1f{rule}\x1f{value}".encode()), coarse.get(rule, 0))
        for rule, value in keys
    ]


def keys_of(rules: Iterable[BlockingRule], features: Features) -> tuple[BlockingKey, ...]:
    """The keys of a record under these rules, from its columns. Sorted, distinct."""
    keys = {BlockingKey(rule.name, value) for rule in rules for value in islice(_values(rule, features), rule.limit)}
    return tuple(sorted(keys))


def _values(rule: BlockingRule, features: Features) -> Iterable[str]:
    parts: list[tuple[str, ...]] = []
    for column in rule.columns:
        value = features.get(column)
        if value is None:
            return ()
        parts.append(value if isinstance(value, tuple) else (str(value),))
    return ("|".join(combination) for combination in product(*parts))
