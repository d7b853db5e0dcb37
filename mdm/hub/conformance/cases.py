"""The hard cases of change data capture, one function each: how often a feed has it, and what does not hold.

A case that a feed does not have says so: absence is no proof. `problems` break something; `remarks` are worth knowing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mdm.hub.conformance.evidence import Evidence, Rows
from mdm.hub.conformance.journal import differing
from mdm.intake.types import Kind
from mdm.model.events import ChangeEvent, Operation, Outcome

#: Problems named one by one; the rest is counted.
_NAMED = 5


class Verdict(StrEnum):
    HOLDS = "holds"
    BROKEN = "broken"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case found in a feed."""

    seen: int
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.problems:
            return Verdict.BROKEN
        return Verdict.HOLDS if self.seen else Verdict.ABSENT


@dataclass(frozen=True, slots=True)
class Case:
    """One hard case: its name, what it is and what must hold, and what to do where it does not."""

    name: str
    what: str
    advice: str
    look: Callable[[Evidence], Finding] = field(repr=False)


def _same(evidence: Evidence, rows: Rows) -> tuple[str, ...]:
    return _named(differing(evidence.rows, rows))


def _named(problems: Iterable[str]) -> tuple[str, ...]:
    found = list(problems)
    rest = (f"... and {len(found) - _NAMED:,} more",) if len(found) > _NAMED else ()
    return (*found[:_NAMED], *rest)


def _decodes(evidence: Evidence) -> Finding:
    codes = Counter((letter.code, letter.reason) for letter in evidence.decoded.dead_letters)
    problems = [f"{number:,} x {code}: {reason}" for (code, reason), number in codes.most_common()]
    remarks = [f"{number:,} x {reason}" for reason, number in sorted(evidence.ignored.items())]
    return Finding(len(evidence.messages), _named(problems), tuple(remarks))


def _accounted(evidence: Evidence) -> Finding:
    """Exactly one of event, nothing, dead letter for each message; exactly one outcome for each event."""
    places = [each.place for each in evidence.messages]
    parts = [each.place for each in evidence.events]
    parts += [each.place for each in evidence.decoded.ignored]
    parts += [each.message.place for each in evidence.decoded.dead_letters]
    problems = []
    if Counter(parts) != Counter(places):
        problems.append("Messages and what they were decoded to do not add up.")
    missing = {event.place for event in evidence.events} - evidence.journal.outcomes.keys()
    if missing:
        problems.append(f"{len(missing):,} events have no outcome.")
    counts = Counter(evidence.journal.outcomes.values())
    return Finding(len(places), tuple(problems), tuple(f"{number:,} {one}" for one, number in sorted(counts.items())))


def _snapshot_reads(evidence: Evidence) -> Finding:
    reads = [event for event in evidence.events if event.operation is Operation.READ]
    late = evidence.rows_of(evidence.last(lambda event: event.operation is Operation.READ))
    return Finding(len(reads), _same(evidence, late) if reads else ())


def _incremental(evidence: Evidence) -> Finding:
    places = {message.place for message in evidence.messages if b'"incremental' in (message.value or b"")}
    reads = [event for event in evidence.events if event.place in places and event.operation is Operation.READ]
    late = evidence.rows_of(evidence.last(lambda event: event.place in places)) if reads else evidence.rows
    return Finding(len(reads), _same(evidence, late))


def _tombstones(evidence: Evidence) -> Finding:
    deletes = sum(event.operation is Operation.DELETE for event in evidence.events)
    tombstones = evidence.ignored.get("tombstone", 0)
    remarks = (f"for {deletes:,} deletes",) if tombstones != deletes else ()
    return Finding(tombstones, (), remarks)


def _deletes(evidence: Evidence) -> Finding:
    """A row whose newest event is its delete is gone."""
    newest: dict[object, ChangeEvent] = {}
    for event in evidence.events:
        if event.key is not None and (event.key not in newest or newest[event.key].position <= event.position):
            newest[event.key] = event
    gone = [key for key, event in newest.items() if event.operation is Operation.DELETE]
    deletes = sum(event.operation is Operation.DELETE for event in evidence.events)
    return Finding(deletes, _named(f"{key} is deleted and still live" for key in gone if key in evidence.rows))


def _key_changes(evidence: Evidence) -> Finding:
    """Both halves come, in whatever order; the row goes on under its new key."""
    arrivals = [event for event in evidence.events if event.previous_key is not None]
    departures = {(event.key, event.next_key) for event in evidence.events if event.next_key is not None}
    halves = [event for event in arrivals if (event.previous_key, event.key) not in departures]
    problems = list(_same(evidence, evidence.rows_of(evidence.last(lambda event: event.next_key is not None))))
    problems += _same(evidence, evidence.rows_of(evidence.last(lambda event: event.previous_key is not None)))
    remarks = (f"{len(halves):,} of them without the delete of the old key in this feed",) if halves else ()
    return Finding(len(arrivals), tuple(dict.fromkeys(problems)) if arrivals else (), remarks)


def _large_values(evidence: Evidence) -> Finding:
    seen = sum(len(event.unavailable) for event in evidence.events)
    waiting = Counter((key.system, key.type, column) for key, column in evidence.journal.unresolved())
    open_ = [f"{number:,} rows of {system}.{table} wait for {column}" for (system, table, column), number in
             sorted(waiting.items())]  # fmt: skip
    backwards = _same(evidence, evidence.rows_of(evidence.partitions_backwards())) if seen else ()
    return Finding(seen, backwards, _named(open_))


def _sent_again(evidence: Evidence) -> Finding:
    """A restarted connector sends changes again, at other offsets."""
    identities = Counter(
        (event.key, event.lsn, event.operation) for event in evidence.events if event.lsn and event.key is not None
    )
    natural = sum(number - 1 for number in identities.values() if number > 1)
    rows = evidence.rows_of(evidence.sent_again())
    return Finding(len(evidence.events), _same(evidence, rows), (f"{natural:,} of them in this feed itself",))


def _log_order(evidence: Evidence) -> Finding:
    """Within a partition, the events of a row come in source order, though plain LSNs run backwards."""
    backwards, disorder = 0, list[str]()
    newest_lsn: dict[str, int] = {}
    newest: dict[object, ChangeEvent] = {}
    for event in evidence.events:
        if event.snapshot or event.lsn is None:
            continue
        backwards += event.lsn < newest_lsn.get(event.system, 0)
        newest_lsn[event.system] = max(event.lsn, newest_lsn.get(event.system, 0))
        before = newest.get((event.key, event.place.partition))
        if before is not None and event.position < before.position and event.lsn != before.lsn:
            disorder.append(f"{event.key}: {event.place} is older than {before.place}")
        newest[event.key, event.place.partition] = event
    return Finding(len(newest), (), (f"plain LSNs ran backwards {backwards:,} times", *_named(disorder)))


def _truncates(evidence: Evidence) -> Finding:
    """A truncate has no key, so it comes in any partition: first or last, the same rows remain."""
    truncates = [event for event in evidence.events if event.operation is Operation.TRUNCATE]
    held = sum(letter.code == "TRUNCATE_HELD" for letter in evidence.decoded.dead_letters)
    problems: tuple[str, ...] = ()
    if truncates:
        problems = _same(evidence, evidence.rows_of(evidence.last(lambda each: each.operation is Operation.TRUNCATE)))
        first = evidence.last(lambda each: each.operation is not Operation.TRUNCATE)
        problems += _same(evidence, evidence.rows_of(first))
    return Finding(len(truncates) + held, problems, (f"{held:,} held by the contract",) if held else ())


def _transactions(evidence: Evidence) -> Finding:
    """The end of a transaction tells how many events it has; fewer in the feed means that some are missing."""
    seen = evidence.ignored.get("transaction_marker", 0)
    told: dict[str, dict[str, int]] = {}
    for marker in evidence.payloads(lambda topic: topic.endswith(".transaction")) if seen else ():
        if marker.get("status") == "END" and isinstance(marker.get("data_collections"), list):
            counts = {str(each.get("data_collection")): int(each.get("event_count", 0)) for each in
                      marker["data_collections"]}  # fmt: skip
            told[str(marker.get("id")).partition(":")[0]] = counts
    found = Counter((event.transaction, event.place.topic.partition(".")[2]) for event in evidence.events)
    topics = {event.place.topic.partition(".")[2] for event in evidence.events}
    short = sum(
        number > found[transaction, collection]
        for transaction, counts in told.items()
        for collection, number in counts.items()
        if collection in topics
    )
    remark = f"{short:,} of {len(told):,} transactions are incomplete here: the feed is an excerpt, or has lost some"
    return Finding(seen, (), (remark,) if short else ())


def _schema_changes(evidence: Evidence) -> Finding:
    """PostgreSQL announces none: columns come, go and change with a row. Each difference becomes one exception."""
    seen = evidence.ignored.get("schema_change", 0) + len(evidence.decoded.drifts)
    drifts = [f"{drift.system}.{drift.type}: {drift.detail}" for drift in evidence.decoded.drifts]
    shapes = {(event.system, event.type, frozenset(event.row)) for event in evidence.events if event.row is not None
              and not event.unavailable}  # fmt: skip
    tables = {(system, table) for system, table, _ in shapes}
    changed = len(shapes) - len(tables)
    remarks = [f"{changed:,} other shapes of a table without announcement"] if changed else []
    return Finding(seen + changed, (), (*remarks, *_named(drifts)))


def _values(kinds: Sequence[Kind]) -> Callable[[Evidence], Finding]:
    def look(evidence: Evidence) -> Finding:
        seen, wrong = 0, Counter[str]()
        for event in evidence.events:
            profile = evidence.catalogue.profile(event.system, event.type)
            if profile is None or event.row is None:
                continue
            for name, column in profile.contract.columns.items():
                if column.type.kind in kinds and event.row.get(name) is not None:
                    seen += 1
                    if not isinstance(event.row[name], str | int | float):
                        wrong[f"{event.system}.{event.type}.{name}"] += 1
        refused = [letter.reason for letter in evidence.decoded.dead_letters if letter.code == "VALUE_TYPE"]
        problems = [f"{number:,} values of {name} have no canonical form" for name, number in wrong.items()]
        problems += [reason for reason in dict.fromkeys(refused) if any(f"({kind}" in reason for kind in kinds)]
        return Finding(seen, _named(problems))

    return look


def _reordered(evidence: Evidence) -> Finding:
    partitions = {event.place[:2] for event in evidence.events}
    problems = _same(evidence, evidence.rows_of(evidence.partitions_backwards()))
    return Finding(len(partitions) if len(partitions) > 1 else 0, problems)


def _shuffled(evidence: Evidence) -> Finding:
    problems = [each for seed in (1, 2, 3) for each in _same(evidence, evidence.rows_of(evidence.shuffled(seed)))]
    late = sum(outcome is Outcome.STALE for outcome in evidence.journal.outcomes.values())
    return Finding(len(evidence.events), tuple(dict.fromkeys(problems)), (f"{late:,} came late in this feed itself",))


def _heartbeats(evidence: Evidence) -> Finding:
    return Finding(evidence.ignored.get("heartbeat", 0))


CASES: Sequence[Case] = (
    Case("decodes", "Every message is read.",
         "Ingest the feed: `mdm exceptions list` has advice and an owner for each of these.", _decodes),
    Case("accounted", "Every message has exactly one outcome.", "This is a defect of the hub: report it.", _accounted),
    Case("snapshot_reads", "A snapshot over live data overrides nothing newer.",
         "Check that source.sequence or lsn is in the events.", _snapshot_reads),
    Case("incremental_snapshot", "Reads of an incremental snapshot between changes override nothing newer.",
         "Check that source.sequence is in the events.", _incremental),
    Case("tombstones", "A tombstone after a delete changes nothing.", "", _tombstones),
    Case("deletes", "A deleted row is gone, whatever its old values claim.", "", _deletes),
    Case("key_changes", "A primary-key change is one row under a new key, in either order of its halves.",
         "Let the connector write headers: the halves find each other by __debezium.oldkey and __debezium.newkey.",
         _key_changes),
    Case("unchanged_large_values", "Large values that did not change and were not sent are carried over.",
         "Rows that wait for a value need REPLICA IDENTITY FULL, or an incremental snapshot of the table.",
         _large_values),
    Case("sent_again", "A change that is sent again at another offset has no second effect.",
         "Check that source.lsn (or binlog file and position) is in the events.", _sent_again),
    Case("log_order", "Events of a row are ordered by source.sequence, not by plain LSN.", "", _log_order),
    Case("truncates", "A truncate empties its table, in whatever partition it comes.",
         "Captures by ExtractNewRecordState have none: the transform drops them.", _truncates),
    Case("transactions", "Transaction markers are no rows.", "", _transactions),
    Case("schema_changes", "Columns that come, go or change are told, and rows flow on.",
         "Release a new contract version; `mdm contracts diff` says how large a step it is.", _schema_changes),
    Case("decimals", "Decimals are exact, in every decimal.handling.mode.",
         "State the connector's mode in the contract (property decimals), or let schemas be embedded.",
         _values((Kind.DECIMAL,))),
    Case("times", "Dates and times have one form, in every time.precision.mode.",
         "State the connector's mode in the contract (property times), or let schemas be embedded.",
         _values((Kind.DATE, Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.TIMESTAMPTZ))),
    Case("partitions_reordered", "Partitions may be consumed in any order.",
         "Key the topic by primary key, so that a row stays in one partition.", _reordered),
    Case("shuffled", "Events may come in any order at all.", "Check that source.sequence is in the events.", _shuffled),
    Case("heartbeats", "Heartbeats are no rows.", "", _heartbeats),
)  # fmt: skip


def look_at(evidence: Evidence) -> Iterator[tuple[Case, Finding]]:
    """Every case with what it found."""
    for case in CASES:
        yield case, case.look(evidence)
