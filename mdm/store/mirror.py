"""The mirror of the source tables: reading what a batch needs to know, writing what it changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from mdm.model.events import ChangeEvent, DeadLetter, Operation, Place, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import (
    Head,
    KnownMirror,
    MirrorDelta,
    Shape,
    TableName,
    Version,
    former_key,
    needs_donor,
    with_donors,
)
from mdm.model.records import SourceRecord
from mdm.store.claims import hold, name_claim
from mdm.store.pairs import Touched, columns_of
from mdm.store.unit_of_work import UnitOfWork

_HEAD = """
    r.rec_id, r.system, r.type, r.key, r.pos_major, r.pos_minor, r.pos_order, r.pos_rank, r.row::text, r.deleted,
    r.topic, r.partition, r."offset", r.event_time, r.lsn, r.transaction, r.previous_key, r.unresolved, r.operation"""

# Every key is looked up by itself: a plan that does not know how few keys there are walks through all records instead.
#: Rows that were re-keyed from one of these; and these themselves with them.
_REKEYED = """
    from unnest(%s::text[], %s::text[], %s::text[]) as s(system, type, key) cross join lateral (
        select * from source_record
        where system = s.system and type = s.type and previous_key = s.key offset 0) r"""

_BY_KEY = """
    from unnest(%s::text[], %s::text[], %s::text[]) as s(system, type, key) cross join lateral (
        select * from source_record where system = s.system and type = s.type and key = s.key offset 0) r"""

_BY_KEY_OR_REKEYED = """
    from unnest(%s::text[], %s::text[], %s::text[]) as s(system, type, key) cross join lateral (
        select * from source_record where system = s.system and type = s.type and key = s.key
        union all
        select * from source_record where system = s.system and type = s.type and previous_key = s.key offset 0) r"""

#: The records of these keys, for `read_versions`.
OF_KEYS = """
    unnest(%s::text[], %s::text[], %s::text[]) as s(system, type, key) cross join lateral (
        select rec_id, system, type, key from source_record
        where system = s.system and type = s.type and key = s.key offset 0) r"""

_VERSION_COLUMNS = (
    "rec_id", "pos_major", "pos_minor", "pos_order", "pos_rank", "operation", "row", "unavailable", "topic",
    "partition", "offset", "lsn", "transaction", "event_time", "previous_key", "next_key", "batch_id",
)  # fmt: skip

_RECORD_COLUMNS = (
    "rec_id", "system", "type", "key", "kind", "domain", "deleted", "operation", "row", "attributes", "comparison",
    "refs", "rejected", "pos_major", "pos_minor", "pos_order", "pos_rank", "topic", "partition", "offset", "lsn",
    "transaction", "event_time", "previous_key", "unresolved", "batch_id",
)  # fmt: skip


def seen_places(work: UnitOfWork, places: Iterable[Place]) -> set[Place]:
    """Those of the places that the ledger already holds."""
    ordered = sorted(places)
    rows = work.probe(
        """select l.topic, l.partition, l."offset" from unnest(%s::text[], %s::int[], %s::bigint[]) as s(t, p, o)
           cross join lateral (
               select topic, partition, "offset" from event_ledger
               where topic = s.t and partition = s.p and "offset" = s.o offset 0) l""",
        [place.topic for place in ordered],
        [place.partition for place in ordered],
        [place.offset for place in ordered],
    )
    return {Place(*row) for row in rows}


def claim_rows(work: UnitOfWork, events: Iterable[ChangeEvent], refused: Iterable[DeadLetter] = ()) -> None:
    """Claim the rows that these events and refused messages are about, waiting for others. Nothing may have been read
    about them before."""
    names = {key for event in events for key in (event.key, event.previous_key, event.next_key) if key is not None}
    names |= {key for letter in refused if (key := letter.row) is not None}
    hold(work, map(name_claim, names), wait=True)


def load_mirror(work: UnitOfWork, events: Sequence[ChangeEvent]) -> KnownMirror:
    """Heads, histories and watermarks that folding these events needs; new keys get their record id here.

    Rows that turn out to depend on these are claimed too.
    """
    while True:
        known = _load_mirror(work, events)
        if hold(work, map(name_claim, known.rec_ids.keys() | known.histories.keys())):
            return known


def _load_mirror(work: UnitOfWork, events: Sequence[ChangeEvent]) -> KnownMirror:
    keys = {event.key for event in events if event.key is not None}
    donors = {event.previous_key for event in events if event.previous_key is not None and needs_donor(event)}
    names = columns_of(keys | donors)
    found = list(_heads(work, _BY_KEY_OR_REKEYED, *names))
    heads = {head.key: head for head in found if head.key in keys or head.key in donors}
    rekeyed = {
        head.key: head for head in found
        if (former := former_key(head.key, head.previous_key)) in keys or former in donors
    }  # fmt: skip
    waiting = {key: head for key, head in rekeyed.items() if head.unresolved}
    # What they took over from a former key may be otherwise now.
    waiting |= _followers(work, events, rekeyed)
    waiting |= _parted(work, events)
    late = {
        event.key for event in events
        if event.key is not None and event.key in heads and event.position < heads[event.key].position
    }  # fmt: skip
    sources = {CrosswalkKey(k.system, k.type, h.previous_key) for k, h in waiting.items() if h.previous_key is not None}
    histories = with_donors(histories_of(work, late | donors | sources | set(waiting)), partial(histories_of, work))
    truncated = {(event.system, event.type) for event in events if event.operation is Operation.TRUNCATE}
    exposed: dict[CrosswalkKey, Head] = {}
    for system, table in sorted(truncated):
        exposed |= {
            head.key: head
            for head in _heads(work, "where r.system = %s and r.type = %s and not r.deleted", system, table)
        }
    known = {key: head.rec_id for key, head in (heads | waiting).items()}
    fresh = sorted(keys - known.keys())
    numbers = work.query(
        "select nextval(pg_get_serial_sequence('source_record', 'rec_id')) from generate_series(1, %s)", len(fresh)
    )
    known |= {key: RecordId(row[0]) for key, row in zip(fresh, numbers, strict=True)}
    return KnownMirror(
        rec_ids=known | {key: head.rec_id for key, head in exposed.items()},
        heads=heads | waiting,
        histories=histories,
        truncations=truncations_of(work),
        waiting=frozenset(waiting.keys() - keys),
        exposed=exposed,
    )


def _followers(
    work: UnitOfWork, events: Iterable[ChangeEvent], rekeyed: Mapping[CrosswalkKey, Head]
) -> dict[CrosswalkKey, Head]:
    """Rows that had a key of these events before and were given the next one later, step by step."""
    oldest: dict[CrosswalkKey, SourcePosition] = {}
    for event in events:
        if event.key is not None:
            oldest[event.key] = min(event.position, oldest.get(event.key, event.position))
    found = {
        key: head
        for key, head in rekeyed.items()
        if (former := former_key(key, head.previous_key)) in oldest and oldest[former] < head.position
    }
    newest = found
    while newest:
        after = _heads(work, _REKEYED, *columns_of(newest))
        newest = {head.key: head for head in after if head.key not in found}
        found |= newest
    return found


def _parted(work: UnitOfWork, events: Iterable[ChangeEvent]) -> dict[CrosswalkKey, Head]:
    """Rows with versions before and after a truncate that comes only now: they took something over that was gone."""
    found: dict[CrosswalkKey, Head] = {}
    for event in events:
        if event.operation is Operation.TRUNCATE:
            at = event.position
            after = _heads(
                work,
                """from source_record r where r.system = %s and r.type = %s
                   and (r.pos_major, r.pos_minor, r.pos_order, r.pos_rank) > (%s, %s, %s, %s)
                   and exists (select from record_history h where h.rec_id = r.rec_id
                       and (h.pos_major, h.pos_minor, h.pos_order, h.pos_rank) < (%s, %s, %s, %s))""",
                event.system, event.type, *at, *at,
            )  # fmt: skip
            found |= {head.key: head for head in after}
    return found


def _heads(work: UnitOfWork, condition: str, *parameters: object) -> Iterable[Head]:
    source = condition if "from" in condition else f"from source_record r {condition}"
    for row in work.query(f"select {_HEAD} {source}", *parameters):
        yield Head(
            rec_id=RecordId(row[0]),
            key=CrosswalkKey(*row[1:4]),
            position=SourcePosition(*row[4:8]),
            operation=Operation(row[18]),
            row=orjson.loads(row[8]) if row[8] is not None else None,
            deleted=row[9],
            place=Place(*row[10:13]),
            event_time=row[13],
            lsn=row[14],
            transaction=row[15],
            previous_key=row[16],
            unresolved=frozenset(row[17] or ()),
        )


def histories_of(work: UnitOfWork, keys: set[CrosswalkKey]) -> dict[CrosswalkKey, list[Version]]:
    """All stored versions of the keys; every key is present, also without versions."""
    histories: dict[CrosswalkKey, list[Version]] = {key: [] for key in keys}
    if not keys:
        return histories
    for key, version in read_versions(work, OF_KEYS, "", *columns_of(keys)):
        histories[key].append(version)
    return histories


def read_versions(
    work: UnitOfWork, records: str = "source_record r", narrowed: str = "", *parameters: object
) -> Iterable[tuple[CrosswalkKey, Version]]:
    """Stored versions with their record's key.

    `records` says of which (`OF_KEYS`, with their columns as parameters), `narrowed` joins and filters
    `record_history h`.
    """
    rows = work.query(
        f"""select r.system, r.type, r.key, h.pos_major, h.pos_minor, h.pos_order, h.pos_rank, h.operation,
                   h.row::text, h.unavailable, h.topic, h.partition, h."offset", h.event_time, h.lsn, h.transaction,
                   h.previous_key, h.next_key
            from {records} join record_history h on h.rec_id = r.rec_id {narrowed}""",
        *parameters,
    )
    for row in rows:
        version = Version(
            position=SourcePosition(*row[3:7]),
            operation=Operation(row[7]),
            row=orjson.loads(row[8]) if row[8] is not None else None,
            unavailable=frozenset(row[9] or ()),
            place=Place(*row[10:13]),
            event_time=row[13],
            lsn=row[14],
            transaction=row[15],
            previous_key=row[16],
            next_key=row[17],
        )
        yield CrosswalkKey(*row[:3]), version


def truncations_of(
    work: UnitOfWork, condition: str = "", *parameters: object
) -> dict[TableName, Sequence[SourcePosition]]:
    """Every truncate of each table that was ever truncated; `condition` filters them."""
    found: dict[TableName, list[SourcePosition]] = {}
    for system, table, *position in work.query(
        f"select system, type, pos_major, pos_minor, pos_order, pos_rank from truncation {condition}", *parameters
    ):
        found.setdefault((system, table), []).append(SourcePosition(*position))
    return {table: tuple(positions) for table, positions in found.items()}


def heads_of(work: UnitOfWork, keys: Iterable[CrosswalkKey]) -> Iterable[Head]:
    """The stored versions of these rows; rows never seen are left out."""
    return _heads(work, _BY_KEY, *columns_of(set(keys)))


def all_heads(work: UnitOfWork) -> Iterable[Head]:
    """The stored version of every row, live or deleted."""
    return _heads(work, "")


def all_forms(work: UnitOfWork) -> dict[RecordId, tuple[object, object]]:
    """Stored canonical attributes and comparison form of every live record."""
    rows = work.query("select rec_id, attributes::text, comparison::text from source_record where not deleted")
    return {RecordId(row[0]): (orjson.loads(row[1]), orjson.loads(row[2])) for row in rows}


@dataclass(frozen=True, slots=True)
class Forms:
    """What identity reads of a stored record, as text: its comparison form and whom it refers to."""

    deleted: bool
    comparison: str | None
    references: str | None


def forms_of(record: SourceRecord) -> Forms:
    """The forms that a live record will be stored with."""
    return Forms(False, _comparison(record), _references(record))


def load_forms(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, Forms]:
    """What the store holds of these records before they are written; new ones are absent."""
    rows = work.probe(
        """select r.* from unnest(%s::bigint[]) as i(id)
           cross join lateral (
               select rec_id, deleted, comparison::text, refs::text from source_record
               where rec_id = i.id offset 0) r""",
        ids,
    )
    return {RecordId(row[0]): Forms(*row[1:]) for row in rows}


def write_mirror(work: UnitOfWork, delta: MirrorDelta, records: Mapping[RecordId, SourceRecord]) -> Touched:
    """Write rows, history, watermarks and shapes. `records` holds the standardised form of every head.

    Returns:
        What records elsewhere may notice.
    """
    work.copy("record_history", _VERSION_COLUMNS, (_version_row(work, *each) for each in delta.versions))
    _write_records(work, delta.heads, records)
    touched = _write_satellites(work, delta.heads, records)
    for (system, table), event in delta.truncations:
        work.execute(
            """insert into truncation (system, type, pos_major, pos_minor, pos_order, pos_rank, place, event_time)
               values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
            system, table, *event.position, str(event.place), event.event_time,
        )  # fmt: skip
    work.defer(partial(_write_shapes, work, delta.shapes))
    return touched


def _write_shapes(work: UnitOfWork, shapes: Mapping[TableName, Shape]) -> None:
    for (system, table), shape in shapes.items():
        work.execute(
            """insert into table_shape as t (system, type, columns, pos_major, pos_minor, pos_order)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (system, type) do update set columns = excluded.columns, pos_major = excluded.pos_major,
                   pos_minor = excluded.pos_minor, pos_order = excluded.pos_order
               where (t.pos_major, t.pos_minor, t.pos_order)
                   < (excluded.pos_major, excluded.pos_minor, excluded.pos_order)""",
            system, table, list(shape.columns), *shape.position[:3],
        )  # fmt: skip


def _version_row(work: UnitOfWork, rec_id: RecordId, version: Version) -> Sequence[object]:
    return (
        rec_id, *version.position, version.operation.value, _json(version.row), sorted(version.unavailable) or None,
        *version.place, version.lsn, version.transaction, version.event_time, version.previous_key, version.next_key,
        work.batch_id,
    )  # fmt: skip


def _write_records(work: UnitOfWork, heads: Sequence[Head], records: Mapping[RecordId, SourceRecord]) -> None:
    types = {"rec_id": "bigint", "deleted": "boolean", "partition": "int", "offset": "bigint", "lsn": "bigint"}
    types |= {"pos_major": "bigint", "pos_minor": "bigint", "pos_order": "bigint", "pos_rank": "smallint"}
    types |= dict.fromkeys(("row", "attributes", "comparison", "refs", "rejected"), "json")
    types |= {"event_time": "timestamptz", "unresolved": "text[]", "batch_id": "bigint"}
    definition = ", ".join(f'"{name}" {types.get(name, "text")}' for name in _RECORD_COLUMNS)
    columns = ", ".join(f'"{name}"' for name in _RECORD_COLUMNS)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in _RECORD_COLUMNS[6:])
    work.execute_with(
        "stage_record",
        definition,
        (_record_row(work, head, records[head.rec_id]) for head in heads),
        f"""insert into source_record ({columns}) select {columns} from stage_record
            on conflict (rec_id) do update set {updates}""",
    )


def _record_row(work: UnitOfWork, head: Head, record: SourceRecord) -> Sequence[object]:
    live = not head.deleted
    return (
        head.rec_id, *head.key, record.kind, record.domain.value if record.domain else None, head.deleted,
        head.operation.value, _json(head.row), _json(record.attributes) if live else None,
        _comparison(record) if live else None, _references(record) if live else None,
        _json(record.rejected) if live and record.rejected else None, *head.position, *head.place, head.lsn,
        head.transaction, head.event_time, head.previous_key, sorted(head.unresolved) or None, work.batch_id,
    )  # fmt: skip


def _write_satellites(work: UnitOfWork, heads: Sequence[Head], records: Mapping[RecordId, SourceRecord]) -> Touched:
    """References, aliases and evidence of the changed rows: replaced with them."""
    ids = [head.rec_id for head in heads]
    live = [head.rec_id for head in heads if not head.deleted]
    before = work.probe(
        """with numbered as (select unnest(%s::bigint[]) as rec_id),
           reference as (delete from record_reference r using numbered n where r.rec_id = n.rec_id),
           alias as (delete from record_alias r using numbered n where r.rec_id = n.rec_id returning r.*),
           evidence as (delete from record_evidence r using numbered n where r.rec_id = n.rec_id returning r.*)
           select rec_id, system, type, key, null from alias
           union all select rec_id, system, type, key, token from evidence""",
        ids,
    )
    aliases = {(RecordId(row[0]), CrosswalkKey(*row[1:4])) for row in before if row[4] is None}
    evidence = {(CrosswalkKey(*row[1:4]), str(row[4])) for row in before if row[4] is not None}
    work.copy(
        "record_reference",
        ("rec_id", "role", "system", "type", "key"),
        ((rec, ref.role, *ref.target) for rec in live for ref in dict.fromkeys(records[rec].references)),
    )
    work.copy(
        "record_alias",
        ("rec_id", "system", "type", "key"),
        ((rec, *alias) for rec in live for alias in dict.fromkeys(records[rec].aliases)),
    )
    work.copy(
        "record_evidence",
        ("rec_id", "system", "type", "key", "token"),
        ((rec, *each.owner, each.token) for rec in live for each in dict.fromkeys(records[rec].evidence)),
    )
    new_aliases = {(rec, alias) for rec in live for alias in records[rec].aliases}
    new_evidence = {(each.owner, each.token) for rec in live for each in records[rec].evidence}
    offers = {head.key for head in heads if records[head.rec_id].kind == "offer"}
    return Touched(
        names=frozenset({alias for _, alias in aliases ^ new_aliases} | offers),
        evidence=frozenset(evidence ^ new_evidence),
        targets=frozenset(
            ref.target
            for rec in live
            for ref in records[rec].references
            if records[rec].domain is Domain.CONTRACT or records[rec].kind == "offer"
        ),
    )


def _comparison(record: SourceRecord) -> str:
    return orjson.dumps(record.comparison, option=orjson.OPT_SORT_KEYS).decode()


def _references(record: SourceRecord) -> str:
    return orjson.dumps([[reference.role, *reference.target] for reference in record.references]).decode()


def _json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
