"""What speaks against joining two entities although records of them match: what exactly was refused, and why.

The clustering says which match was refused and for what reason. What a person can check is added: the identifiers that
differ, who is stated to be whose parent, the entity that fits as well.
"""

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product

import numpy as np
from sqlalchemy import Engine

from matching.clustering import Clustering
from matching.decision import keeps_apart
from matching.features import derive
from matching.merging import LITTLE_SUPPORT, PARTED, WEAK_JOIN
from matching.model import MatchModel
from matching.scoring import score_features
from matching.validity import (
    CUSTOMER,
    DIFFERENT_CUSTOMERS,
    DIFFERENT_IDENTIFIERS,
    NOTHING_KNOWN,
    PARENT,
    Facts,
    differing,
    facts_of,
)
from mdm.hub.reach import OUT_OF_REACH, reachable
from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.model.neighbourhood import Neighbourhood


@dataclass(frozen=True, slots=True)
class Differing:
    """Identifiers of one kind that two groups of records state, and that do not agree; of contracts their customers."""

    kind: str
    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rival:
    """A record of what one of two groups fits as well."""

    key: CrosswalkKey
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class Ruling:
    """A rule of the model that keeps two records apart, and with them whoever they are one with."""

    veto: str
    reason: str
    records: tuple[CrosswalkKey, CrosswalkKey]


@dataclass(frozen=True, slots=True)
class Against:
    """The strongest match between two groups of records that was not followed, and why.

    `match` names its record in the first group first. `parent` is the stated child and its parent, and `rule` the rule
    that keeps two of the records apart, where that is the reason; `rival` is None also where whoever asks may not know
    of it.
    """

    reason: str
    match: tuple[CrosswalkKey, CrosswalkKey]
    identifiers: tuple[Differing, ...] = ()
    parent: tuple[CrosswalkKey, CrosswalkKey] | None = None
    rival: Rival | None = None
    rule: Ruling | None = None

    @property
    def customers(self) -> frozenset[str]:
        """The golden customers that are named."""
        return frozenset(value for each in self.identifiers if each.kind == CUSTOMER for value in (*each.a, *each.b))

    def within(self, reached: Collection[str]) -> "Against":
        """The same without golden records beyond these."""

        def known(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(value if value in reached else OUT_OF_REACH for value in values)

        identifiers = tuple(
            Differing(each.kind, known(each.a), known(each.b)) if each.kind == CUSTOMER else each
            for each in self.identifiers
        )
        rival = self.rival if self.rival is not None and self.rival.entity_id in reached else None
        return replace(self, identifiers=identifiers, rival=rival)

    @property
    def words(self) -> str:
        """The reason with what it names, without values of identifiers: not everybody may see these."""
        if self.reason == DIFFERENT_IDENTIFIERS and self.identifiers:
            kinds = ", ".join(each.kind for each in self.identifiers)
            return f"{self.reason} ({kinds})"
        if self.parent is not None:
            return f"{self.parent[1]} is stated to be the parent of {self.parent[0]}"
        if self.rival is not None:
            return f"{self.reason}: {self.rival.key} in {self.rival.entity_id}"
        if self.rule is not None:
            one, other = self.rule.records
            return f"{self.reason}: {one} and {other} ({self.rule.reason.rstrip('.')})"
        if self.reason in (LITTLE_SUPPORT, WEAK_JOIN):
            return f"{self.reason}: taken together, the records of the two do not resemble each other enough"
        return self.reason


def against(
    model: MatchModel, hood: Neighbourhood, clustering: Clustering, first: Set[RecordId], second: Set[RecordId]
) -> Against | None:
    """Why two groups of a neighbourhood are not one; None where no match between them was refused."""
    for refusal in clustering.refused:
        a, b, rival = RecordId(refusal.a), RecordId(refusal.b), refusal.rival
        if a in second and b in first:
            a, b = b, a
        if a in first and b in second:
            told = Against(refusal.reason, (hood.records[a].key, hood.records[b].key))
            if refusal.reason in (DIFFERENT_IDENTIFIERS, DIFFERENT_CUSTOMERS):
                return replace(told, identifiers=_differing(model, hood, first, second))
            if refusal.reason == PARENT:
                return replace(told, parent=_child_and_parent(model, hood, first, second))
            if refusal.reason == PARTED:
                return replace(told, rule=_ruling(model, hood, first, second))
            if rival is not None:
                third = hood.records[RecordId(rival)]
                return replace(told, rival=None if third.entity_id is None else Rival(third.key, third.entity_id))
            return told
    return None


def within_reach(engine: Engine, found: Iterable[Against | None]) -> list[Against | None]:
    """The same without rivals and customers that whoever uses this engine may not know of."""
    told = list(found)
    named = {each.rival.entity_id for each in told if each is not None and each.rival is not None}
    named |= {EntityId(value) for each in told if each is not None for value in each.customers}
    reached = reachable(engine, named)
    return [None if each is None else each.within(reached) for each in told]


def _facts(model: MatchModel, hood: Neighbourhood, rec: RecordId) -> Facts:
    return facts_of(model.cannot_link, derive(model.domain, hood.records[rec].comparison, model.common_tokens))


def _differing(
    model: MatchModel, hood: Neighbourhood, first: Collection[RecordId], second: Collection[RecordId]
) -> tuple[Differing, ...]:
    one, other = (
        reduce(Facts.union, (_facts(model, hood, rec) for rec in group if rec in hood.records), NOTHING_KNOWN)
        for group in (first, second)
    )
    return tuple(
        Differing(CUSTOMER, *(_customers(hood, group) for group in (first, second)))
        if kind == CUSTOMER
        else Differing(kind, tuple(sorted(one.identifiers[kind])), tuple(sorted(other.identifiers[kind])))
        for kind in differing(one, other)
    )


def _ruling(model: MatchModel, hood: Neighbourhood, first: Set[RecordId], second: Set[RecordId]) -> Ruling | None:
    """The first two records, by name, that a rule keeps apart."""
    one, other = (
        sorted((rec for rec in group if rec in hood.records), key=lambda rec: hood.records[rec].key)
        for group in (first, second)
    )
    place = {rec: number for number, rec in enumerate([*one, *other])}
    pairs = list(product(one, other))
    features = [derive(model.domain, hood.records[rec].comparison, model.common_tokens) for rec in place]
    left, right = (np.array([place[pair[side]] for pair in pairs], dtype=np.intp) for side in (0, 1))
    vetoes = score_features(model, features, left, right).parting
    for number in np.flatnonzero(keeps_apart(model)[vetoes]).tolist():
        a, b = (hood.records[rec].key for rec in pairs[number])
        veto = model.vetoes[int(vetoes[number])]
        return Ruling(veto.name, veto.reason, (a, b))
    return None


def _customers(hood: Neighbourhood, group: Collection[RecordId]) -> tuple[str, ...]:
    """The entities of the customers that contracts refer to."""
    stated = (hood.records[rec].comparison.get("customer") for rec in group if rec in hood.records)
    return tuple(sorted({str(each) for each in stated if each}))


def _child_and_parent(
    model: MatchModel, hood: Neighbourhood, first: Collection[RecordId], second: Collection[RecordId]
) -> tuple[CrosswalkKey, CrosswalkKey] | None:
    facts = {rec: _facts(model, hood, rec) for rec in sorted({*first, *second}) if rec in hood.records}
    for children, parents in ((first, second), (second, first)):
        for child in sorted(rec for rec in children if rec in facts):
            for parent in sorted(rec for rec in parents if rec in facts):
                if facts[child].parents & facts[parent].names:
                    return hood.records[child].key, hood.records[parent].key
    return None
