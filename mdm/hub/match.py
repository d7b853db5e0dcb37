"""Search before create: which golden records a record that is not in the hub would match. Nothing is stored.

The candidate is blocked, scored and decided by the released model exactly as if it had arrived in a feed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pycountry
from sqlalchemy import Engine

from matching.blocking import BlockingKey, block_hash, block_keys, dynamic_keys
from matching.decision import Decision, decide
from matching.model import MatchModel
from matching.scoring import PairScore, explain_pair, score_pairs
from mdm.core.rules import Rules
from mdm.intake.candidate import candidate_record, compared_attributes
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.records import SourceRecord
from mdm.store import neighbourhood, pairs, read_match
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork

#: As comparison forms write them.
_COUNTRIES = tuple(sorted(country.alpha_2.lower() for country in pycountry.countries))


class Advice(StrEnum):
    """What to do with the candidate."""

    USE = "use_existing"  # it is in the hub: take the best candidate's id
    ASK = "ask_a_steward"  # it may be
    CREATE = "create"  # nothing in the hub is close


@dataclass(frozen=True, slots=True)
class Ranked:
    """One golden record that the candidate was compared with, through the member that resembles it most."""

    home: read_match.Home
    score: PairScore
    decision: Decision
    shared_keys: tuple[BlockingKey, ...]
    #: Members of this entity that the candidate was compared with.
    compared: int


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Candidates, best first. `oversized` are keys that too many records carry: nobody was found through them."""

    domain: Domain
    record: SourceRecord
    unused: tuple[str, ...]
    candidates: tuple[Ranked, ...]
    compared: int
    oversized: tuple[BlockingKey, ...]
    model: str

    @property
    def advice(self) -> Advice:
        """By the best candidate's decision."""
        if not self.candidates or self.candidates[0].decision is Decision.NONE:
            return Advice.CREATE
        return Advice.USE if self.candidates[0].decision is Decision.MATCH else Advice.ASK


def find_matches(
    engine: Engine,
    rules: Rules,
    domain: Domain,
    values: Mapping[str, Any],
    limit: int = 10,
    floor: float = 0.0,
    *,
    anywhere: bool = False,
) -> MatchReport:
    """Rank the golden records that a candidate may be.

    Args:
        values: canonical attributes. References (`customer`, `product` of `lines`) name an entity (`entity_id`) or a
            source row (`system`, `type`, `key`).
        limit: at most this many candidates.
        floor: the least match weight, in bits, worth telling.
        anywhere: look under the keys of every country, for a candidate that states none.
    """
    model = rules.models[domain]
    record = candidate_record(domain, values)
    with snapshot(engine) as work:
        comparison = dict(record.comparison)
        if domain is Domain.CONTRACT:
            _join_references(work, values, comparison)
        forms = [comparison] + [{**comparison, "country": country} for country in (_COUNTRIES if anywhere else ())]
        keys = {block_hash(model.domain, key): key for form in forms for key in block_keys(model, form)}
        mates = read_match.block_mates(work, keys, model.block_cap)
        shared: dict[RecordId, set[BlockingKey]] = {
            rec: {keys[block] for block in blocks} for rec, blocks in mates.shared.items()
        }
        siblings = _siblings(work, model, comparison) if domain is Domain.CONTRACT else {}
        for rec, found in siblings.items():
            shared.setdefault(rec, set()).update(found)
        others = neighbourhood.load_comparisons(work, domain, shared)
        best = _best_of_each_entity(model, comparison, others, read_match.homes(work, others))
        told = sorted((each for each in best if each.weight >= floor), key=lambda each: each.rank)[:limit]
        homes = read_match.golden_homes(work, [each.rec_id for each in told])
        ranked = tuple(
            _ranked(model, comparison, others[each.rec_id], homes[each.rec_id], shared[each.rec_id], each.compared)
            for each in told
            if each.rec_id in homes
        )
    known = compared_attributes(domain)
    return MatchReport(
        domain=domain,
        record=record,
        unused=tuple(sorted(name for name, value in values.items() if value is not None and name not in known)),
        candidates=ranked,
        compared=len(others),
        oversized=tuple(sorted(keys[block] for block in mates.oversized)),
        model=model.fingerprint,
    )


def find_alike(engine: Engine, rules: Rules, domain: Domain, words: str, limit: int) -> Sequence[EntityId]:
    """Entities whose name or code resembles these words, best first: a search that forgives mistakes in typing.

    It looks where the matcher looks (blocking keys) and ranks as the matcher ranks. Only what speaks for an entity
    counts: records that merely share a key are left out.
    """
    attribute = "number" if domain is Domain.CONTRACT else "name"
    values: dict[str, Any] = {attribute: words}
    if domain is Domain.PRODUCT and any(character.isdigit() for character in words):
        values["code"] = words
    report = find_matches(engine, rules, domain, values, limit, floor=-math.inf, anywhere=domain is Domain.CUSTOMER)
    told = (each for each in report.candidates if any(part.bits > 0 for part in each.score.contributions))
    return [each.home.entity_id for each in told]


@dataclass(frozen=True, slots=True)
class _Best:
    """The member of an entity that resembles the candidate most."""

    rec_id: RecordId
    entity_id: EntityId
    weight: float
    compared: int

    @property
    def rank(self) -> tuple[float, str]:
        return -self.weight, self.entity_id


def _best_of_each_entity(
    model: MatchModel,
    comparison: Mapping[str, Any],
    others: Mapping[RecordId, Mapping[str, Any]],
    homes: Mapping[RecordId, EntityId],
) -> Sequence[_Best]:
    ids = sorted(rec for rec in others if rec in homes)
    if not ids:
        return ()
    weights = score_pairs(model, [comparison] * len(ids), [others[rec] for rec in ids]).weight.tolist()
    members: dict[EntityId, list[tuple[float, RecordId]]] = {}
    for rec, weight in zip(ids, weights, strict=True):
        members.setdefault(homes[rec], []).append((weight, rec))
    best = []
    for entity_id, scored in members.items():
        weight, rec = max(scored, key=lambda each: (each[0], -each[1]))
        best.append(_Best(rec, entity_id, weight, len(scored)))
    return best


def _ranked(
    model: MatchModel,
    comparison: Mapping[str, Any],
    other: Mapping[str, Any],
    home: read_match.Home,
    shared: set[BlockingKey],
    compared: int,
) -> Ranked:
    score = explain_pair(model, comparison, other)
    decision = decide(model, score.weight, score.vetoes[0] if score.vetoes else None)
    return Ranked(home, score, decision, tuple(sorted(shared)), compared)


def _join_references(work: UnitOfWork, values: Mapping[str, Any], comparison: dict[str, Any]) -> None:
    """What the hub joins into a contract: the entities of its customer and its products."""
    customer = values.get("customer")
    products = [line.get("product") for line in values.get("lines") or ()]
    named = {name for each in (customer, *products) if (name := _name(each)) is not None}
    entities = read_match.entities_of_names(work, named)
    entity = _entity(customer, entities)
    if entity is not None:
        comparison["customer"] = entity
    found = {entity for each in products if (entity := _entity(each, entities)) is not None}
    if found:
        comparison["products"] = sorted(found)


def _name(reference: Mapping[str, Any] | None) -> CrosswalkKey | None:
    if not reference or reference.get("entity_id") or not reference.get("key"):
        return None
    return CrosswalkKey(reference["system"], reference["type"], reference["key"])


def _entity(reference: Mapping[str, Any] | None, entities: Mapping[CrosswalkKey, EntityId]) -> str | None:
    if not reference:
        return None
    if reference.get("entity_id"):
        return str(reference["entity_id"])
    name = _name(reference)
    return entities.get(name) if name is not None else None


def _siblings(work: UnitOfWork, model: MatchModel, comparison: Mapping[str, Any]) -> dict[RecordId, set[BlockingKey]]:
    """Contracts of the candidate's customer that share a key which only the customer makes possible."""
    if "customer" not in comparison:
        return {}
    customer = EntityId(comparison["customer"])
    records = pairs.contracts_of_customers(work, [customer]).get(customer, [])
    others = neighbourhood.load_comparisons(work, Domain.CONTRACT, records)
    own = {*dynamic_keys(model, comparison)}
    found = {rec: own & {*dynamic_keys(model, other)} for rec, other in others.items()}
    return {rec: keys for rec, keys in found.items() if keys}
