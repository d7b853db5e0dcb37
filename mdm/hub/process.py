"""One batch of messages: everything it means for the hub, in one transaction with the feed's position.

translate -> ledger -> mirror -> products -> customers -> contracts -> outbox, audit, position -> commit
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy import Engine

from matching.model import MatchModel
from mdm.clock import Clock
from mdm.core.mirror import mirror
from mdm.core.rules import Rules
from mdm.faults import fault_point
from mdm.hub.admitting import to_take_in
from mdm.hub.comparing import with_comparisons
from mdm.hub.echoing import mark_echoes
from mdm.hub.in_force import in_force
from mdm.hub.lost import watch_for_gaps
from mdm.hub.measures import Measures
from mdm.hub.recycling import watch_identifiers
from mdm.hub.resolve import DomainChange, block_hashes, claim_changes, resolve_domain
from mdm.hub.sharing import beside_others
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import Decoded, Plain, as_it_is, translate
from mdm.intake.mapping import standardise
from mdm.intake.refusal import ORDER_HELD
from mdm.model.delta import NOTHING_RECALLED, Recall
from mdm.model.events import ChangeEvent, DeadLetter, Message, Operation, Outcome, Place, Row, TopicPartition
from mdm.model.ids import RESOLUTION_ORDER, CrosswalkKey, Domain, RecordId
from mdm.model.mirror import Head, MirrorDelta
from mdm.model.records import SourceRecord
from mdm.store import ledger, pairs, progress
from mdm.store import mirror as mirror_store
from mdm.store.unit_of_work import Alone, UnitOfWork

#: Rows by key with their canonical form.
Standard: TypeAlias = Mapping[CrosswalkKey, tuple[Row, SourceRecord]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What processing needs: where to write, the time, the source profiles and the released rules.

    With `bulk`, rows are taken in and nothing is resolved: `mdm.hub.rematch` does it for all at once afterwards.
    With `alone_if_free`, units of work have the hub for themselves where nobody else is at work: for large loads.
    """

    engine: Engine
    clock: Clock
    catalogue: Catalogue
    rules: Rules
    #: Makes messages in a schema registry's binary format plain.
    plain: Plain = as_it_is
    bulk: bool = False
    alone_if_free: bool = False


@dataclass(slots=True)
class BatchReport:
    """What one batch did: messages by platform and outcome, and seconds spent in each stage.

    Four parts are of one batch only and not summed up: `changed_at` has platform, table and source time of every
    change (not snapshot reads) that was taken in, `late_at` of those that came after a newer one of their row,
    `refused` the new dead letters by partition, `measures` what resolving came to.
    """

    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)
    golden: Counter[Domain] = field(default_factory=Counter)
    changed_at: list[tuple[str, str, datetime]] = field(default_factory=list)
    late_at: list[tuple[str, str, datetime]] = field(default_factory=list)
    refused: Counter[TopicPartition] = field(default_factory=Counter)
    measures: Measures = field(default_factory=Measures)

    @property
    def messages(self) -> int:
        return sum(self.outcomes.values())

    def add(self, other: "BatchReport") -> None:
        self.outcomes.update(other.outcomes)
        for name, seconds in other.stages.items():
            self.stages[name] = self.stages.get(name, 0.0) + seconds
        self.golden.update(other.golden)

    def join(self, other: "BatchReport") -> None:
        """Add what a part of the same batch did."""
        self.add(other)
        self.changed_at += other.changed_at
        self.late_at += other.late_at
        self.refused.update(other.refused)
        self.measures.add(other.measures)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch with everything that can be said about it before the database is asked."""

    messages: Sequence[Message]
    decoded: Decoded
    #: By key, the newest row that its events bring, and that row in canonical form.
    standard: Standard


def prepare(pipeline: Pipeline, messages: Sequence[Message]) -> Prepared:
    """Decode and standardise a batch. Touches no database: it may run while another batch is written.

    Raises:
        TransientError: the schema registry failed; try again.
    """
    return prepare_by(pipeline.catalogue, pipeline.plain, messages)


def prepare_by(catalogue: Catalogue, plain: Plain, messages: Sequence[Message]) -> Prepared:
    """What `prepare` does, by the parts of a pipeline that it reads."""
    # The first message of a place is the one that counts.
    decoded = translate(list({each.place: each for each in reversed(messages)}.values())[::-1], catalogue, plain)
    newest: dict[CrosswalkKey, ChangeEvent] = {}
    for event in decoded.events:
        if event.key is not None and event.row is not None:
            before = newest.get(event.key)
            if before is None or event.position >= before.position:
                newest[event.key] = event
    standard = {
        key: (event.row, standardise(catalogue, key, event.row))
        for key, event in newest.items()
        if event.row is not None
    }
    return Prepared(messages, decoded, standard)


def process(pipeline: Pipeline, feed: str, messages: Sequence[Message]) -> BatchReport:
    """Consume a batch of messages in one unit of work.

    Bad messages become dead letters and never stop the others. Consuming the same batch again changes nothing.

    Raises:
        TransientError: the database failed; nothing was written, try the same batch again.
    """
    return process_prepared(pipeline, feed, prepare(pipeline, messages))


def process_prepared(pipeline: Pipeline, feed: str, batch: Prepared) -> BatchReport:
    """What `process` does, for a batch that was prepared before."""
    return consume(pipeline, feed, batch.messages, batch.decoded, positions_after(batch.messages), batch.standard)


def consume(
    pipeline: Pipeline,
    feed: str,
    messages: Sequence[Message],
    decoded: Decoded,
    positions: Mapping[tuple[str, int], int],
    standard: Standard = MappingProxyType({}),
) -> BatchReport:
    """Consume messages that are decoded already, in one unit of work.

    Args:
        messages: where each of `decoded` stands; nothing but the place is read.
        positions: the next offset of each partition of the feed, stored with the effect.
        standard: rows in canonical form, as far as they are known (`Prepared`).
    """
    report = BatchReport()

    def attempt(work: UnitOfWork) -> BatchReport:
        # Counted anew in every attempt; the seconds of all attempts count.
        counted = BatchReport(stages=report.stages)
        with report.stage("claim"):
            mirror_store.claim_rows(work, decoded.events, decoded.dead_letters)
        with report.stage("ledger"):
            seen = _ask_ledger(work, messages)
        through = by_rules_in_force(pipeline, work)
        taken = to_take_in(work, pipeline.catalogue, messages, decoded, seen.fresh)
        results = _take_in(through, work, messages, taken, seen.fresh, counted, standard)
        with report.stage("write"):
            ledger.write_outcomes(work, results, seen.known, len(messages))
            ledger.write_dead_letters(work, [each for each in taken.dead_letters if each.message.place in seen.fresh])
            ledger.write_drifts(work, [drift for drift in decoded.drifts if drift.place in seen.fresh])
            ledger.write_positions(work, feed, positions)
            progress.write_progress(work, positions, decoded.events)
            watch_for_gaps(pipeline.catalogue, work, feed, messages, decoded.events, results, seen.known)
            ledger.write_audit(work, "hub", "ingest", feed, _audit_detail(results, through.rules))
        with report.stage("publish"):
            work.publish()
        fault_point("ingest.accounted")
        changes = [event for event in taken.events if event.place in seen.fresh and not event.snapshot]
        late = {place for place, outcome, _ in results if outcome is Outcome.STALE}
        counted.changed_at = [(event.system, event.type, event.event_time) for event in changes]
        counted.late_at = [(event.system, event.type, event.event_time) for event in changes if event.place in late]
        return counted

    # A truncate is about rows that nobody names.
    everything = any(event.operation is Operation.TRUNCATE for event in decoded.events)
    alone: Alone = True if everything else "if free" if pipeline.alone_if_free else False
    counted = beside_others(pipeline.engine, pipeline.clock, "ingest", feed, attempt, alone=alone, size=len(messages))
    report.outcomes.update(counted.outcomes)
    report.golden.update(counted.golden)
    report.changed_at, report.late_at, report.refused = counted.changed_at, counted.late_at, counted.refused
    report.measures = counted.measures
    return report


def by_rules_in_force(pipeline: Pipeline, work: UnitOfWork) -> Pipeline:
    """The pipeline with the rules that decide in this hub, which may have been released since it was made."""
    return replace(pipeline, rules=in_force(work.query, pipeline.rules))


def replay_in(pipeline: Pipeline, work: UnitOfWork, messages: Sequence[Message], actor: str) -> BatchReport:
    """Take in messages that are dead letters, with the contracts as they are now, in the caller's unit of work.

    Those that are refused again stay dead letters. The caller names each message once.
    """
    began = time.monotonic()
    report = BatchReport()
    decoded = translate(messages, pipeline.catalogue, pipeline.plain)
    fresh = frozenset(message.place for message in messages)
    pipeline = by_rules_in_force(pipeline, work)
    decoded = to_take_in(work, pipeline.catalogue, messages, decoded, fresh, replayed=True)
    results = _take_in(pipeline, work, messages, decoded, fresh, report)
    ledger.write_replayed(work, results, decoded.dead_letters, actor)
    ledger.write_drifts(work, decoded.drifts)
    detail = {**_audit_detail(results, pipeline.rules), "seconds": round(time.monotonic() - began, 3)}
    ledger.write_audit(work, actor, "replay", "dead letters", detail)
    return report


def _take_in(
    pipeline: Pipeline,
    work: UnitOfWork,
    messages: Sequence[Message],
    decoded: Decoded,
    fresh: frozenset[Place],
    report: BatchReport,
    standard: Standard = MappingProxyType({}),
) -> list[tuple[Place, Outcome, str]]:
    """Apply the fresh messages; returns every message's outcome, counted in the report."""
    delta = _mirror(pipeline, work, [event for event in decoded.events if event.place in fresh], report, standard)
    reasons = {ignored.place: ignored.reason for ignored in decoded.ignored}
    refused = {letter.message.place: letter for letter in decoded.dead_letters}
    results = list(_account(messages, fresh, dict(delta.outcomes), reasons, refused))
    for place, outcome, reason in results:
        report.outcomes[ledger.system_of(place.topic), outcome] += 1
        # What only waits is nothing bad, and must not stop a worker.
        if outcome is Outcome.QUARANTINED and reason != ORDER_HELD:
            report.refused[TopicPartition(place.topic, place.partition)] += 1
    return results


@dataclass(frozen=True, slots=True)
class Seen:
    """Which places of a batch are new, and which the ledger already holds."""

    fresh: frozenset[Place]
    known: frozenset[Place]


def _ask_ledger(work: UnitOfWork, messages: Sequence[Message]) -> Seen:
    places = frozenset(message.place for message in messages)
    known = frozenset(mirror_store.seen_places(work, places))
    return Seen(places - known, known)


def _mirror(
    pipeline: Pipeline, work: UnitOfWork, events: Sequence[ChangeEvent], report: BatchReport, standard: Standard
) -> MirrorDelta:
    """Fold the events into the mirror, write it, and resolve what that touches."""
    with report.stage("mirror"):
        unique = list({event.place: event for event in events}.values())
        delta = mirror(unique, mirror_store.load_mirror(work, unique))
    apply_rows(pipeline, work, delta, report, _traces(unique, delta.heads), standard)
    return delta


def apply_rows(
    pipeline: Pipeline,
    work: UnitOfWork,
    delta: MirrorDelta,
    report: BatchReport,
    traces: Mapping[RecordId, str] = MappingProxyType({}),
    standard: Standard = MappingProxyType({}),
    recall: Recall = NOTHING_RECALLED,
) -> None:
    """Write folded rows, standardise them with the profiles as they are now, and resolve what that touches.

    Args:
        traces: trace contexts of the changes by record, for what is announced.
        standard: canonical forms that are known already; used where the folded row is the row they were made of.
        recall: ids to be given again, where rows come back that were taken out.
    """
    with report.stage("standardise"):
        found = {head.rec_id: _standard(pipeline.catalogue, head, standard) for head in delta.heads}
        mark_echoes(work, pipeline.catalogue, pipeline.rules, delta, found)
        records = with_comparisons(work, pipeline.catalogue, delta, found)
    with report.stage("write"):
        before = mirror_store.load_forms(work, [head.rec_id for head in delta.heads])
        touched = mirror_store.write_mirror(work, delta, records)
    with report.stage("watch"):
        # By what the rows themselves state: a row that repeats the hub states it, too.
        concerned = watch_identifiers(work, pipeline.catalogue, delta, found, before.keys())
    fault_point("ingest.mirrored")
    if pipeline.bulk:
        return
    models = pipeline.rules.models
    changes = {domain: _change(models[domain], delta.heads, records, before) for domain in RESOLUTION_ORDER}
    with report.stage("claim"):
        dirty = claim_changes(work, changes, touched, pipeline.rules)
        pairs.claim_connections(work, concerned, models[Domain.CUSTOMER].block_cap)
        dirty[Domain.CUSTOMER] |= concerned
        customers = changes[Domain.CUSTOMER]
        changes[Domain.CUSTOMER] = replace(customers, changed=customers.changed | concerned)
    moved: set[RecordId] = set()
    stated = frozenset(token for _, token in touched.evidence)
    for domain in RESOLUTION_ORDER:
        with report.stage(f"resolve {domain}"):
            if domain is Domain.CONTRACT:
                dirty[domain] = pairs.contracts_by_target(work, moved, touched.names, models[domain].block_cap)
            change = replace(
                changes[domain], dirty=frozenset(dirty[domain]), stated=stated, traces=traces, recall=recall
            )
            if change.empty:
                continue
            resolved = resolve_domain(work, domain, change, pipeline.rules)
        moved |= resolved.moved
        report.golden[domain] += len(resolved.delta.golden)
        report.measures.add(resolved.measures)
    fault_point("ingest.resolved")


def _standard(catalogue: Catalogue, head: Head, known: Standard) -> SourceRecord:
    row, record = known.get(head.key, (None, None))
    if record is not None and row == head.row:
        return record
    return standardise(catalogue, head.key, head.row or {})


def _traces(events: Sequence[ChangeEvent], heads: Sequence[Head]) -> dict[RecordId, str]:
    """The trace context of the newest event of each changed row that came with one."""
    by_key = {event.key: event.traceparent for event in events if event.traceparent is not None}
    return {head.rec_id: by_key[head.key] for head in heads if head.key in by_key} if by_key else {}


def _change(
    model: MatchModel,
    heads: Sequence[Head],
    records: Mapping[RecordId, SourceRecord],
    before: Mapping[RecordId, mirror_store.Forms],
) -> DomainChange:
    mine = [head for head in heads if records[head.rec_id].domain == model.domain]
    live = {head.rec_id: records[head.rec_id] for head in mine if not head.deleted}
    compared = {rec: record for rec, record in live.items() if before.get(rec) != mirror_store.forms_of(record)}
    return DomainChange(
        compared=compared,
        keys={rec: block_hashes(model, record.comparison) for rec, record in compared.items()},
        arrived=frozenset(rec for rec in compared if rec not in before),
        changed=frozenset(live),
        gone=frozenset(
            head.rec_id for head in mine if head.deleted and head.rec_id in before and not before[head.rec_id].deleted
        ),
    )


def _account(
    messages: Sequence[Message],
    fresh: frozenset[Place],
    outcomes: Mapping[Place, Outcome],
    reasons: Mapping[Place, str],
    refused: Mapping[Place, DeadLetter],
) -> Iterator[tuple[Place, Outcome, str]]:
    """Exactly one outcome for every message; a second delivery is a duplicate whatever the first was."""
    counted: set[Place] = set()
    for message in messages:
        place = message.place
        if place not in fresh or place in counted:
            yield place, Outcome.DUPLICATE, "seen before"
        elif place in outcomes:
            yield place, outcomes[place], ""
        elif place in reasons:
            yield place, Outcome.IGNORED, reasons[place]
        else:
            yield place, Outcome.QUARANTINED, refused[place].code
        counted.add(place)


def positions_after(messages: Sequence[Message]) -> dict[tuple[str, int], int]:
    """By topic and partition, the next offset behind these messages."""
    positions: dict[tuple[str, int], int] = {}
    for message in messages:
        place = message.place
        partition = (place.topic, place.partition)
        positions[partition] = max(positions.get(partition, 0), place.offset + 1)
    return positions


def _audit_detail(results: Sequence[tuple[Place, Outcome, str]], rules: Rules) -> dict[str, object]:
    counts = Counter(outcome.value for _, outcome, _ in results)
    return {"outcomes": dict(sorted(counts.items())), "rules": rules.fingerprint}
