"""Resolving one domain inside a unit of work: load set-based, decide purely, write in bulk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from matching.blocking import block_hash, block_keys, dynamic_keys
from matching.model import MatchModel
from mdm.core.identity import settle
from mdm.core.linking import change_links, decide_links
from mdm.core.rules import Rules
from mdm.model.delta import IdentityDelta, Link
from mdm.model.ids import Domain, EntityId, RecordId
from mdm.model.records import SourceRecord
from mdm.store import identity as identity_store
from mdm.store import neighbourhood, pairs
from mdm.store.stewardship import live_anchors
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class DomainChange:
    """What happened to the records of one domain in this unit of work.

    Attributes:
        compared: live records whose comparison form or references are new, with their standardised form.
        changed: all live records whose content or provenance is new, `compared` included.
        dirty: live records whose own content did not change but what is stated about them, or what they point at, did.
        gone: records that are no longer live.
        cause: what new golden versions say caused them, where neither a merge nor a split did.
    """

    compared: Mapping[RecordId, SourceRecord] = field(default_factory=dict)
    changed: frozenset[RecordId] = frozenset()
    dirty: frozenset[RecordId] = frozenset()
    gone: frozenset[RecordId] = frozenset()
    cause: str = "source"

    @property
    def empty(self) -> bool:
        return not (self.changed or self.dirty or self.gone)


def resolve_domain(work: UnitOfWork, domain: Domain, change: DomainChange, rules: Rules, position: int) -> "Resolved":
    """Bring identity and golden records of one domain in line with what changed.

    Args:
        position: announcements already written in this unit of work.
    """
    model = rules.models[domain]
    keys = {rec: _hashes(model, record) for rec, record in change.compared.items()}
    crossed = pairs.replace_keys(work, keys, change.gone, model.block_cap)
    compared = set(change.compared) | change.dirty | crossed
    live = identity_store.links_of(work, compared | change.gone)
    wanted = _wanted_links(work, domain, model, compared)
    links = change_links(live, wanted)
    identity_store.write_links(work, domain, model.fingerprint, links)

    superseded = set(links.superseded)
    unsettled = {end for link in links.added for end in (link.a, link.b)}
    unsettled |= {end for link in live if link.link_id in superseded for end in (link.a, link.b)}
    departed = pairs.entity_of_departed(work, sorted(change.gone))
    # Where an override holds depends on which of its anchors are live.
    changed = change.changed | live_anchors(work, change.changed | change.gone)
    seeds = (unsettled | changed) - change.gone
    if domain is Domain.CONTRACT:
        # Whether contracts may share an entity depends on their customers, also where no weight moved.
        seeds |= change.dirty
    if not seeds and not departed:
        return Resolved(IdentityDelta(domain), position)
    hood = neighbourhood.load_neighbourhood(work, domain, changed, seeds, departed)
    delta = settle(hood, rules, work.now, links, change.cause)
    return Resolved(delta, identity_store.write_identity(work, delta, position))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was written, and how many announcements the unit of work holds by now."""

    delta: IdentityDelta
    position: int

    @property
    def moved(self) -> set[RecordId]:
        """Records whose entity is new or gone: whoever refers to them must be looked at again."""
        return {change.rec_id for change in self.delta.joined} | {rec for rec, _ in self.delta.departed}


def _hashes(model: MatchModel, record: SourceRecord) -> set[int]:
    return {block_hash(model.domain, key) for key in block_keys(model, record.comparison)}


def _wanted_links(
    work: UnitOfWork, domain: Domain, model: MatchModel, compared: Collection[RecordId]
) -> tuple[Link, ...]:
    """The links that the compared records should have, by everything known now."""
    if not compared:
        return ()
    found = pairs.blocked_pairs(work, compared, model.block_cap)
    if domain is Domain.CONTRACT:
        found |= _pairs_of_one_customer(work, model, compared)
    else:
        found |= pairs.evidence_pairs(work, domain, compared, model.block_cap)
    ends = {end for pair in found for end in pair}
    return decide_links(model, found, neighbourhood.load_comparisons(work, domain, ends))


def _pairs_of_one_customer(work: UnitOfWork, model: MatchModel, compared: Collection[RecordId]) -> set[pairs.Pair]:
    """Contracts of one customer that share a key which only the resolved customer and products make possible."""
    own = neighbourhood.load_comparisons(work, Domain.CONTRACT, compared)
    customers = {EntityId(comparison["customer"]) for comparison in own.values() if "customer" in comparison}
    siblings = pairs.contracts_of_customers(work, customers)
    others = {rec for members in siblings.values() for rec in members}
    comparisons = own | neighbourhood.load_comparisons(work, Domain.CONTRACT, others - own.keys())
    blocks: dict[int, list[RecordId]] = {}
    for rec, comparison in comparisons.items():
        for key in dynamic_keys(model, comparison):
            blocks.setdefault(block_hash(model.domain, key), []).append(rec)
    wanted = set(compared)
    return {
        (a, b) if a < b else (b, a)
        for members in blocks.values()
        if 2 <= len(members) <= model.block_cap
        for a in members
        if a in wanted
        for b in members
        if a != b
    }
