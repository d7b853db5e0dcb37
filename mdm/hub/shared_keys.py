"""The blocking keys that records have in common: without one that is small enough two are never compared."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matching.blocking import BlockingKey, block_hash, block_keys, dynamic_keys
from matching.model import MatchModel
from mdm.core.oversize import BLOCK, EVIDENCE, reported
from mdm.model.blocks import cap_of
from mdm.model.candidates import Pair
from mdm.model.ids import RecordId
from mdm.store import evidence, pairs
from mdm.store.unit_of_work import UnitOfWork

#: Carriers of a key are counted so far: nobody needs to know whether it is ten thousand or a million.
_COUNTED = 10_000

#: What names a key in the store: its block, or, of what is stated, the token.
_Place = int | str


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A blocking rule and the value that two records both have under it.

    `carriers` is how many records have it (10,000 stands for more) where these are more than `most`, so that nothing is
    compared because of it; None where they are few enough. `value` is empty where the rule's name says it all. `asked`
    is the code of the exception that asks about a key that too many have, if there is one.
    """

    rule: str
    value: str = ""
    carriers: int | None = None
    most: int | None = None
    asked: str | None = None

    @property
    def usable(self) -> bool:
        """Whether records are compared because of it."""
        return self.carriers is None


@dataclass(frozen=True, slots=True)
class _Key:
    """A key as people are told of it, and the exception that asks about it where too many have it."""

    rule: str
    value: str
    asked: str | None


def shared_keys(
    work: UnitOfWork, model: MatchModel, comparisons: Mapping[RecordId, Mapping[str, Any]], among: Iterable[Pair]
) -> dict[Pair, tuple[SharedKey, ...]]:
    """What each of these pairs has in common: what they are compared by first, then what too many have."""
    found = {(a, b): _in_common(model, comparisons[a], comparisons[b]) for a, b in among}
    carriers = _carriers(work, model, {place for each in found.values() for place in each})
    return {
        pair: tuple(
            sorted(
                (_shared(model, place, key, carriers.get(place)) for place, key in keys.items()),
                key=lambda each: (not each.usable, each.rule, each.value),
            )
        )
        for pair, keys in found.items()
    }


def oversized_keys(
    work: UnitOfWork, model: MatchModel, comparisons: Iterable[Mapping[str, Any]]
) -> tuple[SharedKey, ...]:
    """What any of these records has and too many others have, too: those keys that no finer rule stands in for."""
    keys: dict[_Place, _Key] = {}
    for comparison in comparisons:
        own = (*block_keys(model, _stated(comparison)), *dynamic_keys(model, comparison))
        keys |= _blocks(model, (key for key in own if key.rule not in model.refined_rules))
        keys |= {token: _Key("evidence", token, EVIDENCE) for token in comparison.get("tokens", ())}
    carriers = _carriers(work, model, keys)
    large = (_shared(model, place, key, carriers[place]) for place, key in keys.items() if place in carriers)
    return tuple(sorted(large, key=lambda each: (each.rule, each.value)))


def _in_common(model: MatchModel, a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[_Place, _Key]:
    found = _blocks(model, {*block_keys(model, _stated(a))} & {*block_keys(model, _stated(b))})
    for token in {*a.get("tokens", ())} & {*b.get("tokens", ())}:
        found[token] = _Key("stated about both", token, EVIDENCE)
    if a.get("customer") is not None and a.get("customer") == b.get("customer"):
        joined = _blocks(model, {*dynamic_keys(model, a)} & {*dynamic_keys(model, b)})
        found |= {place: _Key(f"same customer, {key.rule}", "", key.asked) for place, key in joined.items()}
    return found


def _stated(comparison: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a record states itself: what others state of it pairs it by token, and is in no block."""
    return {name: value for name, value in comparison.items() if name != "tokens"}


def _blocks(model: MatchModel, keys: Iterable[BlockingKey]) -> dict[_Place, _Key]:
    return {block_hash(model, key): _Key(key.rule, key.value, BLOCK if reported(model, key) else None) for key in keys}


def _carriers(work: UnitOfWork, model: MatchModel, places: Collection[_Place]) -> dict[_Place, int]:
    """How many records are in those of these blocks, or own those tokens, that too many are in or own."""
    blocks = [place for place in places if isinstance(place, int)]
    tokens = [place for place in places if isinstance(place, str)]
    found: dict[_Place, int] = dict(pairs.sizes_of(work, blocks, _COUNTED).items())
    found |= {token: len(owners) for token, owners in evidence.owners_of(work, tokens, _COUNTED).items()}
    return {place: number for place, number in found.items() if number > _most(model, place)}


def _shared(model: MatchModel, place: _Place, key: _Key, carriers: int | None) -> SharedKey:
    if carriers is None:
        return SharedKey(key.rule, key.value)
    return SharedKey(key.rule, key.value, carriers, _most(model, place), key.asked)


def _most(model: MatchModel, place: _Place) -> int:
    return cap_of(model.block_cap, place) if isinstance(place, int) else model.block_cap
