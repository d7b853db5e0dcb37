"""Reading the whole hub as values: for verification, digests and batch work."""

from collections.abc import Iterator

import orjson

from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork


def live_records(work: UnitOfWork, domain: Domain) -> list[RecordId]:
    """All live records of a domain."""
    rows = work.query(
        "select rec_id from source_record where domain = %s and not deleted order by rec_id", domain.value
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


def current_values(work: UnitOfWork, domain: Domain) -> Iterator[tuple[EntityId, dict[str, object]]]:
    """The current golden values of every entity of a domain."""
    for entity_id, text in work.query(
        """select entity_id, "values"::text from golden where domain = %s and known_to is null order by entity_id""",
        domain.value,
    ):
        yield entity_id, orjson.loads(text)
