"""Resolving one domain inside a unit of work: load set-based, decide purely, write in bulk."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from matching.blocking import block_keys, block_numbers, dynamic_keys
from matching.model import MatchModel
from mdm.core.announce import check_announcements, traced
from mdm.core.groups import together
from mdm.core.identity import settle
from mdm.core.linking import change_links, decide_links
from mdm.core.rules import Rules
from mdm.hub.measures import Measures, measured
from mdm.hub.oversized import ask_about_blocks, ask_about_evidence
from mdm.hub.placing import place
from mdm.model.candidates import in_parts, pairs_within
from mdm.model.delta import IdentityDelta, Link, Recall
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import LiveLink, Neighbourhood
from mdm.model.records import SourceRecord
from mdm.store import evidence, neighbourhood, pairs, reach
from mdm.store import identity as identity_store
from mdm.store.claims import block_claims, entity_claim, hold, name_claim, token_claim
from mdm.store.stewardship import live_anchors
from mdm.store.unit_of_work import UnitOfWork

#: Records whose comparison forms are in memory at a time, some 10 kB each with what is derived from them.
_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class DomainChange:
    """What happened to the records of one domain in this unit of work.

    Attributes:
        compared: live records whose comparison form or references are new, with their standardised form.
        keys: the blocks of the compared records, by what they state themselves.
        arrived: those of them that the hub did not know before.
        changed: all live records whose content or provenance is new, `compared` included.
        dirty: live records whose own content did not change but what is stated about them, or what they point at, did.
        gone: records that are no longer live.
        stated: what is newly, or no longer, stated about records.
        traces: trace contexts by record, for what is announced.
        cause: what new golden versions say caused them, where neither a merge nor a split did.
        recall: ids to be given again because a decision is taken back.
    """

    compared: Mapping[RecordId, SourceRecord] = field(default_factory=dict)
    keys: Mapping[RecordId, frozenset[int]] = field(default_factory=dict)
    arrived: frozenset[RecordId] = frozenset()
    changed: frozenset[RecordId] = frozenset()
    dirty: frozenset[RecordId] = frozenset()
    gone: frozenset[RecordId] = frozenset()
    stated: frozenset[str] = frozenset()
    traces: Mapping[RecordId, str] = field(default_factory=dict)
    cause: str = "source"
    recall: Recall = field(default_factory=Recall)

    @property
    def empty(self) -> bool:
        return not (self.changed or self.dirty or self.gone)


def resolve_domain(work: UnitOfWork, domain: Domain, change: DomainChange, rules: Rules) -> "Resolved":
    """Bring identity and golden records of one domain in line with what changed."""
    model = rules.models[domain]
    keys = _keys(work, domain, model, change)
    replaced = pairs.replace_keys(work, keys, change.gone, model.block_cap, change.arrived)
    pairs.claim_connections(work, replaced.others, model.block_cap)
    # Whoever is only in a block that grew too large says what it said: its pairs are found or not, and weigh the same.
    compared = set(change.compared) | change.dirty | replaced.found_anew(model.block_cap)
    concerned = compared | replaced.others
    blocks = pairs.blocks_of(work, concerned, model.block_cap, keys, replaced.members)
    ask_about_blocks(work, model, replaced, blocks, concerned | change.gone)
    live = reach.links_of(work, concerned | change.gone)
    scored, wanted = _wanted_links(work, domain, model, change, compared, blocks)
    decided = wanted
    wanted += _kept_links(work, domain, model, live, compared | change.gone, blocks)
    links = change_links(live, wanted)
    identity_store.write_links(work, domain, model.fingerprint, links)

    superseded = set(links.superseded)
    unsettled = {end for link in links.added for end in (link.a, link.b)}
    unsettled |= {end for link in live if link.link_id in superseded for end in (link.a, link.b)}
    departed = _departed(work, change.gone)
    # Where an override holds depends on which of its anchors are live.
    changed = change.changed | live_anchors(work, change.changed | change.gone)
    seeds = (unsettled | changed) - change.gone
    if domain is Domain.CONTRACT:
        # Whether contracts may share an entity depends on their customers, also where no weight moved.
        seeds |= change.dirty
    if not seeds and not departed:
        return Resolved(IdentityDelta(domain), measured(domain, scored, decided, ()))
    written = IdentityDelta(domain, links)
    for hood in _hoods(work, domain, changed, seeds, departed, change.recall):
        delta = traced(settle(hood, rules, work.now, cause=change.cause), hood, change.traces)
        check_announcements(delta.announcements)
        identity_store.write_identity(work, delta)
        place(work, delta, rules.placement)
        written += delta
    return Resolved(written, measured(domain, scored, decided, written.golden))


def _hoods(
    work: UnitOfWork,
    domain: Domain,
    changed: Collection[RecordId],
    seeds: Collection[RecordId],
    departed: Mapping[RecordId, EntityId],
    recall: Recall,
) -> Iterator[Neighbourhood]:
    """What the seeds reach; in parts that nothing holds together where that is much, each read when it is asked for."""
    reached = neighbourhood.claimed_reach(work, seeds, departed)
    if len(reached.home) <= _AT_A_TIME:
        yield neighbourhood.load_neighbourhood(work, domain, changed, seeds, departed, recall, reached)
        return
    parts = [list(map(RecordId, part)) for part in together(reached.held_by(), _AT_A_TIME, cut=False)]
    part_of = {home: number for number, part in enumerate(parts) for rec in part if (home := reached.home[rec])}
    left: list[dict[RecordId, EntityId]] = [{} for _ in parts]
    for rec, home in departed.items():
        left[part_of.get(home, 0)][rec] = home
    for part, gone, known in zip(parts, left, reached.parted(parts), strict=True):
        yield neighbourhood.load_neighbourhood(work, domain, changed, part, gone, recall, known)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was written, and what it came to in numbers."""

    delta: IdentityDelta
    measures: Measures

    @property
    def moved(self) -> set[RecordId]:
        """Records whose entity is new or gone: whoever refers to them must be looked at again."""
        return {change.rec_id for change in self.delta.joined} | {rec for rec, _ in self.delta.departed}


def block_hashes(model: MatchModel, comparison: Mapping[str, Any]) -> frozenset[int]:
    """The blocks of a record by what it states itself."""
    return frozenset(block_numbers(model, block_keys(model, comparison)))


def stored_blocks(
    work: UnitOfWork, domain: Domain, model: MatchModel, ids: Collection[RecordId]
) -> dict[RecordId, frozenset[int]]:
    """The blocks of stored live records under the model as it is now, with what the hub joins in."""
    stated = neighbourhood.stated_comparisons(work, ids)
    blocks = {rec: block_hashes(model, comparison) for rec, comparison in stated.items()}
    if model.dynamic:
        neighbourhood.join_in(work, domain, stated)
        for rec, comparison in stated.items():
            blocks[rec] |= {*block_numbers(model, dynamic_keys(model, comparison))}
    return blocks


def claim_changes(
    work: UnitOfWork, changes: Mapping[Domain, DomainChange], touched: pairs.Touched, rules: Rules
) -> dict[Domain, set[RecordId]]:
    """Claim, in one go, everything that connects the changed records with others.

    Returns:
        Customers and products that must be compared although they did not change, because what is stated of them did.
    """
    blocks: set[int] = set()
    for domain, change in changes.items():
        keys = {block for each in change.keys.values() for block in each}
        pairs.guess_crowded(work, keys, rules.models[domain].block_cap)
        blocks |= keys
    claims, shared = block_claims(work, blocks)
    claims |= {name_claim(name) for name in touched.names}
    shared |= set(map(name_claim, touched.targets))
    claims |= {claim for owner, token in touched.evidence for claim in (name_claim(owner), token_claim(token))}
    wait = True
    while True:
        dirty = {
            domain: evidence.records_by_evidence(work, domain, touched.evidence, rules.models[domain].block_cap)
            for domain in (Domain.PRODUCT, Domain.CUSTOMER)
        }
        if work.alone:
            return dirty
        for domain in changes.keys() | dirty.keys():
            change = changes.get(domain, DomainChange())
            own = {*change.compared, *change.gone, *dirty.get(domain, ())}
            found, relied_on = pairs.connections_of(work, own, rules.models[domain].block_cap)
            claims |= found
            shared |= relied_on
        if hold(work, claims, shared, wait=wait):
            return dirty
        wait = False


def _departed(work: UnitOfWork, gone: Collection[RecordId]) -> dict[RecordId, EntityId]:
    while True:
        departed = pairs.entity_of_departed(work, sorted(gone))
        if hold(work, map(entity_claim, departed.values())):
            return departed


def stored_keys(
    work: UnitOfWork, domain: Domain, model: MatchModel, records: Collection[RecordId]
) -> Mapping[RecordId, Collection[int]]:
    """The blocks of stored records, by what they state and by what their references resolve to now."""
    return _keys(work, domain, model, DomainChange(dirty=frozenset(records)))


def _keys(
    work: UnitOfWork, domain: Domain, model: MatchModel, change: DomainChange
) -> Mapping[RecordId, Collection[int]]:
    """The blocks of records that may have come into new ones.

    Those of contracts follow their customer and products too, so they are new also where only these have moved.
    """
    if not model.dynamic:
        return change.keys
    keys: dict[RecordId, Collection[int]] = {}
    ids = sorted(change.compared.keys() | change.dirty)
    # A product that comes late is what a whole hub of contracts waits for.
    for start in range(0, len(ids), _AT_A_TIME):
        part = ids[start : start + _AT_A_TIME]
        stated = {rec: dict(change.compared[rec].comparison) for rec in part if rec in change.compared}
        stated |= neighbourhood.stated_comparisons(work, [rec for rec in part if rec not in stated])
        own = {rec: change.keys.get(rec) or block_hashes(model, each) for rec, each in stated.items()}
        neighbourhood.join_in(work, domain, stated)
        for rec, each in stated.items():
            keys[rec] = own[rec] | {*block_numbers(model, dynamic_keys(model, each))}
    # The customers and products were claimed with the contracts; only the blocks that follow from them are new.
    hold(work, *block_claims(work, {block for each in keys.values() for block in each}))
    return keys


def _wanted_links(
    work: UnitOfWork,
    domain: Domain,
    model: MatchModel,
    change: DomainChange,
    compared: Collection[RecordId],
    blocks: pairs.Blocks,
) -> tuple[int, tuple[Link, ...]]:
    """How many pairs were compared, and the links that the compared records should have, by everything known now.

    Asks about what finds too many.
    """
    owners: dict[str, set[CrosswalkKey]] = {}
    if domain is not Domain.CONTRACT:
        owners = evidence.evidence_owners(work, compared, model.block_cap)
        ask_about_evidence(work, model, owners, change.gone, change.stated)
    wanted: list[Link] = []
    scored = 0
    ids = sorted(compared)
    for start in range(0, len(ids), _AT_A_TIME):
        some, done = set(ids[start : start + _AT_A_TIME]), set(ids[:start])
        found = pairs_within(blocks.usable(model.block_cap), some)
        found |= evidence.pairs_of_owners(work, domain, some, owners, model.block_cap)
        if done:
            found = {pair for pair in found if done.isdisjoint(pair)}
        scored += len(found)
        for part in in_parts(found, some, _AT_A_TIME):
            ends = {end for pair in part for end in pair}
            wanted += decide_links(model, part, neighbourhood.load_comparisons(work, domain, ends))
    return scored, tuple(wanted)


def _kept_links(
    work: UnitOfWork,
    domain: Domain,
    model: MatchModel,
    live: Collection[LiveLink],
    others: Collection[RecordId],
    blocks: pairs.Blocks,
) -> tuple[Link, ...]:
    """The links with none of the `others`, of records that say what they said, as far as they still find each other."""
    unmoved = [link for link in live if link.a not in others and link.b not in others]
    lost = {(link.a, link.b) for link in unmoved if not blocks.share(link.a, link.b, model.block_cap)}
    if lost and domain is not Domain.CONTRACT:
        lost -= evidence.evidence_pairs(work, domain, {end for pair in lost for end in pair}, model.block_cap)
    return tuple(
        Link(link.a, link.b, link.decision, link.weight, link.veto) for link in unmoved if (link.a, link.b) not in lost
    )
