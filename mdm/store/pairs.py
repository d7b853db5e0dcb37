"""Which records to compare: blocking keys, shared evidence and shared customers, looked up set-based.

A block above the model's cap pairs nobody. When a block crosses the cap in either direction, its members are compared
anew, so that what is linked depends on the records there are and never on the order in which they came.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork

Pair = tuple[RecordId, RecordId]


def replace_keys(
    work: UnitOfWork, keys: Mapping[RecordId, Collection[int]], gone: Collection[RecordId], cap: int
) -> set[RecordId]:
    """Store the blocking keys of these records and forget those of the gone.

    Returns:
        Live records, other than these, whose blocks crossed the cap.
    """
    ids = [*keys, *gone]
    old = {(block, rec) for block, rec in work.query("select block, rec_id from block_key where rec_id = any(%s)", ids)}
    new = {(block, rec) for rec, blocks in keys.items() for block in blocks}
    removed, added = old - new, new - old
    if not removed and not added:
        return set()
    affected: dict[int, int] = {}
    for block, _ in added:
        affected[block] = affected.get(block, 0) + 1
    for block, _ in removed:
        affected[block] = affected.get(block, 0) - 1
    if removed:
        work.stage("stage_unblock", "block bigint, rec_id bigint", removed)
        work.execute("delete from block_key k using stage_unblock s where k.block = s.block and k.rec_id = s.rec_id")
    work.copy("block_key", ("block", "rec_id"), sorted(added))
    sizes = work.query(
        "select block, count(*) from block_key where block = any(%s) group by block",
        [block for block, growth in affected.items() if growth],
    )
    crossed = [block for block, size in sizes if (size <= cap) != (size - affected[block] <= cap)]
    if not crossed:
        return set()
    members = work.query("select distinct rec_id from block_key where block = any(%s)", crossed)
    return {RecordId(row[0]) for row in members} - set(ids)


def blocked_pairs(work: UnitOfWork, ids: Collection[RecordId], cap: int) -> set[Pair]:
    """Pairs of one of these records with any record that shares a block of at most `cap` members."""
    rows = work.query(
        """with mine as (select block, rec_id from block_key where rec_id = any(%s)),
           usable as (
               select block from block_key where block in (select block from mine)
               group by block having count(*) between 2 and %s)
           select distinct least(m.rec_id, o.rec_id), greatest(m.rec_id, o.rec_id)
           from mine m join usable using (block) join block_key o using (block) where o.rec_id <> m.rec_id""",
        list(ids),
        cap,
    )
    return {(RecordId(a), RecordId(b)) for a, b in rows}


def evidence_pairs(work: UnitOfWork, domain: Domain, ids: Collection[RecordId], cap: int) -> set[Pair]:
    """Pairs of one of these records with any other about which the same thing is stated."""
    rows = work.query(
        """with mine as (
               select distinct r.rec_id, e.token from source_record r join record_evidence e using (system, type, key)
               where r.rec_id = any(%s)),
           owner as (
               select distinct e.token, r.rec_id from record_evidence e
               join source_record r using (system, type, key)
               where e.token in (select token from mine) and not r.deleted and r.domain = %s),
           usable as (select token from owner group by token having count(*) between 2 and %s)
           select distinct least(m.rec_id, o.rec_id), greatest(m.rec_id, o.rec_id)
           from mine m join usable using (token) join owner o using (token) where o.rec_id <> m.rec_id""",
        list(ids),
        domain.value,
        cap,
    )
    return {(RecordId(a), RecordId(b)) for a, b in rows}


def contracts_of_customers(work: UnitOfWork, entities: Collection[EntityId]) -> dict[EntityId, list[RecordId]]:
    """Live contract records whose customer reference resolves to one of these entities."""
    contracts: dict[EntityId, list[RecordId]] = {}
    for entity_id, rec_id in work.query(
        """with member as (
               select c.entity_id, r.system, r.type, r.key from crosswalk c join source_record r using (rec_id)
               where c.entity_id = any(%s)
               union
               select c.entity_id, a.system, a.type, a.key from crosswalk c join record_alias a using (rec_id)
               where c.entity_id = any(%s))
           select distinct m.entity_id, r.rec_id from member m
           join record_reference f using (system, type, key)
           join source_record r on r.rec_id = f.rec_id and r.domain = 'contract' and not r.deleted
           where f.role = 'customer'""",
        list(entities),
        list(entities),
    ):
        contracts.setdefault(EntityId(entity_id), []).append(RecordId(rec_id))
    return contracts


@dataclass(frozen=True, slots=True)
class Touched:
    """What writing the mirror changed beside the rows themselves.

    `names` are the names under which changed records can be referenced; `evidence` what is newly, or no longer, stated.
    """

    names: frozenset[CrosswalkKey]
    evidence: frozenset[tuple[CrosswalkKey, str]]


def records_by_evidence(
    work: UnitOfWork, domain: Domain, evidence: Iterable[tuple[CrosswalkKey, str]], cap: int
) -> set[RecordId]:
    """Live records whose comparison may differ because evidence about them came or went.

    What models read of evidence is which tokens two records share, and which kinds each has at all. So a token that
    is stated about one record only, and is neither its first nor its last of that kind, changes no comparison and is
    passed over - most invoices are.
    """
    rows = [(*owner, token) for owner, token in evidence]
    if not rows:
        return set()
    work.stage("stage_evidence", "system text, type text, key text, token text", rows)
    found = work.query(
        """with owner as (
               select token, system, type, key from stage_evidence
               union
               select token, e.system, e.type, e.key from record_evidence e
               where token in (select token from stage_evidence)),
           shared as (
               select token, count(*) as owners from owner group by token having count(*) > 1),
           changes as (select token, count(*) as changes from stage_evidence group by token)
           select distinct r.rec_id from shared join stage_evidence s using (token)
           join source_record r using (system, type, key) where not r.deleted and r.domain = %s
           union
           select distinct r.rec_id from shared h join changes c using (token) join owner o using (token)
           join source_record r using (system, type, key)
           where h.owners > %s and h.owners - c.changes <= %s and not r.deleted and r.domain = %s
           union
           select distinct r.rec_id from stage_evidence s join source_record r using (system, type, key)
           where not r.deleted and r.domain = %s and not exists (
               select 1 from record_evidence e
               where e.system = s.system and e.type = s.type and e.key = s.key
                 and split_part(e.token, ':', 1) = split_part(s.token, ':', 1)
                 and not exists (select 1 from stage_evidence o where o.system = s.system and o.type = s.type
                                 and o.key = s.key and o.token = e.token))""",
        domain.value, cap, cap, domain.value, domain.value,
    )  # fmt: skip
    return {RecordId(row[0]) for row in found}


def contracts_by_target(work: UnitOfWork, ids: Collection[RecordId], names: Collection[CrosswalkKey]) -> set[RecordId]:
    """Live contract records that refer to these records, directly, by alias, or through an offer of them."""
    work.stage("stage_target", "system text, type text, key text", sorted(names))
    rows = work.query(
        """with target as (
               select system, type, key from source_record where rec_id = any(%s)
               union select system, type, key from record_alias where rec_id = any(%s)
               union select system, type, key from stage_target),
           named as (
               select * from target
               union
               select o.system, o.type, o.key from target t join record_reference f using (system, type, key)
               join source_record o on o.rec_id = f.rec_id where f.role = 'offer_of')
           select distinct f.rec_id from named n join record_reference f using (system, type, key)
           join source_record r on r.rec_id = f.rec_id and r.domain = 'contract' and not r.deleted
           where f.role in ('customer', 'product')""",
        list(ids),
        list(ids),
    )
    return {RecordId(row[0]) for row in rows}


def entity_of_departed(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, EntityId]:
    """The entity each of these records still carries a crosswalk to."""
    rows = work.query("select rec_id, entity_id from crosswalk where rec_id = any(%s)", list(ids))
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}
