"""Reading the part of the hub that changed records can reach, in a handful of set-based queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from matching.features.demoted import DEMOTED
from mdm.model.delta import CurrentGolden, KnownEntity, Recall
from mdm.model.events import Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.neighbourhood import LiveLink, Neighbourhood, OpenTask, Outsider
from mdm.model.records import Provenance, Reference, StoredRecord
from mdm.model.stewardship import Override
from mdm.store.claims import entity_claim, hold
from mdm.store.echoes import echoes_of
from mdm.store.former_entities import claimed_entities
from mdm.store.reach import Reached, homes_of, reach
from mdm.store.recycled import demoted_of
from mdm.store.stewardship import live_overrides
from mdm.store.unit_of_work import UnitOfWork
from survivorship.echoes import still_echoes

#: Which entity each reference of a record resolves to: the target itself, a record known under that alias, or, for a
#: price, the product it is an offer of.
_RESOLVED_REFERENCE = """
    with target as materialized (
        select i.id as rec_id, f.role, t.rec_id as target, t.deleted
        from unnest(%s::bigint[]) as i(id)
        cross join lateral (
            select role, system, type, key from record_reference
            where rec_id = i.id and role in ('customer', 'product') offset 0) f
        cross join lateral (
            select rec_id, deleted from source_record where system = f.system and type = f.type and key = f.key
            union all
            select rec_id, false from record_alias where system = f.system and type = f.type and key = f.key) t),
    resolved as (
        select rec_id, role, target from target where not deleted
        union all
        select t.rec_id, t.role, p.rec_id from target t
        cross join lateral (
            select system, type, key from record_reference
            where rec_id = t.target and role = 'offer_of' and not t.deleted offset 0) o
        cross join lateral (
            select rec_id from source_record
            where system = o.system and type = o.type and key = o.key and not deleted offset 0) p)
    select distinct r.rec_id, r.role, c.entity_id from resolved r
    cross join lateral (select entity_id from crosswalk where rec_id = r.target offset 0) c"""


#: The evidence that is stated about a record `r`.
_TOKENS = """array(
               select token from record_evidence where system = r.system and type = r.type and key = r.key)"""


def load_comparisons(work: UnitOfWork, domain: Domain, ids: Collection[RecordId]) -> dict[RecordId, dict[str, Any]]:
    """What matching reads of each live record, with what the hub joins in: evidence tokens, resolved references."""
    rows = work.probe(
        f"""select r.rec_id, r.comparison, {_TOKENS} from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select rec_id, comparison::text, system, type, key from source_record
               where rec_id = i.id and not deleted offset 0) r""",
        list(ids),
    )
    comparisons = {RecordId(rec_id): _joined(orjson.loads(text), tokens) for rec_id, text, tokens in rows}
    _resolve_references(work, domain, comparisons)
    _demote(work, domain, comparisons)
    return comparisons


def stated_comparisons(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, dict[str, Any]]:
    """What matching reads of each live record that has anything of it, as far as the record states it itself."""
    rows = work.probe(
        """select r.rec_id, r.comparison from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select rec_id, comparison::text from source_record where rec_id = i.id and not deleted offset 0) r
           where r.comparison is not null""",
        list(ids),
    )
    return {RecordId(rec_id): orjson.loads(text) for rec_id, text in rows}


def join_in(work: UnitOfWork, domain: Domain, comparisons: Mapping[RecordId, dict[str, Any]]) -> None:
    """Add what other records say: `tokens`; for contracts the entities of `customer` and `products`."""
    ids = list(comparisons)
    tokens: dict[RecordId, set[str]] = {}
    for rec_id, token in work.probe(
        """select i.id, e.token from unnest(%s::bigint[]) as i(id)
           cross join lateral (select system, type, key from source_record where rec_id = i.id offset 0) r
           cross join lateral (
               select token from record_evidence
               where system = r.system and type = r.type and key = r.key offset 0) e""",
        ids,
    ):
        tokens.setdefault(rec_id, set()).add(token)
    for rec_id, stated in tokens.items():
        comparisons[rec_id]["tokens"] = sorted(stated)
    _resolve_references(work, domain, comparisons)


def _joined(comparison: dict[str, Any], tokens: Collection[str]) -> dict[str, Any]:
    return {**comparison, "tokens": sorted(set(tokens))} if tokens else comparison


def _demote(work: UnitOfWork, domain: Domain, comparisons: Mapping[RecordId, dict[str, Any]]) -> None:
    """Name in each customer the identifiers that its source gave to another company later."""
    if domain is Domain.CUSTOMER:
        for rec_id, identifiers in demoted_of(work, list(comparisons)).items():
            comparisons[rec_id][DEMOTED] = identifiers


def _resolve_references(work: UnitOfWork, domain: Domain, comparisons: Mapping[RecordId, dict[str, Any]]) -> None:
    """Add to contracts the entities of their `customer` and `products`."""
    if domain is Domain.CONTRACT:
        ids = list(comparisons)
        roles: dict[str, dict[RecordId, list[str]]] = {"customer": {}, "product": {}}
        for rec_id, role, entity_id in work.probe(_RESOLVED_REFERENCE, ids):
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
    recall: Recall | None = None,
    reached: Reached | None = None,
) -> Neighbourhood:
    """Everything that match links and judgements reach from the seeds and from the entities they belong to.

    Args:
        changed: records whose content is new.
        seeds: records to start from; `changed` and the former neighbours of removed links belong to them.
        departed: records that are no longer live, with the entity they belonged to.
        recall: ids to be given again because a decision is taken back.
        reached: what they reach (`claimed_reach`), where that is known.
    """
    while True:
        if reached is None:
            reached = claimed_reach(work, seeds, departed)
        hood = _neighbourhood(work, domain, changed, departed, reached, recall or Recall())
        if hold(work, map(entity_claim, hood.entities)):
            return hood
        reached = None


def claimed_reach(work: UnitOfWork, seeds: Collection[RecordId], departed: Mapping[RecordId, EntityId]) -> Reached:
    """What the seeds reach, with a claim on every entity in it, and on those that a question could be about."""
    wait = True
    while True:
        reached = reach(work, seeds, set(departed.values()))
        if work.alone:
            return reached
        ends = {end for link in reached.links.values() for end in (link.a, link.b)}
        ends |= {end for pair in reached.not_same for end in pair}
        asked = homes_of(work, ends - reached.home.keys()).values()
        inside = {entity_claim(home) for home in reached.home.values() if home is not None}
        if hold(work, inside, map(entity_claim, asked), wait=wait):
            return reached
        wait = False


def _neighbourhood(
    work: UnitOfWork,
    domain: Domain,
    changed: Collection[RecordId],
    departed: Mapping[RecordId, EntityId],
    reached: Reached,
    recall: Recall,
) -> Neighbourhood:
    records = _records(work, domain, reached)
    ids = list(records)
    links = sorted(
        (link for link in reached.links.values() if link.a in records or link.b in records),
        key=lambda link: link.link_id,
    )
    not_same = frozenset(pair for pair in reached.not_same if not pair.isdisjoint(records))
    recall = _of_these(recall, records, departed)
    former = {*recall.homes.values(), *recall.absorbers.values()}
    entities, claims = _entities(work, domain, records, departed, former)
    return Neighbourhood(
        domain=domain,
        records=records,
        changed=frozenset(changed).intersection(records),
        departed=departed,
        links=links,
        same=frozenset(pair for pair in reached.same if not pair.isdisjoint(records)),
        not_same=not_same,
        entities=entities,
        claims=claims,
        golden=_golden(work, entities),
        outsiders=_outsiders(work, links, not_same, records),
        open_tasks=_open_tasks(work, [*ids, *departed]),
        overrides=overrides_at(work, ids),
        recall=recall,
    )


def _records(work: UnitOfWork, domain: Domain, reached: Reached) -> dict[RecordId, StoredRecord]:
    """The live records of the domain among those reached, by record id."""
    rows = work.probe(
        f"""select r.*, {_TOKENS} from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select rec_id, system, type, key, attributes::text, comparison::text, refs::text, topic, partition,
                      "offset", pos_major, pos_minor, pos_order, pos_rank, event_time, lsn, transaction
               from source_record where rec_id = i.id and not deleted and domain = %s offset 0) r""",
        sorted(reached.home),
        domain.value,
    )
    comparisons = {RecordId(row[0]): _joined(orjson.loads(row[5]), row[17]) for row in rows}
    _resolve_references(work, domain, comparisons)
    _demote(work, domain, comparisons)
    marked = echoes_of(work, comparisons)
    records = {}
    for row in rows:
        rec_id = RecordId(row[0])
        attributes = orjson.loads(row[4])
        records[rec_id] = StoredRecord(
            rec_id=rec_id,
            key=CrosswalkKey(*row[1:4]),
            domain=domain,
            attributes=attributes,
            comparison=comparisons[rec_id],
            references=tuple(Reference(ref[0], CrosswalkKey(*ref[1:])) for ref in orjson.loads(row[6])),
            provenance=Provenance(Place(*row[7:10]), SourcePosition(*row[10:14]), row[14], row[15], row[16]),
            entity_id=reached.home[rec_id],
            echoes=still_echoes(attributes, marked.get(rec_id, {})),
        )
    return records


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


def _of_these(
    recall: Recall, records: Mapping[RecordId, StoredRecord], departed: Mapping[RecordId, EntityId]
) -> Recall:
    """The part of a recall that these records can need: one of a whole source names a great many."""
    inside = {record.entity_id for record in records.values()} | set(departed.values())
    return Recall(
        {rec: recall.homes[rec] for rec in records.keys() & recall.homes.keys()},
        {each: recall.absorbers[each] for each in recall.absorbers.keys() & inside},
    )


def _entities(
    work: UnitOfWork,
    domain: Domain,
    records: Mapping[RecordId, StoredRecord],
    departed: Mapping[RecordId, EntityId],
    former: Collection[EntityId],
) -> tuple[dict[EntityId, KnownEntity], dict[RecordId, EntityId]]:
    """Entities the records belong to, founded, or could bring back; and which each of them would bring back."""
    newcomers = [rec for rec, record in records.items() if record.entity_id is None]
    claims = claimed_entities(work, newcomers, [rec for rec, each in records.items() if each.entity_id is not None])
    named = {record.entity_id for record in records.values() if record.entity_id is not None}
    named |= set(departed.values()) | set(claims.values()) | set(former)
    rows = work.probe(
        """select e.* from unnest(%s::text[]) as i(id)
           cross join lateral (
               select entity_id, domain, status, founder, founded_at, absorbed_by, merged_into from entity
               where entity_id = i.id offset 0) e
           union all
           select e.* from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select entity_id, domain, status, founder, founded_at, absorbed_by, merged_into from entity
               where founder = i.id and status <> 'active' and domain = %s offset 0) e""",
        sorted(named),
        list(records),
        domain.value,
    )
    return {
        EntityId(row[0]): KnownEntity(row[0], Domain(row[1]), row[2], RecordId(row[3]), *row[4:]) for row in rows
    }, claims


def _golden(work: UnitOfWork, entities: Iterable[EntityId]) -> dict[EntityId, CurrentGolden]:
    rows = work.probe(
        """select g.* from unnest(%s::text[]) as e(id)
           cross join lateral (
               select entity_id, version, known_to is null, digest, support, "values"::text from golden
               where entity_id = e.id order by version desc limit 1) g""",
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
    rows = work.probe(
        """select i.id, r.system, r.type, r.key, c.entity_id from unnest(%s::bigint[]) as i(id)
           cross join lateral (select entity_id from crosswalk where rec_id = i.id offset 0) c
           cross join lateral (select system, type, key from source_record where rec_id = i.id offset 0) r""",
        list(outside),
    )
    return {RecordId(row[0]): Outsider(CrosswalkKey(*row[1:4]), row[4]) for row in rows}


def _open_tasks(work: UnitOfWork, ids: Sequence[RecordId]) -> list[OpenTask]:
    rows = work.probe(
        """select t.task_id, t.question from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select task_id, question from steward_task where a = i.id and status = 'open'
               union all
               select task_id, question from steward_task where b = i.id and status = 'open') t""",
        ids,
    )
    return sorted({OpenTask(*row) for row in rows}, key=lambda task: task.task_id)
