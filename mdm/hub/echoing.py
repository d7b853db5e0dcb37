"""Marking what only repeats the hub when it arrives (`mdm.hub.comparing` has records compared by their own words).

A row that was given another key goes on being what it was: its marks, what the hub had published of it and what it had
said are taken over, also when the two halves of such a change arrive in the wrong order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from mdm.core.fold import rows_of
from mdm.core.own_words import said_before
from mdm.core.rekeyed import Histories, former_statements, lives
from mdm.core.rules import Rules
from mdm.hub.histories import arrived_in, histories_with
from mdm.intake.catalogue import Catalogue
from mdm.model.events import Row
from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.model.mirror import Head, MirrorDelta, Version, former_key
from mdm.model.records import SourceRecord
from mdm.store.echoes import echoes_of, published_at, write_echoes
from mdm.store.former_entities import homes_at
from mdm.store.mirror import heads_of
from mdm.store.unit_of_work import UnitOfWork
from survivorship.echoes import echoes_in, still_echoes

Records = Mapping[RecordId, SourceRecord]
#: By attribute, the digest of what is said there.
Marks = Mapping[str, str]
#: By row, what it was under each key that it had before, the last one first.
Formers = Mapping[RecordId, Sequence[Head]]


def mark_echoes(work: UnitOfWork, catalogue: Catalogue, rules: Rules, delta: MirrorDelta, records: Records) -> None:
    """Note in which attributes changed records of platforms that read the hub only repeat what it had published.

    A mark stays until the record repeats another value, whatever becomes golden meanwhile; it holds while the record
    says so. A record that goes on saying, or comes back to, what it had said itself repeats nothing: what was golden
    when its row changed may be older than its own statement, because the hub takes in what was said a while ago.
    """
    arrived = arrived_in(delta)
    changed = [
        head
        for head in delta.heads
        if _reads_the_hub(rules, records[head.rec_id]) and (not head.deleted or _goes_on(head, delta, arrived))
    ]
    if not changed:
        return
    formers = _formers(work, delta, changed)
    held = echoes_of(work, [head.rec_id for head in chain(changed, *formers.values())])
    found = _found(work, changed, formers, records, arrived)
    moved = {head.rec_id for head in changed if _moves(head, formers, arrived)}
    suspected = [
        head
        for head in changed
        if head.rec_id in moved or found[head.rec_id].items() - held.get(head.rec_id, {}).items()
    ]
    stored, whole = histories_with(work, {head.key for head in suspected}, arrived)
    marked: dict[RecordId, Marks] = {}
    # What a row was comes before what it became, where both are of this batch.
    for head in sorted(suspected, key=lambda each: (each.position, not each.deleted)):
        before = former_statements(head.key, whole)
        marks: Marks = held.get(head.rec_id, {})
        if head.rec_id in moved:
            taken = _taken_over(head, formers, whole, held | marked)
            disowned = said_before(catalogue, head.key, before, dict(marks.items() - taken.items()))
            marks = _joined(
                {name: said for name, said in marks.items() if name not in disowned}, taken, records[head.rec_id]
            )
        fresh = dict(found[head.rec_id].items() - marks.items())
        # What a row says at its very beginning it says by itself: nobody knew yet to which entity it belongs.
        earlier = before + _rows(stored[head.key]) or _rows(arrived.get(head.key, ()))[:1]
        own = said_before(catalogue, head.key, earlier, fresh)
        marked[head.rec_id] = {**marks, **{name: said for name, said in fresh.items() if name not in own}}
    write_echoes(work, marked, marked)


def _reads_the_hub(rules: Rules, record: SourceRecord) -> bool:
    return record.domain is not None and record.key.system in rules.rulesets[record.domain].echoes


def _goes_on(head: Head, delta: MirrorDelta, arrived: Histories) -> bool:
    """Whether a row that is gone has, or may still turn out to have, another key now."""
    return any(version.row is not None or version.next_key is not None for version in arrived.get(head.key, ())) or any(
        former_key(each.key, each.previous_key) == head.key for each in delta.heads
    )


def _moves(head: Head, formers: Formers, arrived: Histories) -> bool:
    """Whether something arrives that bears on what the row takes over from the keys that it had before."""
    return any(version.previous_key is not None for version in arrived.get(head.key, ())) or any(
        each.key in arrived for each in formers.get(head.rec_id, ())
    )


def _taken_over(head: Head, formers: Formers, whole: Histories, marked: Mapping[RecordId, Marks]) -> Marks:
    """The marks of what the row was last, unless that key was given to another row since."""
    for former in formers.get(head.rec_id, ())[:1]:
        end = lives(head.key, whole).get(former.key)
        if end is not None and former.position <= end:
            return marked.get(former.rec_id, {})
    return {}


def _joined(marks: Marks, taken: Marks, record: SourceRecord) -> Marks:
    """Of two marks of one attribute that which holds; otherwise the row's own, which is the newer one."""
    holding = still_echoes(record.attributes, taken)
    return {**taken, **marks, **{name: taken[name] for name in holding}}


def _found(
    work: UnitOfWork, changed: Sequence[Head], formers: Formers, records: Records, arrived: Histories
) -> dict[RecordId, dict[str, str]]:
    """In which attributes each changed record says what was published of it then, and had not come from it."""
    said_at = {head.rec_id: _said_at(head, arrived) for head in changed}
    published = published_at(work, said_at, _homes(work, said_at, changed, formers))
    found: dict[RecordId, dict[str, str]] = {head.rec_id: {} for head in changed}
    for head in changed:
        if (then := published.get(head.rec_id)) is not None:
            keys = [head.key, *(former.key for former in formers.get(head.rec_id, ()))]
            found[head.rec_id] = echoes_in(keys, records[head.rec_id].attributes, then.golden, then.lineage)
    return found


def _said_at(head: Head, arrived: Histories) -> datetime:
    """When the row said what it says; one that is gone said it before it went."""
    said = [version for version in arrived.get(head.key, ()) if version.row is not None] if head.deleted else []
    return max(said, key=lambda version: version.position).event_time if said else head.event_time


def _homes(
    work: UnitOfWork, said_at: Mapping[RecordId, datetime], changed: Sequence[Head], formers: Formers
) -> dict[RecordId, EntityId]:
    """The entities that re-keyed rows, and rows that are gone, belonged to when they said what they say."""
    return homes_at(
        work,
        [
            (head.rec_id, each.rec_id, said_at[head.rec_id])
            for head in changed
            if head.deleted or head.rec_id in formers
            for each in (head, *formers.get(head.rec_id, ()))
        ],
    )


def _formers(work: UnitOfWork, delta: MirrorDelta, heads: Sequence[Head]) -> dict[RecordId, Sequence[Head]]:
    """What re-keyed rows were, as far as the hub knows those rows."""
    known = {head.key: head for head in delta.heads}
    asked = _before(heads) - known.keys()
    while asked:
        read = {head.key: head for head in heads_of(work, asked)}
        known |= read
        asked = _before(read.values()) - known.keys()
    formers: dict[RecordId, Sequence[Head]] = {}
    for head in heads:
        passed: dict[CrosswalkKey, Head] = {}
        key = former_key(head.key, head.previous_key)
        while key in known and key != head.key and key not in passed:
            passed[key] = known[key]
            key = former_key(key, known[key].previous_key)
        if passed:
            formers[head.rec_id] = list(passed.values())
    return formers


def _before(heads: Iterable[Head]) -> set[CrosswalkKey]:
    return {key for head in heads if (key := former_key(head.key, head.previous_key)) is not None}


def _rows(versions: Sequence[Version]) -> list[Row]:
    return [row for _, row in rows_of(versions)]
