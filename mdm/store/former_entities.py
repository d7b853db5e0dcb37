"""Which entity records belonged to before: what lets a returning, re-keyed or parted record bring its id back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from mdm.model.ids import EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork

#: When it was left, in which unit of work, the entity, and whether that is active now.
_Past = tuple[datetime, int, EntityId, bool]


def claimed_entities(
    work: UnitOfWork, newcomers: Collection[RecordId], others: Collection[RecordId]
) -> dict[RecordId, EntityId]:
    """The entity that each record would bring back, for records that have one.

    A newcomer claims the entity it last belonged to, or that the row belonged to from which it was re-keyed. Any other
    record claims the last one that it left for good: what a merge absorbed comes back when its records leave again.
    """
    before = _rekeyed_from(work, newcomers)
    current, past = _homes_and_past(work, {*newcomers, *before.values(), *others})
    claims: dict[RecordId, EntityId] = {}
    for rec in newcomers:
        selves = [each for each in (rec, before.get(rec)) if each is not None]
        now = sorted(current[each] for each in selves if each in current)
        latest = _latest(entry for each in selves for entry in past.get(each, ()))
        if now or latest:
            claims[rec] = now[0] if now else latest[0]
    for rec in {*newcomers, *others} - claims.keys():
        absorbed = _latest(entry for entry in past.get(rec, ()) if not entry[3])
        if absorbed:
            claims[rec] = absorbed[0]
    return claims


def homes_at(work: UnitOfWork, asked: Sequence[tuple[RecordId, RecordId, datetime]]) -> dict[RecordId, EntityId]:
    """The entity that each record, or one of those that it was, belonged to at an instant.

    What belonged to none then counts by where it is now, or was last.

    Args:
        asked: pairs of a record and what it is or was, with the instant; of equals the first counts.
    """
    if not asked:
        return {}
    rows = work.query(
        """select distinct on (i.id) i.id, h.entity_id
           from unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) with ordinality as i(id, self, at, n)
           cross join lateral (
               select entity_id, since, 'infinity'::timestamptz as until from crosswalk where rec_id = i.self
               union all
               select entity_id, since, until from crosswalk_history where rec_id = i.self offset 0) h
           order by i.id, (h.since <= i.at and h.until > i.at) desc, h.until desc, i.n, h.entity_id""",
        [each[0] for each in asked],
        [each[1] for each in asked],
        [each[2] for each in asked],
    )
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}


def _latest(entries: Iterable[_Past]) -> list[EntityId]:
    """Entities, the one left last first; of several left at once the lowest id."""
    ordered = sorted(entries, key=lambda entry: entry[2])
    return [entry[2] for entry in sorted(ordered, key=lambda entry: (entry[0], entry[1]), reverse=True)]


def _rekeyed_from(work: UnitOfWork, newcomers: Collection[RecordId]) -> dict[RecordId, RecordId]:
    rows = work.probe(
        """select i.id, p.rec_id from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select system, type, previous_key from source_record
               where rec_id = i.id and previous_key is not null offset 0) n
           cross join lateral (
               select rec_id from source_record
               where system = n.system and type = n.type and key = n.previous_key offset 0) p""",
        list(newcomers),
    )
    return {RecordId(row[0]): RecordId(row[1]) for row in rows}


def _homes_and_past(
    work: UnitOfWork, ids: Collection[RecordId]
) -> tuple[dict[RecordId, EntityId], dict[RecordId, list[_Past]]]:
    """The entity of each record that has one, and those that each belonged to before."""
    current: dict[RecordId, EntityId] = {}
    past: dict[RecordId, list[_Past]] = {}
    for rec_id, until, batch_id, entity_id, status in work.probe(
        """select i.id, h.until, h.batch_id, h.entity_id, e.status from unnest(%s::bigint[]) as i(id)
           cross join lateral (select until, batch_id, entity_id from crosswalk_history where rec_id = i.id offset 0) h
           cross join lateral (select status from entity where entity_id = h.entity_id offset 0) e
           union all
           select i.id, null, null, c.entity_id, null from unnest(%s::bigint[]) as i(id)
           cross join lateral (select entity_id from crosswalk where rec_id = i.id offset 0) c""",
        list(ids),
        list(ids),
    ):
        if until is None:
            current[RecordId(rec_id)] = EntityId(entity_id)
            continue
        past.setdefault(RecordId(rec_id), []).append((until, batch_id, EntityId(entity_id), status == "active"))
    return current, past
