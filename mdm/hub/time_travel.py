"""A golden record on three axes: as it was valid in the business, as the hub knew it, under released rules.

Nothing of this is stored. The rows of the members are folded from their history - the changes made until `valid_at`
among those received until `known_at` - and go through the standardisers and the rule set as they did when they came.
So a late or corrected event changes what was valid, and never what was known.
Values that stewards had pinned are among it, with their author and end: what is computed for an instant is what was
served then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from mdm.core.fold import fold, inherited_rows
from mdm.core.rules import Rules
from mdm.hub.release import released_ruleset
from mdm.intake.catalogue import Catalogue
from mdm.intake.mapping import standardise
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import Head, Version, donors_of, with_donors
from mdm.model.records import Provenance, StoredRecord
from mdm.model.stewardship import Override
from mdm.store import read_time
from mdm.store.echoes import echoes_of
from mdm.store.reading import snapshot
from mdm.store.stewardship import overrides_known_at
from mdm.store.unit_of_work import UnitOfWork
from survivorship.echoes import still_echoes
from survivorship.engine import consolidate
from survivorship.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Instant:
    """Where on the three axes to look; None for valid_at is everything known, for `rules` the present rule set."""

    known_at: datetime
    valid_at: datetime | None
    rules: str | None


@dataclass(frozen=True, slots=True)
class GoldenThen:
    """A golden record computed for an instant. `members` are the rows that existed then."""

    name: str
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]
    members: tuple[CrosswalkKey, ...]
    ruleset: str
    #: Values that stewards had pinned, the newest of each attribute.
    overrides: tuple[Override, ...] = ()


def golden_then(
    engine: Engine, catalogue: Catalogue, rules: Rules, domain: Domain, entity_id: str, instant: Instant
) -> GoldenThen | None:
    """The golden record of the entity's members at an instant; None when none of its rows existed then.

    Who belongs together is knowledge, not history of the business: members are those that the hub held at `known_at`.

    Raises:
        NotFound: the rule set was never released here.
    """
    ruleset = rules.rulesets[domain]
    if instant.rules is not None:
        with engine.connect() as connection:
            ruleset = released_ruleset(connection, rules, domain, instant.rules)
    with snapshot(engine) as work:
        members = read_time.members_known_at(work, entity_id, instant.known_at)
        heads = _heads(work, read_time.names(work, members), instant)
        existing = [head.rec_id for head in heads]
        effective = min(instant.valid_at, instant.known_at) if instant.valid_at is not None else None
        pinned = overrides_known_at(work, domain, existing, instant.known_at, effective) if existing else []
        marked = echoes_of(work, existing)
    return _consolidated(heads, catalogue, rules, ruleset, pinned, marked)


def _heads(work: UnitOfWork, keys: Mapping[CrosswalkKey, RecordId], instant: Instant) -> list[Head]:
    """Each row folded from the versions that count; rows that did not exist then are absent."""
    versions = read_time.versions_known_at(work, keys, instant.known_at, instant.valid_at)

    def known(donors: set[CrosswalkKey]) -> Mapping[CrosswalkKey, Sequence[Version]]:
        return read_time.versions_known_at(work, donors, instant.known_at, None) if donors else {}

    donor_versions = with_donors(known(donors_of(versions)), known)
    truncated = read_time.truncations_until(work, instant.known_at, instant.valid_at)
    heads = []
    for key, found in versions.items():
        head = fold(
            keys[key],
            key,
            None,
            (),
            history=found,
            inherited=inherited_rows(key, found, lambda other: donor_versions.get(other, ())),
            truncates=truncated.get((key.system, key.type), ()),
        ).head
        if not head.deleted:
            heads.append(head)
    return heads


def _consolidated(
    heads: list[Head],
    catalogue: Catalogue,
    rules: Rules,
    ruleset: RuleSet,
    pinned: Sequence[Override],
    marked: Mapping[RecordId, Mapping[str, str]],
) -> GoldenThen | None:
    records = []
    for head in sorted(heads, key=lambda each: each.key):
        record = standardise(catalogue, head.key, head.row or {})
        if record.domain is not ruleset.domain:
            continue
        records.append(
            StoredRecord(
                rec_id=head.rec_id,
                key=head.key,
                domain=ruleset.domain,
                attributes=record.attributes,
                comparison=record.comparison,
                provenance=Provenance(head.place, head.position, head.event_time, head.lsn, head.transaction),
                references=record.references,
                echoes=still_echoes(record.attributes, marked.get(head.rec_id, {})),
            )
        )
    if not records:
        return None
    surviving = consolidate(ruleset, records, rules.trust, pinned)
    newest = {override.attribute: override for override in sorted(pinned, key=lambda each: each.override_id)}
    return GoldenThen(
        name=surviving.name,
        values=surviving.values,
        lineage={name: each.as_json() for name, each in surviving.lineage.items()},
        members=tuple(record.key for record in records),
        ruleset=ruleset.fingerprint,
        overrides=tuple(newest[name] for name in sorted(newest)),
    )
