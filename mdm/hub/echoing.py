"""Marking what only repeats the hub when it arrives, and comparing the records it is in by their own words."""

from collections.abc import Iterable, Mapping, Sequence

from mdm.core.own_words import in_own_words, said_before
from mdm.core.rules import Rules
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import RecordId
from mdm.model.mirror import Head, MirrorDelta, Version
from mdm.model.records import SourceRecord
from mdm.store.echoes import echoes_of, published_at, write_echoes
from mdm.store.mirror import histories_of
from mdm.store.unit_of_work import UnitOfWork
from survivorship.echoes import echoes_in, still_echoes

Records = Mapping[RecordId, SourceRecord]
Marks = Mapping[RecordId, Mapping[str, str]]


def mark_echoes(work: UnitOfWork, catalogue: Catalogue, rules: Rules, delta: MirrorDelta, records: Records) -> None:
    """Note in which attributes changed records of platforms that read the hub only repeat what it had published.

    A mark stays until the record repeats another value, whatever becomes golden meanwhile; it holds while the record
    says so. A record that goes on saying, or comes back to, what it had said itself repeats nothing: what was golden
    when its row changed may be older than its own statement, because the hub takes in what was said a while ago.
    """
    changed = {
        head.rec_id: head for head in delta.heads if not head.deleted and _reads_the_hub(rules, records[head.rec_id])
    }
    if not changed:
        return
    held = echoes_of(work, list(changed))
    fresh: dict[RecordId, Mapping[str, str]] = {}
    for rec, then in published_at(work, {rec: head.event_time for rec, head in changed.items()}).items():
        found = echoes_in(changed[rec].key, records[rec].attributes, then.golden, then.lineage)
        fresh[rec] = {name: said for name, said in found.items() if held.get(rec, {}).get(name) != said}
    marked: dict[RecordId, Mapping[str, str]] = {}
    suspected = [changed[rec] for rec, marks in fresh.items() if marks]
    for rec, (stored, arrived) in _histories(work, delta, suspected).items():
        own = said_before(catalogue, changed[rec].key, stored, arrived, fresh[rec])
        marked[rec] = held.get(rec, {}) | {name: said for name, said in fresh[rec].items() if name not in own}
    write_echoes(work, marked, marked)


def compared_in_own_words(
    work: UnitOfWork, catalogue: Catalogue, delta: MirrorDelta, records: Records
) -> dict[RecordId, SourceRecord]:
    """The records of a delta that is not written yet; those with marks are compared by what they said themselves."""
    marked = echoes_of(work, list(records)) if records else {}
    heads = {head.rec_id: head for head in delta.heads if _repeats(head, records, marked)}
    return dict(records) | {
        rec: in_own_words(
            catalogue, heads[rec].key, heads[rec].row or {}, records[rec], [*stored, *arrived], marked[rec]
        )
        for rec, (stored, arrived) in _histories(work, delta, heads.values()).items()
    }


def with_late_statements(work: UnitOfWork, delta: MirrorDelta, heads: Iterable[Head]) -> Iterable[Head]:
    """Rows that stay as they are, but of which an event that came late tells what they had said themselves."""
    unchanged = {rec for rec, _ in delta.versions} - {head.rec_id for head in delta.heads}
    marked = echoes_of(work, sorted(unchanged)) if unchanged else {}
    return (head for head in heads if head.rec_id in marked)


def _reads_the_hub(rules: Rules, record: SourceRecord) -> bool:
    return record.domain is not None and record.key.system in rules.rulesets[record.domain].echoes


def _repeats(head: Head, records: Records, marked: Marks) -> bool:
    marks = marked.get(head.rec_id, {})
    return not head.deleted and bool(still_echoes(records[head.rec_id].attributes, marks))


def _histories(
    work: UnitOfWork, delta: MirrorDelta, heads: Iterable[Head]
) -> dict[RecordId, tuple[Sequence[Version], Sequence[Version]]]:
    """All versions of these rows: those that are stored, and those that the delta adds."""
    wanted = {head.key: head.rec_id for head in heads}
    if not wanted:
        return {}
    stored = {wanted[key]: list(past) for key, past in histories_of(work, set(wanted)).items()}
    arrived: dict[RecordId, list[Version]] = {rec: [] for rec in wanted.values()}
    for rec, version in delta.versions:
        if rec in arrived:
            arrived[rec].append(version)
    return {rec: (stored.get(rec, []), versions) for rec, versions in arrived.items()}
