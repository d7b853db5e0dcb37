"""Erasing from the tables: rows and their history, golden versions, announcements, and every other place of a trace."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mdm.model.ids import CrosswalkKey, RecordId
from mdm.privacy.traces import blot, mentions
from mdm.store.unit_of_work import UnitOfWork

#: Where JSON or text about an entity is kept beside its golden record: table, key column, columns to blot.
_BY_ENTITY = (
    ("golden", "entity_id", ("values", "lineage", "name")),
    ("outbox", "aggregateid", ("payload",)),
    ("decision", "entities", ("command", "effect", "reason")),
    ("proposal", "entities", ("command", "effect", "demands", "reason", "comment")),
)
#: Tables whose rows are small enough to be looked through whole, with the columns to blot.
_ANYWHERE = (
    ("exception", ("detail", "question")),
    ("comment", ("text",)),
    ("golden_override", ("value", "overruled", "reason")),
    ("customer_relation", ("reason",)),
    ("command_key", ("answer",)),
    ("idempotency_key", ("body",)),
)


@dataclass(frozen=True, slots=True)
class RowOf:
    """A source row in its last version and all texts that its history ever held."""

    rec_id: RecordId
    key: CrosswalkKey
    kind: str
    domain: str | None
    deleted: bool
    versions: tuple[Mapping[str, Any], ...]


def rows_of(work: UnitOfWork, ids: Collection[RecordId]) -> list[RowOf]:
    """These rows with every version that is kept of them."""
    rows = work.query(
        """select r.rec_id, r.system, r.type, r.key, r.kind, r.domain, r.deleted, r.row::text,
                  coalesce((select json_agg(h.row) from record_history h where h.rec_id = r.rec_id), '[]')::text,
                  r.attributes::text
           from source_record r where r.rec_id = any(%s) order by r.system, r.type, r.key""",
        sorted(ids),
    )
    return [
        RowOf(
            RecordId(row[0]), CrosswalkKey(*row[1:4]), row[4], row[5], row[6],
            tuple(each for each in (_loaded(row[7]), *orjson.loads(row[8]), _loaded(row[9])) if isinstance(each, dict)),
        )
        for row in rows
    ]  # fmt: skip


def members_ever(work: UnitOfWork, entity_id: str) -> set[RecordId]:
    """Rows that belong to an entity or ever did, also under ids that it absorbed."""
    rows = work.query(
        """with ids as (select entity_id from entity where entity_id = %s or merged_into = %s)
           select rec_id from crosswalk where entity_id in (select entity_id from ids)
           union select rec_id from crosswalk_history h where entity_id in (select entity_id from ids)
             and not exists (select 1 from crosswalk c where c.rec_id = h.rec_id)""",
        entity_id,
        entity_id,
    )
    return {RecordId(row[0]) for row in rows}


def entities_ever(work: UnitOfWork, ids: Collection[RecordId]) -> list[str]:
    """Entities that these rows belong to or ever did."""
    rows = work.query(
        """select entity_id from crosswalk where rec_id = any(%s)
           union select entity_id from crosswalk_history where rec_id = any(%s) order by 1""",
        sorted(ids),
        sorted(ids),
    )
    return [row[0] for row in rows]


def referring(work: UnitOfWork, ids: Collection[RecordId], kinds: Collection[str]) -> set[RecordId]:
    """Rows of these kinds that refer to one of these rows."""
    rows = work.query(
        """select distinct o.rec_id from source_record r
           join record_reference f on f.system = r.system and f.type = r.type and f.key = r.key
           join source_record o on o.rec_id = f.rec_id and o.kind = any(%s) where r.rec_id = any(%s)""",
        list(kinds),
        sorted(ids),
    )
    return {RecordId(row[0]) for row in rows}


def purge_history(work: UnitOfWork, ids: Collection[RecordId]) -> int:
    """Forget every version of these rows. Returns how many there were."""
    return work.execute("delete from record_history where rec_id = any(%s)", sorted(ids))


def write_last_version(work: UnitOfWork, ids: Collection[RecordId]) -> None:
    """History of these rows is their last version as it stands now, and nothing else."""
    work.execute(
        """insert into record_history (rec_id, pos_major, pos_minor, pos_order, pos_rank, operation, row, topic,
               partition, "offset", lsn, transaction, event_time, batch_id)
           select rec_id, pos_major, pos_minor, pos_order, pos_rank, operation, row, topic, partition, "offset", lsn,
               transaction, event_time, batch_id from source_record where rec_id = any(%s)""",
        sorted(ids),
    )


def clear_deleted(work: UnitOfWork, ids: Collection[RecordId]) -> None:
    """A deleted row keeps its last values for a primary-key change; that of an erased one keeps none."""
    work.execute(
        """update source_record set row = null, attributes = null, comparison = null, refs = null, rejected = null,
               previous_key = null, unresolved = null where rec_id = any(%s) and deleted""",
        sorted(ids),
    )


def blank_entities(work: UnitOfWork, entities: Sequence[str]) -> int:
    """Empty every golden version and announcement of entities that have no member left. Returns versions emptied."""
    empty = work.query(
        """select e.entity_id from entity e where e.entity_id = any(%s)
           and not exists (select 1 from crosswalk c where c.entity_id = e.entity_id)""",
        list(entities),
    )
    ids = [row[0] for row in empty]
    work.execute(
        """update outbox set payload = (payload - 'values' - 'members') || '{"erased": true}'
           where aggregateid = any(%s)""",
        ids,
    )
    work.execute("delete from search_term where entity_id = any(%s)", ids)
    return work.execute(
        "update golden set values = '{}', lineage = '{}', name = '[erased]' where entity_id = any(%s)", ids
    )


def blot_entities(work: UnitOfWork, entities: Sequence[str], traces: Collection[str]) -> dict[str, int]:
    """Blot traces out of everything that is kept about these entities; rows changed per table.

    What rows that remain in an entity state themselves is theirs, and stays in its history too. Entities to which the
    same traces are foreign are gone through together: one query and one statement a table.
    """
    alike: dict[frozenset[str], list[str]] = {}
    stated = _stated(work, entities)
    for entity_id in entities:
        own = stated.get(entity_id, "")
        alike.setdefault(frozenset(each for each in traces if not mentions(own, (each,))), []).append(entity_id)
    changed: dict[str, int] = {}
    for foreign, ids in alike.items():
        for table, key, columns in _BY_ENTITY:
            where = f"{key} && %s::text[]" if key == "entities" else f"{key} = any(%s)"
            changed[table] = changed.get(table, 0) + _blot(work, table, columns, foreign, where, ids)
    return changed


def _stated(work: UnitOfWork, entities: Sequence[str]) -> dict[str, str]:
    """All that the live rows of each entity say, as one text."""
    rows = work.query(
        """select c.entity_id,
                  string_agg(coalesce(r.row::text, '') || coalesce(r.attributes::text, ''), E'\\n' order by r.rec_id)
           from crosswalk c join source_record r using (rec_id) where c.entity_id = any(%s) group by c.entity_id""",
        list(entities),
    )
    return {row[0]: row[1] for row in rows}


def blot_anywhere(work: UnitOfWork, traces: Collection[str]) -> dict[str, int]:
    """Blot traces out of tables that are not kept by entity; rows changed per table."""
    changed = {table: _blot(work, table, columns, traces, "true") for table, columns in _ANYWHERE}
    changed["attestation"] = _forget_attestations(work, traces)
    changed["dead_letter"] = _forget_dead_letters(work, traces)
    changed["search_term"] = 0  # written anew with the golden records
    return changed


def _blot(
    work: UnitOfWork, table: str, columns: Sequence[str], traces: Collection[str], where: str, *parameters: object
) -> int:
    """Rows of a table in which a trace was blotted out. The database finds them, and takes all of them at once.

    A JSON text may write letters as escapes: rows with an escape are looked at, too.
    """
    if not traces:
        return 0
    texts = [f'"{column}"::text' for column in columns]
    suspect = " or ".join(f"{each} ilike any(%s)" for each in texts)
    patterns = [f"%{_escaped(trace)}%" for trace in sorted(traces)] + ["%\\\\u%"]
    rows = work.query(
        f"select ctid::text, {', '.join(texts)} from {table} where ({where}) and ({suspect})",
        *parameters,
        *([patterns] * len(columns)),
    )
    types = dict(
        work.query(
            """select column_name, data_type from information_schema.columns
               where table_schema = current_schema() and table_name = %s""",
            table,
        )
    )
    changed = []
    for ctid, *found in rows:
        after = [_blotted(text, types[column], traces) for text, column in zip(found, columns, strict=True)]
        if after != found:
            changed.append((ctid, *after))
    if not changed:
        return 0
    names = [f"c{number}" for number in range(len(columns))]
    settings = ", ".join(f'"{column}" = s.{name}::{types[column]}' for column, name in zip(columns, names, strict=True))
    arrays = ", ".join(["%s::text[]"] * (len(columns) + 1))
    return work.execute(
        f"""update {table} t set {settings} from unnest({arrays}) as s(place, {", ".join(names)})
            where t.ctid = s.place::tid""",
        *(list(column) for column in zip(*changed, strict=True)),
    )


def _blotted(text: str | None, type_: str, traces: Collection[str]) -> str | None:
    # JSON may write a letter as an escape; only then is a text without a visible trace worth reading.
    if text is None or (not mentions(text, traces) and "\\u" not in text):
        return text
    if type_ in ("json", "jsonb"):
        return orjson.dumps(blot(orjson.loads(text), traces)).decode()
    return str(blot(text, traces))


def _forget_attestations(work: UnitOfWork, traces: Collection[str]) -> int:
    patterns = [f"%{_escaped(trace)}%" for trace in sorted(traces)] + ["%\\\\u%"]
    rows = work.query(
        "select provider, key, facts::text from attestation where key ilike any(%s) or facts::text ilike any(%s)",
        patterns,
        patterns,
    )
    gone = [
        (provider, key)
        for provider, key, facts in rows
        if any(mentions(text, traces) for text in (key, *_decoded((facts,))))
    ]
    if not gone:
        return 0
    return work.execute(
        """delete from attestation a using unnest(%s::text[], %s::text[]) as s(provider, key)
           where a.provider = s.provider and a.key = s.key""",
        *(list(column) for column in zip(*gone, strict=True)),
    )


#: Dead letters that are looked at in memory at once: each may be a megabyte.
_LETTERS_AT_ONCE = 500


def _forget_dead_letters(work: UnitOfWork, traces: Collection[str]) -> int:
    """Empty the dead letters in which a trace stands, also written as escapes. The database picks who is looked at."""
    patterns = [f"%{_escaped(each)}%" for trace in sorted(traces) for each in _in_bytes(trace)] + ["%\\\\u%"]
    suspects = work.query(
        """select dead_letter_id from dead_letter
           where encode(coalesce(key, ''), 'escape') ilike any(%s)
              or encode(coalesce(value, ''), 'escape') ilike any(%s)
              or headers::text <> '[]' or reason ilike any(%s) order by 1""",
        patterns, patterns, patterns,
    )  # fmt: skip
    gone: list[int] = []
    for start in range(0, len(suspects), _LETTERS_AT_ONCE):
        some = [row[0] for row in suspects[start : start + _LETTERS_AT_ONCE]]
        rows = work.query(
            "select dead_letter_id, key, value, headers::text, reason from dead_letter where dead_letter_id = any(%s)",
            some,
        )
        gone += [row[0] for row in rows if any(mentions(text, traces) for text in _decoded(row[1:]))]
    if gone:
        work.execute("delete from dead_letter_fix where dead_letter_id = any(%s)", gone)
        work.execute(
            """update dead_letter set key = null, value = null, headers = '[]', status = 'discarded',
                   reason = 'The subject of the message was erased.' where dead_letter_id = any(%s)""",
            gone,
        )
    return len(gone)


def _in_bytes(trace: str) -> set[str]:
    """How PostgreSQL's escape format may write a trace: bytes beyond ASCII as octal, which no comparison folds."""
    return {
        "".join(
            chr(byte) if 32 <= byte < 127 and byte != 92 else "\\\\" if byte == 92 else f"\\{byte:03o}"
            for byte in form.encode()
        )
        for form in (trace, trace.lower(), trace.upper(), trace.title(), trace.casefold())
    }


def _decoded(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, bytes | memoryview):
            text = bytes(value).decode("utf-8", "replace")
            yield text
            if "\\u" in text:
                yield text.encode("utf-8", "replace").decode("unicode_escape", "replace")
        elif value is not None:
            yield str(value)


def tables_with(work: UnitOfWork, traces: Collection[str]) -> dict[str, int]:
    """Rows per table in which a trace still stands, in text, JSON or bytes. Looks through every table of the hub."""
    names = [
        row[0]
        for row in work.query(
            """select table_name from information_schema.tables
               where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1"""
        )
    ]
    texts = [f"%{_escaped(trace)}%" for trace in sorted(traces)]
    coded = [f"%{trace.encode().hex()}%" for trace in sorted(traces)]
    patterns = texts + coded
    found = {
        name: int(work.query(f'select count(*) from "{name}" t where t::text ilike any(%s)', patterns)[0][0])
        for name in names
    }
    return {name: count for name, count in found.items() if count}


def records_with(work: UnitOfWork, traces: Collection[str]) -> list[tuple[str, str, str, int]]:
    """Platform, table and kind of the source rows in which a trace still stands, with how many."""
    patterns = [f"%{_escaped(trace)}%" for trace in sorted(traces)]
    return [
        (row[0], row[1], row[2], int(row[3]))
        for row in work.query(
            """select system, type, kind, count(*) from source_record where row::text ilike any(%s)
               group by 1, 2, 3 order by 1, 2""",
            patterns,
        )
    ]


def _escaped(trace: str) -> str:
    return trace.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
