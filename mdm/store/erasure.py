"""Erasing from the tables: rows and their history, golden versions, announcements, and every other place of a trace."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine, text

from mdm.errors import Conflict
from mdm.model.delta import Announcement
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.privacy.traces import ERASED, blot, mentions
from mdm.store import append_only
from mdm.store.blotting import blot_texts, escaped
from mdm.store.rebuild import BEFORE
from mdm.store.scratch import PREFIX
from mdm.store.unit_of_work import UnitOfWork

#: Where JSON or text about an entity is kept beside its golden record: table, key column, columns to blot.
_BY_ENTITY = (
    ("golden", "entity_id", ("values", "lineage", "name")),
    ("outbox", "aggregateid", ("payload",)),
    ("decision", "entities", ("command", "effect", "reason")),
    ("proposal", "entities", ("command", "effect", "demands", "reason", "comment")),
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
    """Forget every version of these rows, and which statements were echoes. Returns how many versions there were."""
    # A mark of an echo is a digest that gives a name away to whoever guesses it.
    work.execute("delete from echo where rec_id = any(%s)", sorted(ids))
    append_only.let_erasure(work)
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


def stated_by_others(
    work: UnitOfWork, traces: Collection[str], ids: Collection[RecordId], held: Collection[str]
) -> set[str]:
    """Those of these texts that rows of others state, but for rows the law keeps: they are not the subject's alone."""
    wanted = sorted(traces)
    rows = work.query(
        """select t.trace from unnest(%s::text[], %s::text[]) as t(trace, pattern)
           where exists (select from source_record r where r.rec_id <> all(%s) and r.kind <> all(%s)
                         and r.row::text ilike t.pattern)""",
        wanted, [f"%{escaped(trace)}%" for trace in wanted], sorted(ids), list(held),
    )  # fmt: skip
    return {row[0] for row in rows}


def list_requests(engine: Engine) -> list[tuple[int, str, str, str | None, int]]:
    """All requests, newest first: id, status, who asked, who decided, number of rows."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """select erasure_id, status, requested_by, decided_by, cardinality(records) from erasure
                   order by erasure_id desc"""
            )
        )
        return [(int(row[0]), row[1], row[2], row[3], int(row[4])) for row in rows]


def give_space_free(engine: Engine) -> None:
    """Give the space of erased versions free, so that they are not in the files for longer than need be."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("source_record", "record_history", "golden", "outbox", "dead_letter", "search_term"):
            connection.execute(text(f"vacuum {table}"))


def drop_copies(work: UnitOfWork) -> list[str]:
    """Drop what holds a copy of the hub's tables: those that a rebuild replaced, and scratch schemas that were kept.

    Raises:
        Conflict: somebody works in one of them.
    """
    found = work.query(
        "select nspname from pg_namespace where nspname = %s or nspname like %s order by 1", BEFORE, f"{PREFIX}%"
    )
    names = [row[0] for row in found if row[0] == BEFORE or row[0].startswith(PREFIX)]
    for name in names:
        if not work.query("select pg_try_advisory_xact_lock(hashtext(%s))", name)[0][0]:
            raise Conflict(f"Another process works in the schema {name}, a copy.", action="Wait until it has finished.")
        work.execute(f'drop schema "{name}" cascade')
    return names


def pinned_with(work: UnitOfWork, alone: Collection[str], but: Sequence[str]) -> dict[str, list[RecordId]]:
    """Members, by domain, of other entities on which stewards pinned, or overruled, something of the subject's."""
    if not alone:
        return {}
    # Letters that JSON writes as escapes are none that the database could compare.
    patterns = [f"%{escaped(trace)}%" for trace in sorted(alone)] + ["%\\\\u%"]
    suspects = work.query(
        """select anchors, value::text, overruled::text from golden_override
           where value::text ilike any(%s) or overruled::text ilike any(%s)""",
        patterns, patterns,
    )  # fmt: skip
    anchors = {
        anchor for held, *said in suspects if any(mentions(str(orjson.loads(each)), alone) for each in said)
        for anchor in held
    }  # fmt: skip
    found: dict[str, list[RecordId]] = {}
    for domain, member in work.query(
        """select e.domain, c.rec_id from crosswalk c join entity e using (entity_id)
           where c.entity_id in (select entity_id from crosswalk where rec_id = any(%s))
             and c.entity_id <> all(%s) order by c.rec_id""",
        sorted(anchors), list(but),
    ):  # fmt: skip
        found.setdefault(domain, []).append(RecordId(member))
    return found


def forget_pins(work: UnitOfWork, entities: Sequence[str], ids: Collection[RecordId], alone: Collection[str]) -> int:
    """Take the subject out of what stewards pinned on these entities. Returns overrides changed.

    What these rows said is no longer remembered as overruled. An override that holds only by these rows, or whose value
    is the subject's, ends. Run it before the survivors are computed anew.
    """
    rows = work.query(
        """select override_id, anchors, value::text, overruled::text, reason from golden_override
           where anchors && (select coalesce(array_agg(rec_id), '{}') from crosswalk where entity_id = any(%s))
              or anchors && %s::bigint[]""",
        list(entities), sorted(ids),
    )  # fmt: skip
    changed = 0
    for override_id, anchors, value, overruled, reason in rows:
        ends = set(anchors).issubset(ids) or mentions(str(orjson.loads(value)), alone)
        kept = [[rec, said] for rec, said in orjson.loads(overruled) if rec not in ids]
        changed += work.execute(
            """update golden_override set value = %s, overruled = %s, reason = %s,
                   ended_at = case when %s then coalesce(ended_at, %s) else ended_at end where override_id = %s""",
            orjson.dumps(ERASED).decode() if ends else value, orjson.dumps(blot(kept, alone)).decode(),
            ERASED if ends or mentions(reason, alone) else reason, ends, work.now, override_id,
        )  # fmt: skip
    return changed


def blank_words(work: UnitOfWork, entities: Sequence[str], ids: Collection[RecordId]) -> int:
    """Empty what stewards wrote about these rows, and about entities that have no member left, whatever
    it says: it is about the subject. Returns rows emptied.
    """
    empty = _without_members(work, entities)
    changed = 0
    for table in ("checkpoint", "waiver"):
        changed += work.execute(
            f"""update {table} set reason = %s, answer = case when answer is null then null else %s end
                where entity_id = any(%s)""",
            ERASED, ERASED, empty,
        )  # fmt: skip
    changed += work.execute(
        "update judgement set reason = %s where reason <> '' and (a = any(%s) or b = any(%s))",
        ERASED, sorted(ids), sorted(ids),
    )  # fmt: skip
    changed += work.execute(
        """delete from comment where subject = any(%s) or subject in (
               select 'proposal:' || proposal_id from proposal where cardinality(entities) > 0 and entities <@ %s
               union all select 'task:' || question from steward_task where a = any(%s) or b = any(%s))""",
        [f"entity:{each}" for each in empty], empty, sorted(ids), sorted(ids),
    )  # fmt: skip
    for table in ("decision", "proposal"):
        changed += work.execute(
            f"""update {table} set reason = case when reason = '' then '' else %s end,
                   command = command || jsonb_strip_nulls(jsonb_build_object(
                       'reason', case when command ? 'reason' then %s::text end,
                       'value', case when command ? 'value' then %s::text end))
                where cardinality(entities) > 0 and entities <@ %s""",
            ERASED, ERASED, ERASED, empty,
        )  # fmt: skip
    return changed


def _without_members(work: UnitOfWork, entities: Sequence[str]) -> list[str]:
    rows = work.query(
        """select e.entity_id from entity e where e.entity_id = any(%s)
           and not exists (select 1 from crosswalk c where c.entity_id = e.entity_id)""",
        list(entities),
    )
    return [row[0] for row in rows]


def mark_erased(work: UnitOfWork, entities: Sequence[str]) -> list[Announcement]:
    """Ids of entities that have no member left are erased from now on, so that whoever asks for them drops its copy.

    Returns:
        What is still to be announced: of those that ended long ago, nothing was in this unit of work.
    """
    rows = work.query(
        """update entity e set status = 'erased', changed_at = %s from entity before
           where before.entity_id = e.entity_id and e.entity_id = any(%s) and e.status = 'retired'
           returning e.domain, e.entity_id, before.changed_at < %s""",
        work.now, _without_members(work, entities), work.now,
    )  # fmt: skip
    return [
        Announcement(
            Domain(domain), EntityId(entity_id), f"{domain}.retired",
            {"entity_id": entity_id, "domain": domain, "status": "retired", "erased": True},
        )
        for domain, entity_id, long_ago in rows if long_ago
    ]  # fmt: skip


def blank_entities(work: UnitOfWork, entities: Sequence[str]) -> int:
    """Empty every golden version and announcement of entities that have no member left. Returns versions emptied."""
    ids = _without_members(work, entities)
    work.execute(
        """update outbox set payload = payload || '{"erased": true}' ||
               case when payload ? 'values' then '{"values": {}, "members": []}' else '{}' end::jsonb
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
            changed[table] = changed.get(table, 0) + blot_texts(work, table, columns, foreign, where, ids)
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


def tables_with(work: UnitOfWork, traces: Collection[str]) -> dict[str, int]:
    """Rows per table in which a trace still stands, in text, JSON or bytes. Looks through every table of the hub."""
    names = [
        row[0]
        for row in work.query(
            """select table_name from information_schema.tables
               where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1"""
        )
    ]
    texts = [f"%{escaped(trace)}%" for trace in sorted(traces)]
    coded = [f"%{trace.encode().hex()}%" for trace in sorted(traces)]
    patterns = texts + coded
    found = {
        name: int(work.query(f'select count(*) from "{name}" t where t::text ilike any(%s)', patterns)[0][0])
        for name in names
    }
    return {name: count for name, count in found.items() if count}


def records_with(work: UnitOfWork, traces: Collection[str]) -> list[tuple[str, str, str, int]]:
    """Platform, table and kind of the source rows in which a trace still stands, with how many."""
    patterns = [f"%{escaped(trace)}%" for trace in sorted(traces)]
    return [
        (row[0], row[1], row[2], int(row[3]))
        for row in work.query(
            """select system, type, kind, count(*) from source_record where row::text ilike any(%s)
               group by 1, 2, 3 order by 1, 2""",
            patterns,
        )
    ]


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
