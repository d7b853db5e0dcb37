"""The review queue: open tasks in the order in which they should be looked at, narrowed by filters, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from mdm.access.scope import EVERYWHERE
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.scoped import visible_text


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


@dataclass(frozen=True, slots=True)
class QueueSide:
    """One of the two records of a task, with the golden record it belongs to; None when it is no longer live."""

    key: CrosswalkKey
    entity_id: EntityId | None
    name: str
    members: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An open task as the queue shows it."""

    task_id: int
    kind: str
    domain: Domain
    weight: float
    detail: str
    opened_at: datetime
    due_at: datetime
    rank: float
    parts: Sequence[tuple[float, str]]
    amounts: Mapping[str, str]
    countries: Sequence[str]
    sides: tuple[QueueSide, QueueSide]
    assignee: str | None = None
    snoozed_until: datetime | None = None

    @property
    def place(self) -> QueuePlace:
        return QueuePlace(self.rank, self.task_id)


_CONDITIONS: Mapping[str, str] = {
    "domain": "t.domain = :domain",
    "kind": "t.kind = :kind",
    "systems": "p.systems = cast(:systems as text[])",
    "country": "p.countries @> array[cast(:country as text)]",
    "region": f"p.regions && array[cast(:region as text), '{EVERYWHERE}']",
    "business_unit": f"p.business_units && array[cast(:business_unit as text), '{EVERYWHERE}']",
    "weight_from": "t.weight >= :weight_from",
    "weight_to": "t.weight < :weight_to",
    "amount_from": "p.amount >= :amount_from",
    "opened_before": "t.opened_at < :opened_before",
    "due_before": "p.due_at < :due_before",
    "due_after": "p.due_at >= :due_after",
    "rank_from": "p.rank >= :rank_from",
    "assignee": "w.assignee = :assignee",
    "unassigned": "p.taken = not :unassigned",
    "awake_at": "(w.snoozed_until is null or w.snoozed_until <= :awake_at)",
    "asleep_at": "w.snoozed_until > :asleep_at",
}

_PAGE = """
select t.task_id, t.kind, t.domain, t.weight, t.detail, t.opened_at, t.a, t.b,
  p.due_at, p.rank, p.parts, p.amounts, p.countries, w.assignee, w.snoozed_until
from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open'
left join task_work w on w.task_id = t.task_id
where {conditions}
order by p.rank desc, p.task_id
limit :limit
"""
_FITTING = """
select p.task_id from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open'
left join task_work w on w.task_id = t.task_id where {conditions}
"""
#: Written so that the index of the order finds the place: a range of ranks first, the tie within one rank after it.
_BEHIND = """p.rank <= cast(:rank as double precision)
  and (p.rank < cast(:rank as double precision) or p.task_id > :task_id)"""
_BEFORE = """p.rank >= cast(:rank as double precision)
  and (p.rank > cast(:rank as double precision) or p.task_id < :task_id)"""
_SIDES = """
select r.rec_id, r.system, r.type, r.key, x.entity_id, coalesce(g.name, '') as name, coalesce(g.members, 0) as members
from source_record r
left join crosswalk x on x.rec_id = r.rec_id
left join golden g on g.entity_id = x.entity_id and g.known_to is null
where r.rec_id = any(:records)
"""


def queue_page(
    connection: Connection, filters: QueueFilters, after: QueuePlace | None, limit: int, *, few: bool = False
) -> Sequence[QueueRow]:
    """Up to `limit` open tasks behind `after`, the most urgent first.

    `few` says that not many tasks fit: all that do are found first, by whatever finds them, and then put in order. Else
    the order is walked until enough were met, which for what is rare would be all of it.
    """
    conditions, parameters = _conditions(connection, filters)
    if few:
        fitting = _FITTING.format(conditions=" and ".join(conditions) or "true")
        conditions = [f"p.task_id = any(array({fitting}))"]
    if after is not None:
        conditions.append(_BEHIND)
        parameters |= after._asdict()
    statement = text(_PAGE.format(conditions=" and ".join(conditions) or "true"))
    with _by_index(connection, filters):
        rows = connection.execute(statement, parameters | {"limit": limit}).all()
    return _with_sides(connection, rows)


@contextmanager
def _by_index(connection: Connection, filters: QueueFilters) -> Iterator[None]:
    """Tasks that are narrowed to something are met one by one and looked up by their numbers. Plans that join by
    merging, or that read a whole table first, expect to meet what fits soon, and read everything where it comes
    late; where nearly all fit, they are right."""
    if replace(filters, awake_at=None) == QueueFilters():
        yield
        return
    ways = "select " + ", ".join(f"set_config('enable_{way}join', '{{0}}', true)" for way in ("merge", "hash"))
    connection.execute(text(ways.format("off")))
    yield
    connection.execute(text(ways.format("on")))


def queue_row(connection: Connection, task_id: int) -> QueueRow | None:
    """One open task, or None when it is not open (or not ranked yet)."""
    reached, parameters = _reached(connection)
    statement = text(_PAGE.format(conditions=" and ".join(["t.task_id = :task_id", *reached])))
    rows = connection.execute(statement, {"task_id": task_id, "limit": 1} | parameters).all()
    found = _with_sides(connection, rows)
    return found[0] if found else None


def next_in_queue(connection: Connection, filters: QueueFilters, after: QueuePlace | None) -> int | None:
    """The task that follows a place; from the top again when nothing follows; None when no other is left."""
    for place in (after, None):
        conditions, parameters = _conditions(connection, filters)
        if place is not None:
            conditions.append(_BEHIND)
            parameters |= place._asdict()
        elif after is not None:
            conditions.append("t.task_id <> :task_id")
            parameters["task_id"] = after.task_id
        statement = text(_PAGE.format(conditions=" and ".join(conditions) or "true"))
        row = connection.execute(statement, parameters | {"limit": 1}).first()
        if row is not None:
            return int(row.task_id)
    return None


def previous_in_queue(connection: Connection, filters: QueueFilters, before: QueuePlace) -> int | None:
    """The task before a place, or None at the top."""
    conditions, parameters = _conditions(connection, filters)
    conditions.append(_BEFORE)
    statement = _PAGE.replace("order by p.rank desc, p.task_id", "order by p.rank, p.task_id desc")
    row = connection.execute(
        text(statement.format(conditions=" and ".join(conditions))), parameters | before._asdict() | {"limit": 1}
    ).first()
    return None if row is None else int(row.task_id)


def queue_ids(connection: Connection, filters: QueueFilters, limit: int) -> Sequence[int]:
    """Numbers of up to `limit` open tasks that fit, the most urgent first."""
    conditions, parameters = _conditions(connection, filters)
    statement = """select t.task_id from task_priority p
           join steward_task t on t.task_id = p.task_id and t.status = 'open'
           left join task_work w on w.task_id = t.task_id where """ + (" and ".join(conditions) or "true")
    statement += " order by p.rank desc, p.task_id limit :limit"
    return list(connection.scalars(text(statement), parameters | {"limit": limit}))


def count_queue(connection: Connection, filters: QueueFilters, most: int) -> int:
    """How many open tasks fit, counted up to `most`."""
    conditions, parameters = _conditions(connection, filters)
    fitting = _FITTING.format(conditions=" and ".join(conditions) or "true")
    with _by_index(connection, filters):
        counted = connection.scalar(
            text(f"select count(*) from ({fitting} limit :most) f"), parameters | {"most": most}
        )
    return int(counted or 0)


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters can choose from: what occurs among open tasks."""

    pairs: Sequence[tuple[str, str]]
    countries: Sequence[str]
    regions: Sequence[str]
    business_units: Sequence[str]


def labels_seen(connection: Connection) -> Choices:
    """What filters can choose from as it was written down with the ranks of the whole hub: it may be a day old, and
    takes no longer where there are more tasks."""
    found: dict[str, list[str]] = {}
    for kind, label in connection.execute(text("select kind, label from task_label order by kind, label")):
        found.setdefault(kind, []).append(label)
    countries, regions, units = (
        [each for each in found.get(kind, ()) if each != EVERYWHERE] for kind in ("country", "region", "business_unit")
    )
    pairs = [(first, second) for first, _, second in (each.partition("-") for each in found.get("pair", ()))]
    return Choices(pairs, countries, regions, units)


def queue_choices(connection: Connection) -> Choices:
    """What filters can choose from, by all open tasks that are reached."""
    reached, parameters = _reached(connection)
    statement = """select distinct p.systems[1], p.systems[2], p.countries, p.regions, p.business_units
        from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open' where """
    rows = connection.execute(text(statement + (" and ".join(reached) or "true")), parameters).all()
    pairs = sorted({(row[0], row[1]) for row in rows if row[1]})
    countries, regions, units = (sorted({each for row in rows for each in row[at]} - {EVERYWHERE}) for at in (2, 3, 4))
    return Choices(pairs, countries, regions, units)


def _conditions(connection: Connection, filters: QueueFilters) -> tuple[list[str], dict[str, Any]]:
    values = {name: getattr(filters, name) for name in _CONDITIONS}
    given = {name: value for name, value in values.items() if value is not None}
    parameters: dict[str, Any] = {name: list(value) if name == "systems" else value for name, value in given.items()}
    reached, granted = _reached(connection)
    return [*(_CONDITIONS[name] for name in given), *reached], parameters | granted


def _reached(connection: Connection) -> tuple[list[str], dict[str, list[str]]]:
    """Under limits only tasks of which both sides are reached: a task shows both."""
    condition, parameters = visible_text(connection, "x.entity_id")
    sides = ("t.a", "t.b") if condition else ()
    return [f"exists (select 1 from crosswalk x where x.rec_id = {side} and {condition})" for side in sides], parameters


def _with_sides(connection: Connection, rows: Sequence[Any]) -> Sequence[QueueRow]:  # Any: rows of `_PAGE`
    records = sorted({rec for row in rows for rec in (row.a, row.b)})
    sides = {
        side.rec_id: QueueSide(
            CrosswalkKey(side.system, side.type, side.key),
            EntityId(side.entity_id) if side.entity_id else None,
            side.name,
            side.members,
        )
        for side in connection.execute(text(_SIDES), {"records": records})
    }
    return [
        QueueRow(
            task_id=row.task_id,
            kind=row.kind,
            domain=Domain(row.domain),
            weight=row.weight,
            detail=row.detail,
            opened_at=row.opened_at,
            due_at=row.due_at,
            rank=row.rank,
            parts=[(points, reason) for points, reason in row.parts],
            amounts=row.amounts,
            countries=row.countries,
            sides=(sides[row.a], sides[row.b]),
            assignee=row.assignee,
            snoozed_until=row.snoozed_until,
        )
        for row in rows
    ]
