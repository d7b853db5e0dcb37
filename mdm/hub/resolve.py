"""Resolving one domain inside a unit of work: load set-based, decide purely, write in bulk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from matching.blocking import block_hash, block_keys, dynamic_keys
from matching.model import MatchModel
from mdm.core.identity import settle
from mdm.core.linking import change_links, decide_links
from mdm.core.rules import Rules
from mdm.model.delta import IdentityDelta, Link
from mdm.model.ids import Domain, RecordId
from mdm.model.records import SourceRecord
from mdm.store import identity as identity_store
from mdm.store import neighbourhood, pairs, reach
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


def resolve_domain(work: UnitOfWork, domain: Domain, change: DomainChange, rules: Rules) -> "Resolved":
    """Bring identity and golden records of one domain in line with what changed."""
    model = rules.models[domain]
    keys = _keys(work, domain, model, change)
    crossed = pairs.replace_keys(work, keys, change.gone, model.block_cap)
    compared = set(change.compared) | change.dirty | crossed
    live = reach.links_of(work, compared | change.gone)
    wanted = _wanted_links(work, domain, model, compared)
    links = change_links(live, wanted)
    identity_store.write_links(work, domain, model.fingerprint, links)

    superseded = set(links.superseded)
    unsettled = {end for link in links.added for end in (link.a, link.b)}
    unsettled |= {end for link in live if link.link_id in superseded for end in (link.a, link.b)}
    departed = pairs.entity_of_departed(work, sorted(change.gone))
    seeds = (unsettled | change.changed) - change.gone
    if domain is Domain.CONTRACT:
        # Whether contracts may share an entity depends on their customers, also where no weight moved.
        seeds |= change.dirty
    if not seeds and not departed:
        return Resolved(IdentityDelta(domain))
    hood = neighbourhood.load_neighbourhood(work, domain, change.changed, seeds, departed)
    delta = settle(hood, rules, work.now, links, change.cause)
    identity_store.write_identity(work, delta)
    return Resolved(delta)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was written."""

    delta: IdentityDelta

    @property
    def moved(self) -> set[RecordId]:
        """Records whose entity is new or gone: whoever refers to them must be looked at again."""
        return {change.rec_id for change in self.delta.joined} | {rec for rec, _ in self.delta.departed}


def _keys(work: UnitOfWork, domain: Domain, model: MatchModel, change: DomainChange) -> dict[RecordId, set[int]]:
    """The blocking keys of records whose keys may be new.

    Those of contracts follow their customer and products too, so they are new also where only these have moved.
    """
    stated: dict[RecordId, Mapping[str, Any]] = {rec: each.comparison for rec, each in change.compared.items()}
    if domain is Domain.CONTRACT:
        stated |= neighbourhood.stated_comparisons(work, change.dirty - stated.keys())
    keys = {rec: {block_hash(domain, key) for key in block_keys(model, each)} for rec, each in stated.items()}
    if model.dynamic:
        joined = {rec: dict(each) for rec, each in stated.items()}
        neighbourhood.join_in(work, domain, joined)
        for rec, each in joined.items():
            keys[rec] |= {block_hash(domain, key) for key in dynamic_keys(model, each)}
    return keys


def _wanted_links(
    work: UnitOfWork, domain: Domain, model: MatchModel, compared: Collection[RecordId]
) -> tuple[Link, ...]:
    """The links that the compared records should have, by everything known now."""
    if not compared:
        return ()
    found = pairs.blocked_pairs(work, compared, model.block_cap)
    if domain is not Domain.CONTRACT:
        found |= pairs.evidence_pairs(work, domain, compared, model.block_cap)
    ends = {end for pair in found for end in pair}
    return decide_links(model, found, neighbourhood.load_comparisons(work, domain, ends))
