"""Which rows ever stated which numbers, which identifiers are recycled, and what is demoted for it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from xxhash import xxh3_64_hexdigest

from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import TableName
from mdm.store.pairs import columns_of
from mdm.store.unit_of_work import UnitOfWork

KIND = "recycled"
CODE = "IDENTIFIER_RECYCLED"
HUB = "hub"


class Name(NamedTuple):
    """An identifier of a source table: `type:country:number`, or `system:table:key` of a row."""

    system: str
    type: str
    identifier: str

    @property
    def question(self) -> str:
        """Names the exception about it, without the number, which not everybody may see."""
        return f"{KIND}:{self.system}:{self.type}:{xxh3_64_hexdigest(self.identifier.encode())}"

    @property
    def of_key(self) -> bool:
        """Whether it is the key of a row."""
        return self.identifier.startswith(f"{self.system}:{self.type}:")


def write_uses(work: UnitOfWork, uses: Mapping[RecordId, Collection[str]]) -> None:
    """Note what these rows state, or stated; what is noted already stays."""
    work.execute_with(
        "stage_use",
        "identifier text, rec_id bigint",
        sorted((identifier, rec) for rec, identifiers in uses.items() for identifier in identifiers),
        """insert into identifier_use (identifier, rec_id) select identifier, rec_id from stage_use
           on conflict do nothing""",
    )


def numbers_of(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, set[str]]:
    """What each of these rows states or ever stated."""
    found: dict[RecordId, set[str]] = {}
    for rec, identifier in work.probe(
        """select i.id, u.identifier from unnest(%s::bigint[]) as i(id)
           cross join lateral (select identifier from identifier_use where rec_id = i.id offset 0) u""",
        list(ids),
    ):
        found.setdefault(RecordId(rec), set()).add(identifier)
    return found


def rows_of(
    work: UnitOfWork, identifiers: Collection[str], tables: Collection[TableName], most: int
) -> dict[Name, list[CrosswalkKey]]:
    """The rows of each of these tables that state or ever stated one of these; one more than `most` at most."""
    found: dict[Name, list[CrosswalkKey]] = {}
    for identifier, *key in work.probe(
        """select i.identifier, r.system, r.type, r.key from unnest(%s::text[]) as i(identifier)
           cross join unnest(%s::text[], %s::text[]) as t(system, type)
           cross join lateral (
               select s.system, s.type, s.key
               from (select rec_id from identifier_use where identifier = i.identifier offset 0) u
               cross join lateral (
                   select system, type, key from source_record where rec_id = u.rec_id offset 0) s
               where s.system = t.system and s.type = t.type limit %s) r""",
        list(identifiers),
        [system for system, _ in tables],
        [type for _, type in tables],
        most + 1,
    ):
        row = CrosswalkKey(*key)
        found.setdefault(Name(row.system, row.type, identifier), []).append(row)
    return {name: sorted(rows) for name, rows in found.items()}


def with_a_past(work: UnitOfWork, keys: Collection[CrosswalkKey]) -> set[CrosswalkKey]:
    """Those of these rows that have more than one version: only they ever said anything that they say no more."""
    rows = work.probe(
        """select n.system, n.type, n.key from unnest(%s::text[], %s::text[], %s::text[]) as n(system, type, key)
           cross join lateral (
               select rec_id from source_record where system = n.system and type = n.type and key = n.key offset 0) r
           where exists (select from record_history where rec_id = r.rec_id offset 1)""",
        *columns_of(keys),
    )
    return {CrosswalkKey(*row) for row in rows}


def stored(work: UnitOfWork, names: Collection[Name]) -> dict[Name, bytes]:
    """Those of these identifiers that are recycled as far as was noted, with their holders."""
    ordered = sorted(names)
    rows = work.probe(
        """select r.system, r.type, r.identifier, r.holders::text
           from unnest(%s::text[], %s::text[], %s::text[]) as n(system, type, identifier)
           cross join lateral (
               select * from recycled_identifier
               where system = n.system and type = n.type and identifier = n.identifier offset 0) r""",
        [each.system for each in ordered],
        [each.type for each in ordered],
        [each.identifier for each in ordered],
    )
    return {Name(*row[:3]): orjson.dumps(orjson.loads(row[3])) for row in rows}


def all_stored(work: UnitOfWork) -> dict[Name, bytes]:
    """Every identifier that is noted as recycled, with its holders."""
    rows = work.query("select system, type, identifier, holders::text from recycled_identifier")
    return {Name(*row[:3]): orjson.dumps(orjson.loads(row[3])) for row in rows}


def all_uses(work: UnitOfWork) -> set[tuple[str, RecordId]]:
    """Everything that is noted of what rows state."""
    return {(row[0], RecordId(row[1])) for row in work.query("select identifier, rec_id from identifier_use")}


def write(work: UnitOfWork, found: Mapping[Name, tuple[bytes, datetime]], gone: Collection[Name]) -> None:
    """Note what is recycled now, and what is no longer."""
    for name in sorted(gone):
        work.execute("delete from recycled_identifier where system = %s and type = %s and identifier = %s", *name)
    for name, (holders, since) in sorted(found.items()):
        work.execute(
            """insert into recycled_identifier (system, type, identifier, question, holders, since, batch_id)
               values (%s, %s, %s, %s, %s::jsonb, %s, %s)
               on conflict (system, type, identifier) do update set holders = excluded.holders,
                   since = excluded.since, batch_id = excluded.batch_id""",
            *name, name.question, holders.decode(), since, work.batch_id,
        )  # fmt: skip


def concerned(work: UnitOfWork, names: Iterable[Name]) -> set[RecordId]:
    """Live rows that state one of these numbers, or have one of these keys."""
    ordered = sorted(set(names))
    rows = work.probe(
        """select r.rec_id from unnest(%s::text[], %s::text[], %s::text[]) as n(system, type, identifier)
           cross join lateral (
               select u.rec_id from (select rec_id from identifier_use where identifier = n.identifier offset 0) u
               cross join lateral (
                   select system, type, deleted from source_record where rec_id = u.rec_id offset 0) s
               where s.system = n.system and s.type = n.type and not s.deleted
               union all
               select rec_id from source_record s
               where s.system = n.system and s.type = n.type and not s.deleted
                 and n.identifier = s.system || ':' || s.type || ':' || s.key
                 and s.key = substr(n.identifier, length(n.system) + length(n.type) + 3) offset 0) r""",
        [each.system for each in ordered],
        [each.type for each in ordered],
        [each.identifier for each in ordered],
    )
    return {RecordId(row[0]) for row in rows}


_DEMOTED = """
    select i.id, u.identifier from unnest(%s::bigint[]) as i(id)
    cross join lateral (select system, type, key from source_record where rec_id = i.id offset 0) r
    cross join lateral (
        select identifier from identifier_use where rec_id = i.id
        union all
        select r.system || ':' || r.type || ':' || r.key offset 0) u
    where exists (select from recycled_identifier d
                  where d.system = r.system and d.type = r.type and d.identifier = u.identifier)
      and not exists (select from identifier_kept k
                      where k.system = r.system and k.type = r.type and k.identifier = u.identifier)"""


def demoted_of(work: UnitOfWork, ids: Collection[RecordId]) -> dict[RecordId, list[str]]:
    """What does not count for each of these records because its source gave it to another company later."""
    found: dict[RecordId, set[str]] = {}
    if ids and work.query("select 1 from recycled_identifier limit 1"):
        for rec, identifier in work.probe(_DEMOTED, list(ids)):
            found.setdefault(RecordId(rec), set()).add(identifier)
    return {rec: sorted(identifiers) for rec, identifiers in found.items()}


def kept(work: UnitOfWork) -> set[Name]:
    """Identifiers of which a person says that they belong to one company after all."""
    return {Name(*row) for row in work.query("select system, type, identifier from identifier_kept")}


def keep(work: UnitOfWork, name: Name, author: str, reason: str) -> bool:
    """Let an identifier count again; False where it does already."""
    written = work.query(
        """insert into identifier_kept (system, type, identifier, author, reason, created_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        *name, author, reason, work.now,
    )  # fmt: skip
    return bool(written)


def unkeep(work: UnitOfWork, name: Name) -> bool:
    """Take that back; False where nobody had said so."""
    return bool(
        work.query("delete from identifier_kept where system = %s and type = %s and identifier = %s returning 1", *name)
    )


def raise_exceptions(work: UnitOfWork, told: Sequence[tuple[Name, str, str]], cleared: Collection[str]) -> None:
    """Raise an exception for each of these (identifier, detail, owner), and close the questions that are answered."""
    for name, detail, owner in sorted(told):
        work.execute(
            f"""insert into exception as e (question, kind, code, system, type, detail, owner, place, first_seen,
                   last_seen)
               values (%s, '{KIND}', '{CODE}', %s, %s, %s, %s, '', %s, %s)
               on conflict (question) do update set seen = e.seen + 1, last_seen = excluded.last_seen,
                   detail = excluded.detail, owner = excluded.owner,
                   status = case when e.status = 'accepted' then e.status else 'open' end,
                   closed_at = case when e.status = 'accepted' then e.closed_at end,
                   closed_by = case when e.status = 'accepted' then e.closed_by end,
                   closed_reason = case when e.status = 'accepted' then e.closed_reason end""",
            name.question, name.system, name.type, detail, owner, work.now, work.now,
        )  # fmt: skip
    if cleared:
        close(work, cleared, "resolved", HUB, "It is no longer so.")


def close(work: UnitOfWork, questions: Collection[str], status: str, actor: str, reason: str) -> None:
    """Close open exceptions about these identifiers."""
    work.execute(
        """update exception set status = %s, closed_at = %s, closed_by = %s, closed_reason = %s
           where question = any(%s) and status = 'open'""",
        status, work.now, actor, reason, list(questions),
    )  # fmt: skip


def forget(work: UnitOfWork, ids: Collection[RecordId]) -> set[str]:
    """Take out what rows that are erased stated; returns it."""
    stated = {each for identifiers in numbers_of(work, ids).values() for each in identifiers}
    work.execute("delete from identifier_use where rec_id = any(%s)", sorted(ids))
    return stated


def forget_words(
    work: UnitOfWork, numbers: Collection[str], keys: Collection[CrosswalkKey], tables: Collection[TableName]
) -> None:
    """Take out what is told about the keys of rows that are erased, and about numbers that nobody else ever stated."""
    rows = work.probe(
        """select n.number from unnest(%s::text[]) as n(number)
           where not exists (select from identifier_use where identifier = n.number)""",
        sorted(numbers),
    )
    gone = [*(row[0] for row in rows), *map(str, keys)]
    work.execute("delete from recycled_identifier where identifier = any(%s)", gone)
    work.execute("delete from identifier_kept where identifier = any(%s)", gone)
    questions = [Name(*table, identifier).question for table in tables for identifier in gone]
    work.execute("delete from exception where question = any(%s)", questions)


def open_questions(work: UnitOfWork) -> set[str]:
    """The questions about recycled identifiers that are open."""
    return {row[0] for row in work.query(f"select question from exception where kind = '{KIND}' and status = 'open'")}
