"""Some of the golden records that a release would change, with their values before and after: computed when asked.

Reports of simulations keep ids only; what is shown of them follows from the records as they are now, so an erased value
cannot come back from a report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mdm.hub.in_force import in_force, read, standing_in
from mdm.hub.process import Pipeline
from mdm.hub.releases.trying import settle_with
from mdm.model.ids import EntityId, RecordId
from mdm.model.releases import Release
from mdm.store import releases as store
from mdm.store.reach import members_of
from mdm.store.reading import snapshot


@dataclass(frozen=True, slots=True)
class Sample:
    """A golden record before and after. `values` are complete; `changed` names those that differ."""

    entity_id: EntityId
    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    changed: tuple[str, ...]


def samples(hub: Pipeline, release: Release, wanted: Sequence[str]) -> list[Sample]:
    """What a survivorship release would make of these golden records now; those that it leaves alone are left out."""
    ids = [EntityId(each) for each in wanted]
    with snapshot(hub.engine) as work:
        document = store.texts(work.query, release.release_id)
        rules = standing_in(in_force(work.query, hub.rules), read(release.kind, release.domain, *document))
        records: list[RecordId] = sorted(members_of(work, ids))
        delta = settle_with(work, rules, release.domain, records)
        versions = {each.entity_id: each for each in delta.golden}
        before = {
            EntityId(row[0]): (row[1], row[2])
            for row in work.query(
                'select entity_id, name, "values" from golden where known_to is null and entity_id = any(%s)', ids
            )
        }
    return [
        Sample(each, before[each][0], before[each][1], dict(versions[each].values), versions[each].changed)
        for each in ids
        if each in versions and each in before
    ]
