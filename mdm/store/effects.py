"""Reading, inside a unit of work, what that unit of work has done to golden records."""

import orjson

from mdm.model.effects import GoldenEffect, field_changes
from mdm.model.ids import Domain, EntityId
from mdm.store.unit_of_work import SEQUENCE_BITS, UnitOfWork

# In the order of the index, so that no statistics of a small hub can lead to another one.
_VERSIONS = """
select n.domain, n.entity_id, n.name, n.version, n."values"::text, o."values"::text,
    o.known_to is distinct from n.known_from
from unnest(%s::text[]) as d(domain)
cross join lateral (
    select * from golden where domain = d.domain and seq >= %s and seq < %s and known_to is null
    order by domain, seq, entity_id offset 0) n
left join golden o on o.entity_id = n.entity_id and o.version = n.version - 1
order by n.domain, n.entity_id
"""
_ENDED = """
select e.domain, e.entity_id, g.name, e.status, e.merged_into from entity e
join lateral (select name from golden where entity_id = e.entity_id order by version desc limit 1) g on true
where e.changed_at = %s and e.status in ('merged', 'retired') order by e.domain, e.entity_id
"""


def golden_effects(work: UnitOfWork) -> tuple[GoldenEffect, ...]:
    """Every golden record that this unit of work has created, changed, merged or retired so far. Publishes."""
    work.publish()
    # What a unit of work writes is numbered by its publication, and current versions are indexed by their numbers.
    first, after_last = (number << SEQUENCE_BITS for number in (work.publication(), work.publication() + 1))
    effects = [
        GoldenEffect(
            Domain(domain),
            EntityId(entity_id),
            name,
            "created" if version == 1 else "active" if returned else "changed",
            field_changes(orjson.loads(before) if before is not None else {}, orjson.loads(after)),
        )
        for domain, entity_id, name, version, after, before, returned in work.query(
            _VERSIONS, [domain.value for domain in Domain], first, after_last
        )
    ]
    effects += [
        GoldenEffect(Domain(domain), EntityId(entity_id), name, status, merged_into=into and EntityId(into))
        for domain, entity_id, name, status, into in work.query(_ENDED, work.now)
    ]
    return tuple(effects)
