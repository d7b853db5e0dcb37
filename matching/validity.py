"""Which records can never be one entity: identifiers that clearly differ, and a stated parent.

Judged on whole groups, because a contradiction is often between two records that were never compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from matching.features import DISTINCT_IN
from matching.features.values import Features, texts
from matching.model import CannotLink

# Two values of one identifier this close are one value, mistyped once (a swap of neighbours counts as one).
_MISTYPED = 1

DIFFERENT_IDENTIFIERS = "identifiers differ"
DIFFERENT_CUSTOMERS = "customers differ"
SAME_SOURCE = "rows of one source that has no duplicates"
PARENT = "one is stated to be the parent of the other"

#: The kind of the customer that a contract was resolved to; its value is a digest of the customer's id.
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a group of records states about its identity."""

    #: Values by kind, a kind being a column or the `type:country` of a typed identifier.
    identifiers: Mapping[str, frozenset[str]]
    names: frozenset[str]
    parents: frozenset[str]
    #: Sources without duplicates that the records are from.
    sources: frozenset[str] = frozenset()

    def union(self, other: "Facts") -> "Facts":
        merged = dict(self.identifiers)
        for kind, values in other.identifiers.items():
            merged[kind] = merged.get(kind, frozenset()) | values
        return Facts(merged, self.names | other.names, self.parents | other.parents, self.sources | other.sources)


#: The facts of a record that states none.
NOTHING_KNOWN = Facts({}, frozenset(), frozenset())


def facts_of(cannot_link: CannotLink, features: Features) -> Facts:
    """The facts of one record from its columns, as the model says which of them identify."""
    identifiers: dict[str, set[str]] = {}
    for column in cannot_link.identifiers:
        for value in texts(features, column):
            kind, _, normal = value.rpartition(":") if ":" in value else (column, "", value)
            identifiers.setdefault(kind, set()).add(normal)
    child, parent = cannot_link.parents or ("", "")
    return Facts(
        {kind: frozenset(values) for kind, values in identifiers.items()},
        frozenset(texts(features, parent)) if parent else frozenset(),
        frozenset(texts(features, child)) if child else frozenset(),
        frozenset(texts(features, DISTINCT_IN)),
    )


def contradiction(first: Facts, second: Facts) -> str | None:
    """Why two groups cannot be one entity, or None.

    Every kind of identifier that both know must agree. A subsidiary filed under the tax number of its group's head is
    therefore a question for a person, whatever else agrees: an entity that holds two valid numbers is worse. Where its
    row shows whose number it is, by another one of the register, it counts as the group's and not as its own.
    """
    if not (first.parents.isdisjoint(second.names) and second.parents.isdisjoint(first.names)):
        return PARENT
    if not first.sources.isdisjoint(second.sources):
        return SAME_SOURCE
    kinds = differing(first, second)
    if kinds:
        return DIFFERENT_CUSTOMERS if kinds == [CUSTOMER] else DIFFERENT_IDENTIFIERS
    return None


def differing(first: Facts, second: Facts) -> list[str]:
    """The kinds of identifiers that both know and that do not agree."""
    mine, theirs = first.identifiers, second.identifiers
    kinds = [kind for kind in mine if kind in theirs and not _agree(mine[kind], theirs[kind])] if theirs else []
    return sorted(kinds) if len(kinds) > 1 else kinds


def _agree(first: frozenset[str], second: frozenset[str]) -> bool:
    # Every value with every other: along a chain of slips two numbers drift apart until they are two companies.
    return all(a == b or OSA.distance(a, b, score_cutoff=_MISTYPED) <= _MISTYPED for a in first for b in second)
