"""The retained change log: every change event the hub has taken in, read back from the stored history.

For proofs it can be laid out in another order: shuffled with the order within each row kept, some events twice.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from mdm.model.events import ChangeEvent, Operation, Place, SourcePosition
from mdm.model.ids import CrosswalkKey
from mdm.store.unit_of_work import UnitOfWork

#: The shuffled log of a scratch schema. `n` is the order of delivery, from 0.
_LOG = """
create table "{scratch}".shuffled_log (
    n bigint primary key, system text not null, type text not null, key text, operation text not null, row json,
    unavailable text[], topic text not null, partition int not null, "offset" bigint not null,
    pos_major bigint not null, pos_minor bigint not null, pos_order bigint not null, pos_rank smallint not null,
    event_time timestamptz not null, lsn bigint, transaction text, previous_key text, next_key text)
"""
_COLUMNS = """system, type, key, operation, row, unavailable, topic, partition, "offset", pos_major, pos_minor,
    pos_order, pos_rank, event_time, lsn, transaction, previous_key, next_key"""

# A number in [0, 1) that depends on the place of an event, the seed and the purpose only, so a seed gives one order on
# every machine and however PostgreSQL plans the query.
_CHANCE = """((hashtextextended(topic || '/' || partition || '/' || "offset", %s) & 9007199254740991)
    / 9007199254740992.0)"""

#: A redelivery after a restart of the connector stands at a new offset; this far away no real one does.
_ANOTHER_PLACE = 2**40

_SHUFFLE = """
insert into "{{scratch}}".shuffled_log (n, {columns})
with log as (
    select r.system, r.type, r.key, h.operation, h.row, h.unavailable, h.topic, h.partition, h."offset", h.pos_major,
        h.pos_minor, h.pos_order, h.pos_rank, h.event_time, h.lsn, h.transaction, h.previous_key, h.next_key, h.batch_id
    from record_history h join source_record r using (rec_id)
    union all
    select system, type, null, 't', null, null, split_part(place, '/', 1), split_part(place, '/', 2)::int,
        split_part(place, '/', 3)::bigint, pos_major, pos_minor, pos_order, pos_rank, event_time, null, null, null,
        null, 0
    from truncation),
arrived as (
    select log.*, row_number() over (partition by system, type, key order by batch_id, topic, partition, "offset") as i
    from log),
moment as (
    select system, type, key, {chance} as at from log),
drawn as (
    select moment.*, row_number() over (partition by system, type, key order by at) as i from moment),
delivered as (
    select a.*, d.at from arrived a
    join drawn d on d.system = a.system and d.type = a.type and d.key is not distinct from a.key and d.i = a.i),
doubled as (
    select delivered.*, 0 as copy from delivered
    union all
    select system, type, key, operation, row, unavailable, topic, partition,
        case when {chance} < 0.5 then "offset" else "offset" + {far} end, pos_major, pos_minor, pos_order, pos_rank,
        event_time, lsn, transaction, previous_key, next_key, batch_id, i, at + (1 - at) * {chance}, 1
    from delivered where {chance} < %s)
select row_number() over (order by at, topic, partition, "offset", copy) - 1, {columns} from doubled
"""


def shuffle_log(work: UnitOfWork, scratch: str, *, seed: int, duplicate: float) -> tuple[int, int]:
    """Lay the live hub's log out in a scratch schema, in a random order that the seed decides.

    Events of one row keep their order. A share `duplicate` of the events is delivered a second time later on: half of
    them as the same message again, half at another offset, as a connector does after a restart.

    Returns:
        The number of events in the log, and of deliveries.
    """
    work.execute(_LOG.format(scratch=scratch))
    statement = _SHUFFLE.format(columns=_COLUMNS, chance=_CHANCE, far=_ANOTHER_PLACE).format(scratch=scratch)
    deliveries = work.execute(statement, seed, seed + 1, seed + 2, seed + 3, duplicate)
    events = work.query("select (select count(*) from record_history) + (select count(*) from truncation)")[0][0]
    return events, deliveries


def read_shuffled(work: UnitOfWork, start: int, limit: int) -> Sequence[ChangeEvent]:
    """Deliveries from the n-th on, at most `limit`."""
    rows = work.query(
        f"select {_COLUMNS} from shuffled_log where n >= %s order by n limit %s".replace("row,", "row::text,"),
        start,
        limit,
    )
    return [_event(row) for row in rows]


def _event(row: tuple[Any, ...]) -> ChangeEvent:
    system, table, key, operation, values, unavailable, *rest = row
    place, position, (at, lsn, transaction, previous, following) = rest[:3], rest[3:7], rest[7:]
    return ChangeEvent(
        place=Place(*place),
        system=system,
        type=table,
        operation=Operation(operation),
        key=None if key is None else CrosswalkKey(system, table, key),
        row=None if values is None else orjson.loads(values),
        unavailable=frozenset(unavailable or ()),
        position=SourcePosition(*position),
        event_time=at,
        snapshot=False,
        transaction=transaction,
        lsn=lsn,
        previous_key=None if previous is None else CrosswalkKey(system, table, previous),
        next_key=None if following is None else CrosswalkKey(system, table, following),
    )
