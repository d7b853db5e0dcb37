"""Signs that a feed has lost something: offsets that jump, topics and logs that begin anew, a snapshot more than once,
two messages of which the hub can tell only one from the other by where they stand.

None of them stops anything. Each becomes an exception with an owner, because what is missing does not show by itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mdm.model.events import ChangeEvent, Operation, Outcome, Place, TopicPartition
from mdm.model.gaps import Alarm, Known, LogPosition, Mark, Watched
from mdm.model.lives import lived
from mdm.model.mirror import TableName

#: A committed transaction takes one offset of its own, so single ones are missing wherever a producer uses them.
_TOLERATED = 1


def watch(
    places: Iterable[Place],
    events: Sequence[ChangeEvent],
    outcomes: Mapping[Place, Outcome],
    known: Known,
    *,
    in_order: bool,
    taken: Collection[Place] = (),
) -> Watched:
    """Look at a batch for signs of loss.

    Args:
        places: of all messages of the batch.
        outcomes: of the events; duplicates say nothing.
        in_order: the feed delivers each partition in order and from where it was left, as a broker does. A capture
            file may be cut, joined and shuffled, so its offsets say nothing.
        taken: places at which another message was met than the one that the hub has taken in from there.
    """
    alarms: list[Alarm] = []
    marks: dict[TopicPartition, Mark] = {}
    by_partition: dict[TopicPartition, list[Place]] = {}
    for place in places:
        by_partition.setdefault(TopicPartition(place.topic, place.partition), []).append(place)
    streamed: dict[TopicPartition, list[ChangeEvent]] = {}
    for event in events:
        if not event.snapshot and outcomes.get(event.place) is not Outcome.DUPLICATE:
            streamed.setdefault(TopicPartition(event.place.topic, event.place.partition), []).append(event)
    for log, read in by_partition.items():
        mark = known.marks.get(log)
        if in_order:
            alarms += _jumps(log, sorted(read), mark)
        changes = sorted(streamed.get(log, ()), key=lambda event: event.place.offset)
        alarms += _backwards(log, changes, mark)
        furthest = max((_position(event) for event in changes), default=(-1, -1))
        before = mark or Mark(0)
        next_offset = max(before.next_offset, max(place.offset for place in read) + 1)
        marks[log] = Mark(next_offset, max(before.position, furthest))
    again, snapshots = _snapshots(events, known.snapshots)
    return Watched((*alarms, *again, *_taken(taken)), marks, snapshots)


def _taken(places: Collection[Place]) -> Iterator[Alarm]:
    """A place names a message for ever, so the second one of a place is left out like a repetition of the first."""
    by_log: dict[TopicPartition, list[Place]] = {}
    for place in sorted(places):
        by_log.setdefault(TopicPartition(place.topic, place.partition), []).append(place)
    for log, found in by_log.items():
        detail = (
            f"{len(found)} of {log.topic}/{log.partition} (first: offset {found[0].offset}) are other messages than "
            "those that were read there before, and were left out as if they were these."
        )
        yield Alarm("PLACE_TAKEN", f"gap:{log.topic}/{log.partition}:taken", found[0], detail)


def _jumps(log: TopicPartition, read: Sequence[Place], mark: Mark | None) -> Iterator[Alarm]:
    expected = mark.next_offset if mark is not None else read[0].offset
    for place in read:
        missing = place.offset - expected
        (life, first), (life_before, after) = lived(place.offset), lived(expected)
        if life > life_before:
            begun = f", and before offset {first} of the new one," if first else ""
            detail = (
                f"The topic {log.topic} was made anew: what partition {log.partition} held from offset {after} on"
                f"{begun} never came."
            )
            yield Alarm("TOPIC_MADE_ANEW", f"gap:{log.topic}/{log.partition}:life {life}", place, detail)
        elif missing > _TOLERATED:
            detail = f"Offsets {expected} to {place.offset - 1} of {log.topic}/{log.partition} never came ({missing})."
            yield Alarm("OFFSETS_JUMP", f"gap:{log.topic}/{log.partition}:{expected}", place, detail)
        expected = max(expected, place.offset + 1)


def _backwards(log: TopicPartition, changes: Sequence[ChangeEvent], mark: Mark | None) -> Iterator[Alarm]:
    """A later message with an older, unknown change: the connector reads another log, or an older slot, than before."""
    furthest, next_offset = (mark.position, mark.next_offset) if mark is not None else ((-1, -1), 0)
    for event in changes:
        position = _position(event)
        if event.place.offset >= next_offset and position < furthest and event.key is not None:
            detail = f"The source's log stood at {furthest} and is at {position} now: was the slot re-created?"
            table = (event.system, event.type)
            yield Alarm("LOG_BACKWARDS", f"gap:{log.topic}/{log.partition}:backwards", event.place, detail, table)
            return
        furthest = max(furthest, position)


def _snapshots(
    events: Sequence[ChangeEvent], known: Mapping[TableName, LogPosition]
) -> tuple[list[Alarm], dict[TableName, LogPosition]]:
    """Full snapshots by where they were taken. Reads of an incremental one have no LSN and are no reason to worry."""
    alarms: dict[TableName, Alarm] = {}
    taken: dict[TableName, LogPosition] = {}
    for event in events:
        if event.operation is not Operation.READ or event.lsn is None:
            continue
        table, position = (event.system, event.type), _position(event)
        before = taken.get(table, known.get(table))
        if before is None:
            taken[table] = position
        elif position > before:
            taken[table] = position
            detail = f"A second full snapshot of {event.system}.{event.type}: changes between the two may be missing."
            alarms[table] = Alarm(
                "SNAPSHOT_AGAIN", f"gap:{event.system}.{event.type}:snapshot", event.place, detail, table
            )
    return list(alarms.values()), taken


def _position(event: ChangeEvent) -> LogPosition:
    return event.position.major, event.position.minor
