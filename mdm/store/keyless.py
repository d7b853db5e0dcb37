"""Live records that no key finds a partner, kept record by record: what questions say of whole tables."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import TypeAlias

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.store.unit_of_work import UnitOfWork

#: A platform and one of its tables.
Table: TypeAlias = tuple[str, str]


def any_without(work: UnitOfWork) -> bool:
    """Whether there is such a record at all; mostly there is none."""
    return bool(work.query("select from record_without_key limit 1"))


def replace_without(
    work: UnitOfWork, domain: Domain, without: Mapping[RecordId, CrosswalkKey], others: Collection[RecordId]
) -> dict[Table, int]:
    """Note these records, and no longer the others. Answers by how many each table has more that changed."""
    changed: Counter[Table] = Counter()
    if others:
        for table in work.query(
            "delete from record_without_key where rec_id = any(%s) returning system, type", sorted(others)
        ):
            changed[table[0], table[1]] -= 1
    if without:
        ids = sorted(without)
        for table in work.query(
            """insert into record_without_key (rec_id, domain, system, type, key)
               select r.id, %s, r.system, r.type, r.key
               from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) as r(id, system, type, key)
               on conflict (rec_id) do nothing returning system, type""",
            domain.value,
            ids,
            *([without[rec][part] for rec in ids] for part in range(3)),
        ):
            changed[table[0], table[1]] += 1
    return dict(changed)


def sizes(work: UnitOfWork) -> dict[Domain, dict[Table, int]]:
    """How many there are of each table."""
    found: defaultdict[Domain, dict[Table, int]] = defaultdict(dict)
    for domain, system, type, number in work.query(
        "select domain, system, type, count(*) from record_without_key group by domain, system, type"
    ):
        found[Domain(domain)][system, type] = number
    return found


def samples(work: UnitOfWork, domain: Domain, tables: Collection[Table], most: int) -> dict[Table, list[CrosswalkKey]]:
    """The first of each table by name."""
    found: dict[Table, list[CrosswalkKey]] = {table: [] for table in tables}
    for system, type, key in work.query(
        """select t.system, t.type, r.key from unnest(%s::text[], %s::text[]) as t(system, type)
           cross join lateral (
               select key from record_without_key
               where domain = %s and system = t.system and type = t.type order by key limit %s) r""",
        [table[0] for table in tables],
        [table[1] for table in tables],
        domain.value,
        most,
    ):
        found[system, type].append(CrosswalkKey(system, type, key))
    return found


def records(work: UnitOfWork, domain: Domain) -> set[RecordId]:
    """All of a domain."""
    return {
        RecordId(row[0]) for row in work.query("select rec_id from record_without_key where domain = %s", domain.value)
    }


def names(work: UnitOfWork, domain: Domain) -> set[CrosswalkKey]:
    """The names of all of a domain."""
    rows = work.query("select system, type, key from record_without_key where domain = %s", domain.value)
    return {CrosswalkKey(*row) for row in rows}


def records_of(connection: Connection, exception_id: int, limit: int, after: str = "") -> list[CrosswalkKey] | None:
    """The records that an exception is about, by name, behind the key `after`: none of one of another kind.

    None when there is no such exception.
    """
    question = connection.scalar(text("select question from exception where exception_id = :id"), {"id": exception_id})
    if question is None:
        return None
    parts = question.split(":", 4)
    if len(parts) < 5 or (parts[0], parts[2]) != ("oversize", "records"):
        return []
    rows = connection.execute(
        text(
            """select system, type, key from record_without_key
               where domain = :domain and system = :system and type = :type and key > :after
               order by key limit :limit"""
        ),
        {"domain": parts[1], "system": parts[3], "type": parts[4], "after": after, "limit": limit},
    )
    return [CrosswalkKey(*row) for row in rows]
