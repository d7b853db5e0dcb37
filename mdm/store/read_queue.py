"""The review queue as it is shown: open tasks in the order in which they should be looked at, page by page.

Which tasks fit filters, and in which order, is found by `mdm.store.queue_order`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.access.scope import EVERYWHERE
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.queue_order import QueueFilters, QueuePlace, reached, tasks_in_order


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
    impact: Mapping[str, Mapping[str, Any]]
    amounts: Mapping[str, str]
    countries: Sequence[str]
    sides: tuple[QueueSide, QueueSide]
    assignee: str | None = None
    snoozed_until: datetime | None = None

    @property
    def place(self) -> QueuePlace:
        return QueuePlace(self.rank, self.task_id)


_PAGE = """
select t.task_id, t.kind, t.domain, t.weight, t.detail, t.opened_at, t.a, t.b,
  p.due_at, p.rank, p.parts, p.impact, p.amounts, p.countries, w.assignee, w.snoozed_until
from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open'
left join task_work w on w.task_id = t.task_id
where {conditions}
order by p.rank desc, p.task_id
"""
_SIDES = """
select r.rec_id, r.system, r.type, r.key, x.entity_id, coalesce(g.name, '') as name, coalesce(g.members, 0) as members
from source_record r
left join crosswalk x on x.rec_id = r.rec_id
left join golden g on g.entity_id = x.entity_id and g.known_to is null
where r.rec_id = any(:records)
"""


def queue_page(
    connection: Connection, filters: QueueFilters, after: QueuePlace | None, limit: int, *, few: bool | None = None
) -> Sequence[QueueRow]:
    """Up to `limit` open tasks behind `after`, the most urgent first. `few` says that it is known that not many fit,
    or that many do."""
    tasks = tasks_in_order(connection, filters, limit, after=after, few=few)
    return _shown(connection, "p.task_id = any(:tasks)", {"tasks": tasks})


def queue_row(connection: Connection, task_id: int) -> QueueRow | None:
    """One open task, or None when it is not open (or not ranked yet)."""
    granted, parameters = reached(connection)
    conditions = " and ".join(["t.task_id = :task_id", *granted.values()])
    return next(iter(_shown(connection, conditions, {"task_id": task_id} | parameters)), None)


def next_in_queue(connection: Connection, filters: QueueFilters, after: QueuePlace | None) -> int | None:
    """The task that follows a place; from the top again when nothing follows; None when no other is left."""
    found = tasks_in_order(connection, filters, 1, after=after)
    if not found and after is not None:
        found = tasks_in_order(connection, filters, 1, besides=after.task_id)
    return next(iter(found), None)


def previous_in_queue(connection: Connection, filters: QueueFilters, before: QueuePlace) -> int | None:
    """The task before a place, or None at the top."""
    return next(iter(tasks_in_order(connection, filters, 1, before=before)), None)


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
    granted, parameters = reached(connection)
    statement = """select distinct p.systems[1], p.systems[2], p.countries, p.regions, p.business_units
        from task_priority p join steward_task t on t.task_id = p.task_id and t.status = 'open' where """
    rows = connection.execute(text(statement + (" and ".join(granted.values()) or "true")), parameters).all()
    pairs = sorted({(row[0], row[1]) for row in rows if row[1]})
    countries, regions, units = (sorted({each for row in rows for each in row[at]} - {EVERYWHERE}) for at in (2, 3, 4))
    return Choices(pairs, countries, regions, units)


def _shown(connection: Connection, conditions: str, parameters: Mapping[str, Any]) -> Sequence[QueueRow]:
    return _with_sides(connection, connection.execute(text(_PAGE.format(conditions=conditions)), parameters).all())


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
            impact=row.impact,
            amounts=row.amounts,
            countries=row.countries,
            sides=(sides[row.a], sides[row.b]),
            assignee=row.assignee,
            snoozed_until=row.snoozed_until,
        )
        for row in rows
    ]
