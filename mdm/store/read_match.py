"""Whom a record that is not in the hub would be compared with: the live records that share a usable block with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdm.model.blocks import HALVINGS, cap_of
from mdm.model.delta import KnownEntity
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class BlockMates:
    """Records by the blocks that they share with a candidate, and blocks that are too large to pair anybody."""

    shared: Mapping[RecordId, Sequence[int]]
    oversized: frozenset[int]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a live record belongs, and the golden record there."""

    key: CrosswalkKey
    entity_id: EntityId
    name: str
    version: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fate:
    """What an issued id stands for now: itself, what it was merged into, or (None) nothing any more."""

    domain: Domain
    entity_id: EntityId | None


def block_mates(
    work: UnitOfWork, blocks: Collection[int], cap: int, others: int = 0, *, lower: bool = True
) -> BlockMates:
    """Live records under these blocks. One above its cap pairs nobody, as when records arrive.

    Args:
        cap: the model's.
        others: how many are not in the store and would be in the block, too.
        lower: whether the lower caps of coarse rules hold.
    """
    halvings = HALVINGS if lower else 0
    rows = work.query(
        """select w.block, m.ids
           from unnest(%s::bigint[]) as w(block),
           lateral (select array_agg(rec_id) as ids
                    from (select rec_id from block_key b where b.block = w.block
                          limit greatest(%s::int >> (w.block & %s)::int, 2) + 1) few) m
           where m.ids is not null""",
        list(blocks),
        cap,
        halvings,
    )
    shared: dict[RecordId, list[int]] = {}
    for block, ids in rows:
        if len(ids) + others <= cap_of(cap, block & halvings):
            for rec in ids:
                shared.setdefault(RecordId(rec), []).append(block)
    oversized = frozenset(block for block, ids in rows if len(ids) + others > cap_of(cap, block & halvings))
    return BlockMates(dict(sorted(shared.items())), oversized)


def countries(work: UnitOfWork, domain: str) -> Sequence[str]:
    """The countries that live records of a domain state, as comparison forms write them: one probe for each."""
    rows = work.query(
        """with recursive stated(domain, country) as (
             (select domain, comparison->>'country' from source_record
              where domain = %s and not deleted and comparison->>'country' is not null
              order by domain, comparison->>'country' limit 1)
             union all
             select s.domain, (select comparison->>'country' from source_record r
                               where r.domain = s.domain and not deleted and comparison->>'country' is not null
                                 and comparison->>'country' > s.country order by 1 limit 1)
             from stated s where s.country is not null)
           select country from stated where country is not null""",
        domain,
    )
    return [country for (country,) in rows]


def homes(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, EntityId]:
    """The entity of each live record."""
    rows = work.query("select rec_id, entity_id from crosswalk where rec_id = any(%s)", list(ids))
    return {RecordId(rec_id): EntityId(entity_id) for rec_id, entity_id in rows}


def entities_of_term(work: UnitOfWork, domain: str, behind: Mapping[str, str], most: int) -> dict[str, list[EntityId]]:
    """The golden records that are found by each of these words or numbers as a whole, in the order of their ids.

    Args:
        behind: for each word the id behind which to look; empty for the beginning.
        most: at most so many for each.
    """
    terms = sorted(behind)
    rows = work.query(
        """select w.term, array(select entity_id from search_term
                                where domain = %s and term = w.term and entity_id > w.behind
                                order by entity_id limit %s)
           from unnest(%s::text[], %s::text[]) as w(term, behind)""",
        domain,
        most,
        terms,
        [behind[term] for term in terms],
    )
    return {term: [EntityId(each) for each in ids] for term, ids in rows if ids}


def names_of_records(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, CrosswalkKey]:
    """What each of these records is called at its source."""
    rows = work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", list(ids))
    return {RecordId(row[0]): CrosswalkKey(*row[1:4]) for row in rows}


def known_entities(work: UnitOfWork, ids: Collection[EntityId]) -> list[KnownEntity]:
    """These entities, as far as they are active."""
    rows = work.query(
        """select entity_id, domain, status, founder, founded_at from entity
           where entity_id = any(%s) and status = 'active'""",
        list(ids),
    )
    return [KnownEntity(row[0], Domain(row[1]), row[2], RecordId(row[3]), row[4]) for row in rows]


def names(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, str]:
    """The name of the golden record of each live record."""
    rows = work.query(
        """select c.rec_id, g.name from crosswalk c join golden g on g.entity_id = c.entity_id and g.known_to is null
           where c.rec_id = any(%s)""",
        list(ids),
    )
    return {RecordId(rec_id): name for rec_id, name in rows}


def golden_homes(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, Home]:
    """Name, entity and current golden record of each live record."""
    rows = work.query(
        """select r.rec_id, r.system, r.type, r.key, g.entity_id, g.name, g.version, g."values"
           from source_record r join crosswalk c using (rec_id)
           join golden g on g.entity_id = c.entity_id and g.known_to is null
           where r.rec_id = any(%s)""",
        list(ids),
    )
    return {RecordId(row[0]): Home(CrosswalkKey(*row[1:4]), EntityId(row[4]), *row[5:]) for row in rows}


def entities_of_names(work: UnitOfWork, names: Collection[CrosswalkKey]) -> dict[CrosswalkKey, EntityId]:
    """The entity of each source row that is live, by its primary key or an alias; others are absent."""
    columns = [[name[part] for name in names] for part in range(3)]
    rows = work.query(
        """with wanted as (select * from unnest(%s::text[], %s::text[], %s::text[]) as w(system, type, key)),
           meant as (
               select w.*, r.rec_id from wanted w join source_record r using (system, type, key)
               union
               select w.*, a.rec_id from wanted w join record_alias a using (system, type, key))
           select m.system, m.type, m.key, min(c.entity_id) from meant m join crosswalk c using (rec_id)
           group by m.system, m.type, m.key""",
        *columns,
    )
    return {CrosswalkKey(*row[:3]): EntityId(row[3]) for row in rows}


def fates(work: UnitOfWork, ids: Collection[str]) -> dict[str, Fate]:
    """What issued ids stand for now; ids that were never issued are absent."""
    rows = work.query(
        """select e.entity_id, e.domain, case when now.status = 'active' then now.entity_id end
           from entity e left join entity now on now.entity_id = coalesce(e.merged_into, e.entity_id)
           where e.entity_id = any(%s)""",
        sorted(ids),
    )
    return {id: Fate(Domain(domain), EntityId(now) if now is not None else None) for id, domain, now in rows}
