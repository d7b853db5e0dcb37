"""What training reads: records in comparison form, of one store or several, with their true entities where known."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from matching.batch import Candidates
from mdm.errors import OperatorError


@dataclass(frozen=True, slots=True)
class Store:
    """Records of one store; pairs are formed within it. `entities` is empty when the truth is not known.

    A sample of a store that is too large says of how many records it was drawn (`of`), and brings what the whole knows
    of it: `pairs` of places that are compared there (lower above higher, ascending), for a block that is too large in
    the whole is not in the sample; `seeds`, the places of records all of whose candidates are among the records, and
    only pairs with a seed are learned from, for those of two others are there only as far as both resemble a seed; and
    `counted`, records drawn without their candidates, in which words and values are counted.
    """

    comparisons: Sequence[Mapping[str, Any]]
    entities: Sequence[str] = ()
    seeds: frozenset[int] | None = None
    of: int | None = None
    pairs: Candidates | None = None
    counted: Sequence[Mapping[str, Any]] | None = None

    @property
    def to_count(self) -> "Store":
        """The store in which words and values are counted."""
        return self if self.counted is None else Store(self.counted)


def read_store(path: Path) -> Store:
    """A store from JSON lines: `{"comparison": {...}, "entity": "..."}`, the entity optional but then for all.

    Raises:
        OperatorError: a line is no such record.
    """
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
        comparisons = [dict(line["comparison"]) for line in lines]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise OperatorError(
            f"{path} cannot be read as records: {error}.",
            action='Each line must be {"comparison": {...}, "entity": "..."}; CSV files need --config.',
        ) from error
    known = [str(line["entity"]) for line in lines if line.get("entity") is not None]
    if known and len(known) < len(lines):
        raise OperatorError(
            f"{path}: {len(lines) - len(known)} of {len(lines)} records have no entity.",
            action="Give the entity of every record, or of none.",
        )
    return Store(comparisons, known)


def fingerprint_of(stores: Iterable[Store]) -> str:
    """One number for the data that a model was trained on."""
    digest = sha256()
    for store in stores:
        document = [store.comparisons, store.entities]
        digest.update(json.dumps(document, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def common_tokens(stores: Iterable[Store], share: float) -> list[str]:
    """Name tokens that more than `share` of all entities carry: they tell little about which entity is meant."""
    entities: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
    everyone: set[tuple[int, str]] = set()
    for number, store in enumerate(stores):
        # Without truth each name counts once, however many records carry it.
        owners = store.entities or [str(comparison.get("name", "")) for comparison in store.comparisons]
        for comparison, entity in zip(store.comparisons, owners, strict=True):
            everyone.add((number, entity))
            for token in str(comparison.get("name", "")).split():
                entities[token].add((number, entity))
    least = max(2.0, share * len(everyone))
    return sorted(token for token, owners in entities.items() if len(owners) > least)


def drawn_from(stores: Sequence[Store]) -> dict[str, Any]:
    """How many records the stores were drawn from, and how many of theirs were drawn; nothing of stores taken whole."""
    if all(store.of is None for store in stores):
        return {}
    return {
        "sampled_of": sum(store.of or len(store.comparisons) for store in stores),
        "seeds": sum(len(store.comparisons if store.seeds is None else store.seeds) for store in stores),
    }
