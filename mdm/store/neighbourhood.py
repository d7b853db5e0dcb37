"""Reading the part of the hub that changed records can reach, in a handful of set-based queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from mdm.model.delta import CurrentGolden, KnownEntity
from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import LiveLink, Neighbourhood, OpenTask, Outsider
from mdm.model.records import Provenance, Reference, StoredRecord
from mdm.model.stewardship import Override
from mdm.store.stewardship import live_overrides
from mdm.store.unit_of_work import UnitOfWork

#: Which entity each reference of a record resolves to: the target itself, a record known under that alias, or, for a
#: price, the product it is an offer of.
RESOLVED_REFERENCE = """
    with wanted as (select * from record_reference where rec_id = any(%(ids)s) and role = any(%(roles)s)),
    target as (
        select w.rec_id, w.role, t.rec_id as target from wanted w join source_record t using (system, type, key)
        where not t.deleted
        union
        select w.rec_id, w.role, a.rec_id from wanted w join record_alias a using (system, type, key)),
    resolved as (
        select rec_id, role, target from target
        union
        select t.rec_id, t.role, p.rec_id from target t
        join record_reference o on o.rec_id = t.target and o.role = 'offer_of'
        join source_record p on p.system = o.system and p.type = o.type and p.key = o.key and not p.deleted)
    select distinct r.rec_id, r.role, c.entity_id from resolved r join crosswalk c on c.rec_id = r.target"""


def load_comparisons(work: UnitOfWork, domain: Domain, ids: Collection[RecordId]) -> dict[RecordId, dict[str, Any]]:
    """What matching reads of each live record, with what the hub joins in: evidence tokens, resolved references."""
    comparisons: dict[RecordId, dict[str, Any]] = {}
    wanted = list(ids)
    for rec_id, text in work.query(
        "select rec_id, comparison::text from source_record where rec_id = any(%s) and not deleted", wanted
    ):
        comparisons[RecordId(rec_id)] = orjson.loads(text)
    join_in(work, domain, comparisons)
    return comparisons


def join_in(work: UnitOfWork, domain: Domain, comparisons: Mapping[RecordId, dict[str, Any]]) -> None:
    """Add what other records say: `tokens`; for contracts the entities of `customer` and `products`."""
    ids = list(comparisons)
    for rec_id, tokens in work.query(
        """select r.rec_id, array_agg(distinct e.token) from source_record r
           join record_evidence e using (system, type, key) where r.rec_id = any(%s) group by r.rec_id""",
        ids,
    ):
        comparisons[rec_id]["tokens"] = sorted(tokens)
    if domain is Domain.CONTRACT:
        roles: dict[str, dict[RecordId, list[str]]] = {"customer": {}, "product": {}}
        for rec_id, role, entity_id in work.cursor.execute(
            RESOLVED_REFERENCE, {"ids": ids, "roles": ["customer", "product"]}
        ):
            roles[role].setdefault(rec_id, []).append(entity_id)
        for rec_id, customers in roles["customer"].items():
            comparisons[rec_id]["customer"] = min(customers)
        for rec_id, products in roles["product"].items():
            comparisons[rec_id]["products"] = sorted(products)


def load_neighbourhood(
    work: UnitOfWork,
    domain: Domain,
    changed: Collection[RecordId],
    seeds: Collection[RecordId],
    departed: Mapping[RecordId, EntityId],
) -> Neighbourhood:
    """Everything that match links and judgements reach from the seeds and from the entities they belong to.

    Args:
        changed: records whose content is new.
        seeds: records to start from; `changed` and the former neighbours of removed links belong to them.
        departed: records that are no longer live, with the entity they belonged to.
    """
    reached = _reach(work, domain, seeds, set(departed.values()))
    records = _records(work, domain, reached)
    ids = list(records)
    links = [
        LiveLink(row[0], RecordId(row[1]), RecordId(row[2]), row[3], row[4], row[5])
        for row in work.query(
            """select link_id, a, b, decision, weight, veto from link
               where superseded_at is null and a = any(%s)
               union
               select link_id, a, b, decision, weight, veto from link
               where superseded_at is null and b = any(%s)""",
            ids,
            ids,
        )
    ]
    same, not_same = _judgements(work, ids)
    entities, claims = _entities(work, domain, records, departed)
    return Neighbourhood(
        domain=domain,
        records=records,
        changed=frozenset(changed) & records.keys(),
        departed=departed,
        links=links,
        same=same,
        not_same=not_same,
        entities=entities,
        claims=claims,
        golden=_golden(work, entities),
        outsiders=_outsiders(work, links, not_same, records),
        open_tasks=_open_tasks(work, [*ids, *departed]),
        overrides=overrides_at(work, ids),
    )


def _reach(
    work: UnitOfWork, domain: Domain, seeds: Collection[RecordId], entities: Collection[EntityId]
) -> list[RecordId]:
    rows = work.query(
        """with recursive seed as (
               select unnest(%s::bigint[]) as rec_id
               union
               select m.rec_id from crosswalk s join crosswalk m using (entity_id) where s.rec_id = any(%s)
               union
               select rec_id from crosswalk where entity_id = any(%s)),
           reach as (
               select rec_id from seed
               union
               select n.other from reach r cross join lateral (
                   select b as other from link
                   where a = r.rec_id and superseded_at is null and decision = 'match'
                   union all
                   select a from link where b = r.rec_id and superseded_at is null and decision = 'match'
                   union all
                   select b from judgement where a = r.rec_id and superseded_at is null and verdict = 'same'
                   union all
                   select a from judgement where b = r.rec_id and superseded_at is null and verdict = 'same') n)
           select r.rec_id from reach r join source_record s using (rec_id) where not s.deleted and s.domain = %s""",
        list(seeds),
        list(seeds),
        list(entities),
        domain.value,
    )
    # A neighbour's entity may hold members that no link reaches any more; they must be settled with it.
    found = {RecordId(row[0]) for row in rows}
    widened = work.query(
        """select distinct m.rec_id from crosswalk s join crosswalk m using (entity_id)
           join source_record r on r.rec_id = m.rec_id and not r.deleted where s.rec_id = any(%s)""",
        list(found),
    )
    wider = found | {RecordId(row[0]) for row in widened}
    return sorted(found) if wider == found else _reach(work, domain, wider, ())


def _records(work: UnitOfWork, domain: Domain, ids: Sequence[RecordId]) -> dict[RecordId, StoredRecord]:
    rows = work.query(
        """select r.rec_id, r.system, r.type, r.key, r.attributes::text, r.comparison::text, r.refs::text, r.topic,
                  r.partition, r."offset", r.pos_major, r.pos_minor, r.pos_order, r.pos_rank, r.event_time, r.lsn,
                  r.transaction, c.entity_id
           from source_record r left join crosswalk c using (rec_id) where r.rec_id = any(%s) and not r.deleted""",
        ids,
    )
    comparisons = {RecordId(row[0]): orjson.loads(row[5]) for row in rows}
    join_in(work, domain, comparisons)
    records = {}
    for row in rows:
        rec_id = RecordId(row[0])
        records[rec_id] = StoredRecord(
            rec_id=rec_id,
            key=CrosswalkKey(*row[1:4]),
            domain=domain,
            attributes=orjson.loads(row[4]),
            comparison=comparisons[rec_id],
            references=tuple(Reference(ref[0], CrosswalkKey(*ref[1:])) for ref in orjson.loads(row[6])),
            provenance=Provenance(Place(*row[7:10]), SourcePosition(*row[10:14]), row[14], row[15], row[16]),
            entity_id=row[17],
        )
    return records


def _judgements(
    work: UnitOfWork, ids: Sequence[RecordId]
) -> tuple[frozenset[frozenset[RecordId]], frozenset[frozenset[RecordId]]]:
    rows = work.query(
        """select a, b, verdict from judgement
           where superseded_at is null and verdict in ('same', 'not_same') and (a = any(%s) or b = any(%s))""",
        ids,
        ids,
    )
    same = frozenset(frozenset((RecordId(a), RecordId(b))) for a, b, verdict in rows if verdict == "same")
    return same, frozenset(frozenset((RecordId(a), RecordId(b))) for a, b, verdict in rows if verdict == "not_same")


def overrides_at(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, list[Override]]:
    """Live overrides that hold with one of these records."""
    found = live_overrides(work, ids)
    if not found:
        return {}
    anchors = {rec for override in found for rec in override.anchors}
    rows = work.query("select rec_id from source_record where rec_id = any(%s) and not deleted", list(anchors))
    live, here = {RecordId(row[0]) for row in rows}, set(ids)
    homes: dict[RecordId, list[Override]] = {}
    for override in found:
        home = override.home(live)
        if home is not None and home in here:
            homes.setdefault(home, []).append(override)
    return homes


def _entities(
    work: UnitOfWork, domain: Domain, records: Mapping[RecordId, StoredRecord], departed: Mapping[RecordId, EntityId]
) -> tuple[dict[EntityId, KnownEntity], dict[RecordId, EntityId]]:
    """Entities the records belong to, founded or last belonged to; and the last one they had that could come back.

    A re-keyed row claims the entity of the row it was before.
    """
    newcomers = [rec for rec, record in records.items() if record.entity_id is None]
    work.stage("stage_claimant", "rec_id bigint", ())
    work.execute(
        """insert into stage_claimant select n.rec_id from source_record n where n.rec_id = any(%s)
           union select p.rec_id from source_record n
           join source_record p on p.system = n.system and p.type = n.type and p.key = n.previous_key
           where n.rec_id = any(%s)""",
        newcomers,
        newcomers,
    )
    claims = {
        RecordId(rec_id): EntityId(entity_id)
        for rec_id, entity_id in work.query(
            """select distinct on (n.rec_id) n.rec_id, h.entity_id
               from source_record n
               left join source_record p on p.system = n.system and p.type = n.type and p.key = n.previous_key
               join (select rec_id, entity_id, batch_id from crosswalk_history
                     where rec_id in (select rec_id from stage_claimant)
                     union all
                     select rec_id, entity_id, %s from crosswalk
                     where rec_id in (select rec_id from stage_claimant)) h on h.rec_id in (n.rec_id, p.rec_id)
               where n.rec_id = any(%s) order by n.rec_id, h.batch_id desc, h.entity_id""",
            work.batch_id,
            newcomers,
        )
    }
    # Records that came into their entity by a merge bring the absorbed id back when they leave it again.
    claims |= {
        RecordId(rec_id): EntityId(entity_id)
        for rec_id, entity_id in work.query(
            """select distinct on (h.rec_id) h.rec_id, h.entity_id from crosswalk_history h
               join entity e on e.entity_id = h.entity_id and e.status <> 'active'
               where h.rec_id = any(%s) order by h.rec_id, h.batch_id desc, h.entity_id""",
            [rec for rec in records if rec not in claims],
        )
    }
    named = {record.entity_id for record in records.values() if record.entity_id is not None}
    named |= set(departed.values()) | set(claims.values())
    rows = work.query(
        """select entity_id, domain, status, founder, founded_at from entity where entity_id = any(%s)
           union
           select entity_id, domain, status, founder, founded_at from entity
           where founder = any(%s) and domain = %s and status <> 'active'""",
        sorted(named),
        newcomers + [rec for rec in records if rec not in set(newcomers)],
        domain.value,
    )
    return {
        EntityId(row[0]): KnownEntity(row[0], Domain(row[1]), row[2], RecordId(row[3]), row[4]) for row in rows
    }, claims


def _golden(work: UnitOfWork, entities: Iterable[EntityId]) -> dict[EntityId, CurrentGolden]:
    rows = work.query(
        """select distinct on (entity_id) entity_id, version, known_to is null, digest, support, "values"::text
           from golden where entity_id = any(%s) order by entity_id, version desc""",
        sorted(entities),
    )
    return {
        EntityId(row[0]): CurrentGolden(row[0], row[1], row[2], bytes(row[3]), bytes(row[4]), orjson.loads(row[5]))
        for row in rows
    }


def _outsiders(
    work: UnitOfWork,
    links: Iterable[LiveLink],
    not_same: Iterable[frozenset[RecordId]],
    records: Mapping[RecordId, StoredRecord],
) -> dict[RecordId, Outsider]:
    outside = {end for link in links for end in (link.a, link.b)} | {end for pair in not_same for end in pair}
    outside -= records.keys()
    rows = work.query(
        """select rec_id, system, type, key, entity_id from crosswalk join source_record using (rec_id)
           where rec_id = any(%s)""",
        list(outside),
    )
    return {RecordId(row[0]): Outsider(CrosswalkKey(*row[1:4]), row[4]) for row in rows}


def _open_tasks(work: UnitOfWork, ids: Sequence[RecordId]) -> list[OpenTask]:
    rows = work.query(
        """select task_id, question from steward_task where status = 'open' and a = any(%s)
           union select task_id, question from steward_task where status = 'open' and b = any(%s)""",
        ids,
        ids,
    )
    return [OpenTask(*row) for row in rows]
