"""What the golden record of several entities would say if they were one: the same survivorship, and nothing written."""

from collections.abc import Collection

from sqlalchemy import Engine

from mdm.core.rules import Rules
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store import neighbourhood
from mdm.store.reading import snapshot
from survivorship.engine import consolidate
from survivorship.values import Consolidated


def foresee_union(
    engine: Engine, rules: Rules, domain: Domain, entities: Collection[EntityId], without: Collection[CrosswalkKey] = ()
) -> Consolidated | None:
    """The golden record of all members of some entities together, some of them left out; None when none is left."""
    with snapshot(engine) as work:
        rows = work.query("select rec_id from crosswalk where entity_id = any(%s)", list(entities))
        seeds = {RecordId(row[0]) for row in rows}
        hood = neighbourhood.load_neighbourhood(work, domain, (), seeds, {})
    members = [
        record
        for record in sorted(hood.records.values(), key=lambda each: each.key)
        if record.rec_id in seeds and record.key not in without
    ]
    return consolidate(rules.rulesets[domain], members, rules.trust) if members else None
