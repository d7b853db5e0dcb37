"""Resolving everything at once, in memory: the batch oracle that the incremental path must equal.

It starts from source records and judgements only; no link, id, crosswalk or golden record of the store is read.
Entities are named by their smallest member, so nothing here depends on issued ids or on the order of arrival.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import Any

from matching.blocking import BlockingKey, block_hash, block_keys, dynamic_keys, own_keys
from matching.capping import above_cap
from matching.clustering import Edge, cluster
from matching.decision import Decision
from matching.features.demoted import DEMOTED
from matching.model import MatchModel
from mdm.core.digest import golden_digest, surviving_support
from mdm.core.linking import decide_links
from mdm.core.oversize import block_question, evidence_question, records_question, reported
from mdm.core.rules import Rules
from mdm.model.delta import Link
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.records import Provenance, SourceRecord, StoredRecord
from mdm.model.stewardship import Override
from survivorship.echoes import still_echoes
from survivorship.engine import consolidate

Judgements = frozenset[frozenset[RecordId]]


@dataclass(frozen=True, slots=True)
class WholeRecord:
    """A live source record of any kind, standardised."""

    rec_id: RecordId
    record: SourceRecord
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class WholeEntity:
    """An entity by its members, and what survives."""

    members: tuple[CrosswalkKey, ...]
    values: Mapping[str, Any]
    digest: bytes
    support: bytes


@dataclass(frozen=True, slots=True)
class WholeDomain:
    """The state of one domain: links by (a, b), entities by smallest member, the pairs that were compared, what
    matching read of each record, and questions about oversized blocks.
    """

    links: Mapping[tuple[RecordId, RecordId], Link]
    entities: Mapping[CrosswalkKey, WholeEntity]
    candidates: Set[tuple[RecordId, RecordId]]
    comparisons: Mapping[RecordId, Mapping[str, Any]]
    questions: frozenset[str] = frozenset()
    #: Records that no key finds a partner.
    without_key: frozenset[CrosswalkKey] = frozenset()
    #: The blocks that are above their cap, with their members.
    large: Mapping[BlockingKey, Sequence[RecordId]] = field(default_factory=dict)
    #: The stored blocks of each record, but for those of resolved customers and products.
    blocks: Mapping[RecordId, Sequence[int]] = field(default_factory=dict)


def resolve_all(
    records: Sequence[WholeRecord],
    same: Judgements,
    not_same: Judgements,
    rules: Rules,
    overrides: Sequence[Override] = (),
    echoes: Mapping[RecordId, Mapping[str, str]] = MappingProxyType({}),
    demoted: Mapping[RecordId, Sequence[str]] = MappingProxyType({}),
) -> dict[Domain, WholeDomain]:
    """What the hub must hold for these live records, judgements, overrides, marks of echoes and demoted identifiers."""
    by_id = {each.rec_id: each for each in records}
    names = _names(records)
    stated = _stated(records)
    evidence = _evidence(records, names, stated)
    owners = Counter(token for tokens in stated.values() for token in tokens)
    pinned: dict[RecordId, list[Override]] = defaultdict(list)
    for override in overrides:
        if (anchor := override.home(by_id)) is not None:
            pinned[anchor].append(override)
    home: dict[RecordId, EntityId] = {}
    result: dict[Domain, WholeDomain] = {}
    for domain in RESOLUTION_ORDER:
        model = rules.models[domain]
        mine = {each.rec_id: each for each in records if each.record.domain is domain}
        comparisons = {
            rec: _joined(each, domain, evidence.get(rec, ()), by_id, names, home) for rec, each in mine.items()
        }
        for rec in mine.keys() & demoted.keys():
            comparisons[rec][DEMOTED] = list(demoted[rec])
        blocks = _blocks(model, mine, comparisons)
        crowds = above_cap(model, blocks)
        large = frozenset(crowds)
        pairs = _pairs(members for key, members in blocks.items() if key not in large)
        if domain is not Domain.CONTRACT:
            pairs |= _shared(comparisons, owners, model)
        links = decide_links(model, pairs, comparisons)
        edges = [Edge(link.a, link.b, link.weight, Decision(link.decision), link.veto) for link in links]
        nodes: dict[int, Mapping[str, Any]] = dict(comparisons.items())
        groups = cluster(model, nodes, edges, same, not_same).groups
        entities: dict[CrosswalkKey, WholeEntity] = {}
        for group in groups:
            members = sorted(
                (_stored(mine[RecordId(rec)], comparisons, echoes) for rec in group), key=lambda each: each.key
            )
            keys = tuple(member.key for member in members)
            home.update({member.rec_id: EntityId(str(keys[0])) for member in members})
            held = [override for member in members for override in pinned.get(member.rec_id, ())]
            surviving = consolidate(rules.rulesets[domain], members, rules.trust, held)
            digest = golden_digest(keys, surviving.values)
            entities[keys[0]] = WholeEntity(keys, surviving.values, digest, surviving_support(surviving))
        links_by_ends = {(link.a, link.b): link for link in links}
        without = _without_usable_key(model, mine, blocks, large)
        asked = _questions(model, large) | _about_evidence(model, comparisons, owners)
        asked |= {records_question(domain, key.system, key.type) for key in without}
        stored = _stored_blocks(model, mine, blocks)
        result[domain] = WholeDomain(links_by_ends, entities, pairs, comparisons, asked, without, crowds, stored)
    return result


def _stored(
    each: WholeRecord,
    comparisons: Mapping[RecordId, Mapping[str, Any]],
    echoes: Mapping[RecordId, Mapping[str, str]],
) -> StoredRecord:
    assert each.record.domain is not None
    return StoredRecord(
        rec_id=each.rec_id,
        key=each.record.key,
        domain=each.record.domain,
        attributes=each.record.attributes,
        comparison=comparisons[each.rec_id],
        provenance=each.provenance,
        references=each.record.references,
        echoes=still_echoes(each.record.attributes, echoes.get(each.rec_id, {})),
    )


def _names(records: Iterable[WholeRecord]) -> dict[CrosswalkKey, list[RecordId]]:
    """Every name under which a record can be referenced."""
    names: dict[CrosswalkKey, list[RecordId]] = defaultdict(list)
    for each in records:
        for name in {each.record.key, *each.record.aliases}:
            names[name].append(each.rec_id)
    return names


def _stated(records: Iterable[WholeRecord]) -> dict[CrosswalkKey, set[str]]:
    """What is stated about whom, whether they have arrived or not."""
    stated: dict[CrosswalkKey, set[str]] = defaultdict(set)
    for each in records:
        for evidence in each.record.evidence:
            stated[evidence.owner].add(evidence.token)
    return stated


def _evidence(
    records: Iterable[WholeRecord],
    names: Mapping[CrosswalkKey, Sequence[RecordId]],
    stated: Mapping[CrosswalkKey, Set[str]],
) -> dict[RecordId, tuple[str, ...]]:
    keys = {each.rec_id: each.record.key for each in records}
    return {
        rec: tuple(sorted(tokens))
        for owner, tokens in stated.items()
        for rec in names.get(owner, ())
        if keys[rec] == owner
    }


def _joined(
    each: WholeRecord,
    domain: Domain,
    tokens: Sequence[str],
    by_id: Mapping[RecordId, WholeRecord],
    names: Mapping[CrosswalkKey, Sequence[RecordId]],
    home: Mapping[RecordId, EntityId],
) -> dict[str, Any]:
    """The comparison form with what other records say about this one."""
    comparison = dict(each.record.comparison)
    if tokens:
        comparison["tokens"] = list(tokens)
    if domain is Domain.CONTRACT:
        if customers := _entities(each.record, "customer", by_id, names, home):
            comparison["customer"] = min(customers)
        if products := _entities(each.record, "product", by_id, names, home):
            comparison["products"] = sorted(products)
    return comparison


def _entities(
    record: SourceRecord,
    role: str,
    by_id: Mapping[RecordId, WholeRecord],
    names: Mapping[CrosswalkKey, Sequence[RecordId]],
    home: Mapping[RecordId, EntityId],
) -> set[EntityId]:
    """Entities that the references of a role resolve to, through offers where there are any."""
    found: set[EntityId] = set()
    for reference in record.references:
        if reference.role != role:
            continue
        for rec in names.get(reference.target, ()):
            offered = [each.target for each in by_id[rec].record.references if each.role == "offer_of"]
            targets = [rec, *(target for name in offered for target in names.get(name, ()))]
            found |= {home[target] for target in targets if target in home}
    return found


def _blocks(
    model: MatchModel, mine: Mapping[RecordId, WholeRecord], comparisons: Mapping[RecordId, Mapping[str, Any]]
) -> dict[BlockingKey, list[RecordId]]:
    """The members of every block; customers and products go by what the records state, contracts also by theirs."""
    blocks: dict[BlockingKey, list[RecordId]] = defaultdict(list)
    for rec, each in mine.items():
        for key in {*block_keys(model, each.record.comparison), *dynamic_keys(model, comparisons[rec])}:
            blocks[key].append(rec)
    return blocks


def _stored_blocks(
    model: MatchModel, mine: Iterable[RecordId], blocks: Mapping[BlockingKey, Sequence[RecordId]]
) -> dict[RecordId, list[int]]:
    dynamic = {rule.name for rule in model.dynamic}
    found: dict[RecordId, list[int]] = {rec: [] for rec in mine}
    for key, members in blocks.items():
        if key.rule not in dynamic:
            block = block_hash(model, key)
            for rec in members:
                found[rec].append(block)
    return found


def _questions(model: MatchModel, large: frozenset[BlockingKey]) -> frozenset[str]:
    """What must be asked about blocks that are too large, but for those of resolved customers and products."""
    dynamic = {rule.name for rule in model.dynamic}
    return frozenset(block_question(model, key) for key in large if reported(model, key) and key.rule not in dynamic)


def _without_usable_key(
    model: MatchModel,
    mine: Mapping[RecordId, WholeRecord],
    blocks: Mapping[BlockingKey, Sequence[RecordId]],
    large: frozenset[BlockingKey],
) -> frozenset[CrosswalkKey]:
    """Records whose every block is too large, or is that of a name of their own."""
    keys_of: dict[RecordId, list[BlockingKey]] = defaultdict(list)
    for key, members in blocks.items():
        for rec in members:
            keys_of[rec].append(key)
    return frozenset(
        mine[rec].record.key
        for rec, keys in keys_of.items()
        if not large.isdisjoint(keys) and large.issuperset({*keys}.difference(_own_keys(model, mine[rec].record)))
    )


def _own_keys(model: MatchModel, record: SourceRecord) -> tuple[BlockingKey, ...]:
    return own_keys(model, (str(name) for name in (record.key, *record.aliases)))


def _about_evidence(
    model: MatchModel, comparisons: Mapping[RecordId, Mapping[str, Any]], owners: Mapping[str, int]
) -> frozenset[str]:
    """What must be asked about evidence that is stated about too many."""
    if model.domain == Domain.CONTRACT:
        return frozenset()
    tokens = {token for comparison in comparisons.values() for token in comparison.get("tokens", ())}
    return frozenset(evidence_question(model.domain, each) for each in tokens if owners[each] > model.block_cap)


def _shared(
    comparisons: Mapping[RecordId, Mapping[str, Any]], owners: Mapping[str, int], model: MatchModel
) -> set[tuple[RecordId, RecordId]]:
    """Pairs about which the same is stated, unless it is stated about too many, arrived or not."""
    found: dict[str, list[RecordId]] = defaultdict(list)
    for rec, comparison in comparisons.items():
        for token in comparison.get("tokens", ()):
            if owners[token] <= model.block_cap:
                found[token].append(rec)
    return _pairs(members for members in found.values() if len(members) <= model.block_cap)


def _pairs(blocks: Iterable[Sequence[RecordId]]) -> set[tuple[RecordId, RecordId]]:
    return {pair for members in blocks for pair in combinations(sorted(members), 2)}
