"""Which open tasks fit filters, in the order of the queue, found without reading the whole queue.

What fits often is met when the order is walked; what fits seldom is found by other indexes and put in order after. What
fits often and still comes late in the order has an order of its own: one that begins with what is asked for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from mdm.access.scope import EVERYWHERE
from mdm.model.ids import Domain
from mdm.store.scoped import visible_text
from mdm.store.waiting import waits


class QueuePlace(NamedTuple):
    """Where a page of the queue ended."""

    rank: float
    task_id: int


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """What the queue is narrowed to. `systems` are the platforms of both records, in alphabetical order."""

    domain: Domain | None = None
    kind: str | None = None
    systems: tuple[str, str] | None = None
    country: str | None = None
    #: Where a golden record is placed; what is placed everywhere is of every region and of every team.
    region: str | None = None
    business_unit: str | None = None
    weight_from: float | None = None
    weight_to: float | None = None
    amount_from: Decimal | None = None
    opened_before: datetime | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    #: The least `rank`: what a least priority is at one instant.
    rank_from: float | None = None
    assignee: str | None = None
    unassigned: bool | None = None
    #: Tasks that are put off beyond `awake_at` are left out; with `asleep_at` only those are shown.
    awake_at: datetime | None = None
    asleep_at: datetime | None = None
    #: Tasks with an answer that waits for a second person at that time are left out.
    unanswered_at: datetime | None = None


_CONDITIONS: Mapping[str, str] = {
    "domain": "p.domain = :domain",
    "kind": "p.kind = :kind",
    "systems": "p.systems = cast(:systems as text[])",
    "country": "p.countries @> array[cast(:country as text)]",
    "region": f"p.regions && array[cast(:region as text), '{EVERYWHERE}']",
    "business_unit": f"p.business_units && array[cast(:business_unit as text), '{EVERYWHERE}']",
    "weight_from": "p.weight >= :weight_from",
    "weight_to": "p.weight < :weight_to",
    "amount_from": "p.amount >= :amount_from",
    "opened_before": "p.opened_at < :opened_before",
    "due_before": "p.due_at < :due_before",
    "due_after": "p.due_at >= :due_after",
    "rank_from": "p.rank >= :rank_from",
    "assignee": "p.taken and w.assignee = :assignee",
    "unassigned": "p.taken = not :unassigned",
    "awake_at": "(p.put_off_until is null or p.put_off_until <= :awake_at)",
    "asleep_at": "p.put_off_until > :asleep_at",
    "unanswered_at": f"""not exists (
      select from proposal o where o.task_id = p.task_id and {waits(":unanswered_at", "o.")})""",
}
#: Each of these has an index that holds what fits in the order of the queue; one of them can be walked.
_IN_ORDER: Mapping[str, str] = {
    "assignee": "p.taken",
    **{name: _CONDITIONS[name] for name in ("asleep_at", "systems", "unassigned")},
}

#: Tasks that are narrowed to something are met one by one and looked up by their numbers. Plans that join by merging,
#: or that read a whole table first, expect to meet what fits soon, and read everything where it comes late; where
#: nearly all fit, they are right.
_ONE_BY_ONE = ("mergejoin", "hashjoin")
#: A slice is not read as a whole to be put in order: how large it is, plans do not foresee.
_NOTHING_AT_ONCE = (*_ONE_BY_ONE, "sort", "bitmapscan")
#: So many tasks of the order are looked at, before it is asked whether what fits is better found otherwise.
_AHEAD = 5_000
#: Who asks for so many is answered by reading all that fit, not by walking until they were met one by one.
_MANY_AT_ONCE = 1_000
#: So few that fit are found all and put in order.
_FEW = 10_000

#: Ranks are of open tasks. What else is known of a task is looked up only where something is asked of it.
_LOOKED_UP: Mapping[str, str] = {
    "t.": "join steward_task t on t.task_id = p.task_id",
    "w.": "left join task_work w on w.task_id = p.task_id",
}
#: Written so that the index of the order finds the place: a range of ranks first, the tie within one rank after it.
_BEHIND = """p.rank <= cast(:rank as double precision)
  and (p.rank < cast(:rank as double precision) or p.task_id > :task_id)"""
_BEFORE = """p.rank >= cast(:rank as double precision)
  and (p.rank > cast(:rank as double precision) or p.task_id < :task_id)"""
_TURNED_ROUND = "(-p.rank, p.task_id) {} (-cast(:rank as double precision), :task_id)"
_WALK = """
select p.task_id from {tasks} where {conditions} order by {order} limit :limit
"""
_LOOK_AHEAD = """
select p.task_id from (select * from task_priority p where {narrow} order by {order} limit :ahead) p {looked_up}
where {conditions} order by {order} limit :limit
"""
#: How many of the first in the order fit. The index of places tells all of a place before the first is counted: right
#: for what is seldom, while what is often, one in twenty, is met soon by reading on.
_SAMPLE = """
select count(*) from (select * from task_priority order by rank desc, task_id limit :sample) p {looked_up}
where {conditions}
"""
_SAMPLED, _OFTEN = 1000, 20
_ALL_IN_ORDER = """
with p as materialized (select p.rank, p.task_id from {tasks} where {conditions})
select p.task_id from p order by {order} limit :limit
"""
#: The order in slices, each of which has an order of its own: the first of each are merged. Their indexes hold the
#: rank turned round; asked for as it is, planners walk the index of all tasks where they expect to meet a slice soon.
_SLICED = """
with recursive slices({names}) as (
  (select {key} from task_priority p where {within} order by {key} limit 1)
  union all
  select n.* from slices s cross join lateral (
    select {key} from task_priority p where ({key}) > ({of_slice}) and {within} order by {key} limit 1) n
)
select p.task_id from slices s cross join lateral (
  select p.rank, p.task_id from {tasks} where ({key}) = ({of_slice}) and {conditions}
  order by {order_of_slice} limit :limit) p
order by {order} limit :limit
"""
#: The day of a deadline, as its index has it. Deadlines to come lie within a week or two, however many there are.
_DAY = "((p.due_at at time zone 'UTC')::date)"
_DAY_OF = "((cast({} as timestamptz) at time zone 'UTC')::date)"


def tasks_in_order(
    connection: Connection,
    filters: QueueFilters,
    limit: int,
    *,
    after: QueuePlace | None = None,
    before: QueuePlace | None = None,
    besides: int | None = None,
    few: bool | None = None,
) -> list[int]:
    """Numbers of up to `limit` open tasks that fit, the most urgent first.

    Args:
        after: only those behind this place.
        before: only those before this place, the nearest first.
        besides: not this one.
        few: it is known that not more than some thousands fit, or that more do.
    """
    given, parameters = _conditions(connection, filters)
    order, way = ("p.rank, p.task_id desc", "desc") if before else ("p.rank desc, p.task_id", "asc")
    parameters |= {"limit": limit, "ahead": max(_AHEAD, 4 * limit)}
    if (place := after or before) is not None:
        given["place"] = _BEFORE if before else _BEHIND
        parameters |= place._asdict()
    if besides is not None:
        given["besides"] = "p.task_id <> :besides"
        parameters["besides"] = besides

    def found(statement: str, without: tuple[str, ...] = _ONE_BY_ONE, **parts: str) -> list[int]:
        looked_up = _looked_up(given)
        tasks = f"task_priority p {looked_up}"
        written = statement.format(tasks=tasks, looked_up=looked_up, conditions=_all(given), order=order, **parts)
        with _without(connection, *without):
            return list(connection.scalars(text(written), parameters))

    if not _narrowed(filters):
        return found(_WALK, ())
    if few is not True:
        ahead = found(_LOOK_AHEAD, narrow=_all(_walked(given)))
        if len(ahead) == limit:
            return ahead
        if limit > _MANY_AT_ONCE:
            return found(_ALL_IN_ORDER, ())
    if few is None:
        few = _count(connection, filters, given, parameters, _FEW + 1) <= _FEW
    if few:
        return found(_ALL_IN_ORDER)
    if (slices := _slices(filters)) is not None:
        if place is not None:
            given["place"] = _TURNED_ROUND.format("<" if before else ">")
        return found(_SLICED, _NOTHING_AT_ONCE, order_of_slice=f"(-p.rank) {way}, p.task_id {way}", **slices)
    return found(_WALK)


def count_queue(connection: Connection, filters: QueueFilters, most: int) -> int:
    """How many open tasks fit, counted up to `most`."""
    given, parameters = _conditions(connection, filters)
    return _count(connection, filters, given, parameters, most)


def _count(
    connection: Connection, filters: QueueFilters, given: Mapping[str, str], parameters: Mapping[str, Any], most: int
) -> int:
    looked_up, conditions = _looked_up(given), _all(given)
    ways = _ONE_BY_ONE if _narrowed(filters) else ()
    with _without(connection, *ways):
        if _of_places(filters):
            look = text(_SAMPLE.format(looked_up=looked_up, conditions=conditions))
            often = (connection.scalar(look, {**parameters, "sample": _SAMPLED}) or 0) * _OFTEN >= _SAMPLED
            ways = (*ways, "bitmapscan") if often else ways
    fitting = f"select from task_priority p {looked_up} where {conditions} limit :most"
    with _without(connection, *ways):
        counted = connection.scalar(text(f"select count(*) from ({fitting}) f"), {**parameters, "most": most})
    return int(counted or 0)


@contextmanager
def _without(connection: Connection, *ways: str) -> Iterator[None]:
    """Statements are planned without these ways, where there are others."""
    settings = "select " + ", ".join(f"set_config('enable_{way}', '{{0}}', true)" for way in ways)
    if ways:
        connection.execute(text(settings.format("off")))
    yield
    if ways:
        connection.execute(text(settings.format("on")))


def _narrowed(filters: QueueFilters) -> bool:
    return replace(filters, awake_at=None) != QueueFilters()


def _of_places(filters: QueueFilters) -> bool:
    """Whether it is narrowed to places, and to nothing that has an order of its own."""
    placed = {filters.country, filters.region, filters.business_unit} != {None}
    return placed and _slices(filters) is None and filters.due_before is None


def _slices(filters: QueueFilters) -> dict[str, str] | None:
    """By what the order is taken apart, where that helps to find what comes late in it. What somebody took is little:
    the order of it is walked."""
    if filters.assignee is not None:
        return None
    if filters.due_after is not None:
        within = f"{_DAY} >= {_DAY_OF.format(':due_after')}"
        if filters.due_before is not None:
            within += f" and {_DAY} <= {_DAY_OF.format(':due_before')}"
        return {"names": "day", "key": _DAY, "of_slice": "s.day", "within": within}
    if filters.domain is not None or filters.kind is not None:
        return {"names": "domain, kind", "key": "p.domain, p.kind", "of_slice": "s.domain, s.kind", "within": "true"}
    return None


def _walked(given: Mapping[str, str]) -> dict[str, str]:
    """What bounds the tasks that are looked at: the place, and the first of what an index holds in order."""
    bounds = {name: given[name] for name in ("rank_from", "place") if name in given}
    first = next((name for name in _IN_ORDER if name in given), None)
    return bounds | ({"order": _IN_ORDER[first]} if first else {})


def _looked_up(given: Mapping[str, str]) -> str:
    """Joins with the tables that conditions speak of: `t.` the tasks, `w.` what people do with them."""
    return " ".join(
        join for name, join in _LOOKED_UP.items() if any(f" {name}" in f" {each}" for each in given.values())
    )


def _all(conditions: Mapping[str, str]) -> str:
    return " and ".join(conditions.values()) or "true"


def _conditions(connection: Connection, filters: QueueFilters) -> tuple[dict[str, str], dict[str, Any]]:
    values = {name: getattr(filters, name) for name in _CONDITIONS}
    given = {name: value for name, value in values.items() if value is not None}
    parameters: dict[str, Any] = {name: list(value) if name == "systems" else value for name, value in given.items()}
    granted, scope = reached(connection)
    return {name: _CONDITIONS[name] for name in given} | granted, parameters | scope


def reached(connection: Connection) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Under limits only tasks of which both sides are reached: a task `t` shows both."""
    condition, parameters = visible_text(connection, "x.entity_id")
    sides = ("t.a", "t.b") if condition else ()
    return {
        side: f"exists (select 1 from crosswalk x where x.rec_id = {side} and {condition})" for side in sides
    }, parameters
