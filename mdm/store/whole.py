"""Reading the whole hub as values: for verification, digests and batch work."""

from collections.abc import Collection, Iterator

import orjson

from mdm.model.delta import Link
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork


def last_publication(work: UnitOfWork) -> int:
    """The number of the last unit of work that has committed; 0 before the first."""
    return int(work.query("select coalesce(max(publication), 0) from batch")[0][0])


def others_since(work: UnitOfWork, publication: int, causes: Collection[str]) -> bool:
    """Whether a unit of work of another cause than these has committed after that one."""
    found = work.query(
        "select 1 from batch where publication > %s and not cause = any(%s) limit 1", publication, sorted(causes)
    )
    return bool(found)


def live_records(work: UnitOfWork, domain: Domain) -> list[RecordId]:
    """All live records of a domain."""
    rows = work.query(
        "select rec_id from source_record where domain = %s and not deleted order by rec_id", domain.value
    )
    return [RecordId(row[0]) for row in rows]


def spread_records(work: UnitOfWork, domain: Domain, most: int) -> list[RecordId]:
    """At most so many (two at least) live records of a domain, from its oldest to its newest, each about as far from
    the next."""
    rows = work.query(
        """with ends as (
               select min(rec_id) as oldest, max(rec_id) as newest from source_record where domain = %s and not deleted)
           select distinct near.rec_id from ends
           cross join lateral generate_series(0, %s::bigint) as step
           cross join lateral (
               select rec_id from source_record
               where domain = %s and not deleted and rec_id >= oldest + (newest - oldest) * step / %s::bigint
               order by rec_id limit 1) as near""",
        *(domain.value, most - 1),
        *(domain.value, most - 1),
    )
    return [RecordId(row[0]) for row in rows]


def departed_records(work: UnitOfWork, domain: Domain) -> list[RecordId]:
    """Records of a domain that are no longer live but still have a crosswalk: none, unless something was damaged."""
    rows = work.query(
        "select rec_id from source_record join crosswalk using (rec_id) where domain = %s and deleted", domain.value
    )
    return [RecordId(row[0]) for row in rows]


def memberships(work: UnitOfWork, domain: Domain) -> dict[EntityId, list[CrosswalkKey]]:
    """The members of every entity of a domain that has any, sorted."""
    members: dict[EntityId, list[CrosswalkKey]] = {}
    for entity_id, *key in work.query(
        """select c.entity_id, r.system, r.type, r.key from crosswalk c join source_record r using (rec_id)
           where r.domain = %s order by r.system, r.type, r.key""",
        domain.value,
    ):
        members.setdefault(entity_id, []).append(CrosswalkKey(*key))
    return members


def entities_of(work: UnitOfWork, domain: Domain) -> dict[RecordId, EntityId]:
    """The entity of every live record of a domain that has one."""
    rows = work.query(
        """select c.rec_id, c.entity_id from crosswalk c join source_record r using (rec_id)
           where r.domain = %s and not r.deleted order by c.rec_id""",
        domain.value,
    )
    return {RecordId(row[0]): EntityId(row[1]) for row in rows}


def current_values(work: UnitOfWork, domain: Domain) -> Iterator[tuple[EntityId, dict[str, object]]]:
    """The current golden values of every entity of a domain."""
    for entity_id, text in work.query(
        """select entity_id, "values"::text from golden where domain = %s and known_to is null order by entity_id""",
        domain.value,
    ):
        yield entity_id, orjson.loads(text)


def judgements(work: UnitOfWork) -> tuple[frozenset[frozenset[RecordId]], frozenset[frozenset[RecordId]]]:
    """All live verdicts of stewards: same, and not the same."""
    rows = work.query("select a, b, verdict from judgement where superseded_at is null")
    same = frozenset(frozenset((RecordId(a), RecordId(b))) for a, b, verdict in rows if verdict == "same")
    return same, frozenset(frozenset((RecordId(a), RecordId(b))) for a, b, verdict in rows if verdict == "not_same")


def record_names(work: UnitOfWork, domain: Domain) -> dict[RecordId, CrosswalkKey]:
    """The crosswalk key of every record of a domain, live or not."""
    rows = work.query("select rec_id, system, type, key from source_record where domain = %s", domain.value)
    return {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}


def live_links(work: UnitOfWork, domain: Domain) -> dict[tuple[RecordId, RecordId], Link]:
    """All live links of a domain by their ends."""
    rows = work.query(
        "select a, b, decision, weight, veto from link where superseded_at is null and domain = %s", domain.value
    )
    return {(RecordId(row[0]), RecordId(row[1])): Link(RecordId(row[0]), RecordId(row[1]), *row[2:]) for row in rows}


def current_digests(work: UnitOfWork, domain: Domain) -> dict[EntityId, tuple[bytes, bytes]]:
    """The stored digest and support of every current golden record of a domain."""
    query = "select entity_id, digest, support from golden where domain = %s and known_to is null"
    return {EntityId(row[0]): (bytes(row[1]), bytes(row[2])) for row in work.query(query, domain.value)}
