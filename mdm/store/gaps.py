"""What is noted of partitions and snapshots, and the exceptions that signs of loss become."""

from collections.abc import Callable, Collection, Sequence

from mdm.model.events import ChangeEvent, Place, TopicPartition
from mdm.model.gaps import Alarm, Known, Mark, Watched
from mdm.model.mirror import TableName
from mdm.store.suppression import suppressed
from mdm.store.unit_of_work import UnitOfWork


def load_known(work: UnitOfWork, logs: Collection[TopicPartition], tables: Collection[TableName]) -> Known:
    """What was noted of these before."""
    marks = work.query(
        """select m.topic, m.partition, m.next_offset, m.pos_major, m.pos_minor
           from unnest(%s::text[], %s::int[]) as l(topic, partition) join partition_mark m using (topic, partition)""",
        [log.topic for log in logs],
        [log.partition for log in logs],
    )
    snapshots = work.query(
        """select s.system, s.type, s.pos_major, s.pos_minor
           from unnest(%s::text[], %s::text[]) as t(system, type) join table_snapshot s using (system, type)""",
        [system for system, _ in tables],
        [table for _, table in tables],
    )
    return Known(
        {TopicPartition(row[0], row[1]): Mark(row[2], (row[3], row[4])) for row in marks},
        {(row[0], row[1]): (row[2], row[3]) for row in snapshots},
    )


_STRANGERS = """
    select l.topic, l.partition, l."offset"
    from unnest(%s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
      as s(topic, part, off, system, type, key, major, minor)
    cross join lateral (
        select topic, partition, "offset", outcome from event_ledger
        where topic = s.topic and partition = s.part and "offset" = s.off offset 0) l
    where l.outcome in ('applied', 'stale') and not exists (
        select from source_record r join record_history h on h.rec_id = r.rec_id
        where r.system = s.system and r.type = s.type and r.key = s.key and h.topic = s.topic
          and h.partition = s.part and h."offset" = s.off and h.pos_major = s.major and h.pos_minor = s.minor)"""


def strangers(work: UnitOfWork, events: Sequence[ChangeEvent]) -> set[Place]:
    """Places of these events from which another change was taken in before. Erased rows have no history to ask."""
    named = [(event.place, event.key, event.position) for event in events if event.key is not None]
    found = {
        Place(*row)
        for row in work.probe(
            _STRANGERS,
            *([place[part] for place, _, _ in named] for part in range(3)),
            *([key[part] for _, key, _ in named] for part in range(3)),
            *([position[part] for _, _, position in named] for part in range(2)),
        )
    }
    erased = suppressed(work, {key for place, key, _ in named if place in found}) if found else frozenset()
    return found - {place for place, key, _ in named if key in erased}


def write_watched(work: UnitOfWork, watched: Watched, owner_of: Callable[[Alarm], str]) -> None:
    """Note how far the feed has come, and raise one exception for each sign."""
    work.execute_with(
        "stage_mark",
        "topic text, part int, next_offset bigint, pos_major bigint, pos_minor bigint",
        ((*log, mark.next_offset, *mark.position) for log, mark in sorted(watched.marks.items())),
        """insert into partition_mark as m (topic, partition, next_offset, pos_major, pos_minor)
           select topic, part, next_offset, pos_major, pos_minor from stage_mark order by topic, part
           on conflict (topic, partition) do update set next_offset = excluded.next_offset,
               pos_major = excluded.pos_major, pos_minor = excluded.pos_minor""",
    )
    for (system, table), position in sorted(watched.snapshots.items()):
        work.execute(
            """insert into table_snapshot (system, type, pos_major, pos_minor) values (%s, %s, %s, %s)
               on conflict (system, type) do update
               set pos_major = excluded.pos_major, pos_minor = excluded.pos_minor""",
            system, table, *position,
        )  # fmt: skip
    _raise(work, watched.alarms, owner_of)


def _raise(work: UnitOfWork, alarms: Sequence[Alarm], owner_of: Callable[[Alarm], str]) -> None:
    for alarm in alarms:
        system, table = alarm.table or (None, None)
        work.execute(
            """insert into exception as e (question, kind, code, system, type, detail, owner, place, first_seen,
                   last_seen)
               values (%s, 'gap', %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (question) do update set seen = e.seen + 1, last_seen = excluded.last_seen,
                   detail = excluded.detail,
                   status = case when e.status = 'accepted' then e.status else 'open' end""",
            alarm.question, alarm.code, system, table, alarm.detail, owner_of(alarm), str(alarm.place), work.now,
            work.now,
        )  # fmt: skip
