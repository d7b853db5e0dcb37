"""Open questions for stewards, each with both records it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from mdm.model.ids import Domain, EntityId
from mdm.store.read_golden import MEMBER_COLUMNS, Member, member
from mdm.store.scoped import visible
from mdm.store.tables import crosswalk, source_record, steward_task


class TaskPlace(NamedTuple):
    """Where a page of tasks ended."""

    weight: float
    task_id: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records of a question, and the entity it belongs to now."""

    record: Member
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A steward task with its records side by side. A side is None when its row is no longer live."""

    task_id: int
    kind: str
    domain: Domain
    weight: float
    detail: str
    opened_at: datetime
    sides: tuple[Side | None, Side | None]


def open_questions(
    connection: Connection, domain: Domain | None, after: TaskPlace | None, limit: int
) -> Sequence[OpenQuestion]:
    """Up to `limit` open tasks, the most likely matches first."""
    query = select(
        steward_task.c.task_id,
        steward_task.c.kind,
        steward_task.c.domain,
        steward_task.c.weight,
        steward_task.c.detail,
        steward_task.c.opened_at,
        steward_task.c.a,
        steward_task.c.b,
    ).where(steward_task.c.status == "open", *_reached(connection))
    if domain is not None:
        query = query.where(steward_task.c.domain == domain.value)
    if after is not None:
        place = tuple_(-steward_task.c.weight, steward_task.c.task_id)
        query = query.where(place > tuple_(literal(-after.weight), literal(after.task_id)))
    tasks = connection.execute(query.order_by(-steward_task.c.weight, steward_task.c.task_id).limit(limit)).all()
    sides = _sides(connection, {rec for task in tasks for rec in (task.a, task.b)})
    return [
        OpenQuestion(
            task.task_id,
            task.kind,
            Domain(task.domain),
            task.weight,
            task.detail,
            task.opened_at,
            (sides.get(task.a), sides.get(task.b)),
        )
        for task in tasks
    ]


def count_open_questions(connection: Connection) -> dict[Domain, int]:
    """Open tasks per domain; domains without one are 0."""
    counted = connection.execute(
        select(steward_task.c.domain, func.count())
        .where(steward_task.c.status == "open", *_reached(connection))
        .group_by(steward_task.c.domain)
    )
    counts = {Domain(domain): count for domain, count in counted}
    return {domain: counts.get(domain, 0) for domain in Domain}


def _reached(connection: Connection) -> list[ColumnElement[bool]]:
    """Under limits only questions of which both sides are reached: a question shows both."""
    within = visible(connection, crosswalk.c.entity_id)
    sides = (steward_task.c.a, steward_task.c.b) if within else ()
    return [exists(select(literal(1)).where(crosswalk.c.rec_id == side, *within)) for side in sides]


def _sides(connection: Connection, records: set[int]) -> dict[int, Side]:
    rows = connection.execute(
        select(*MEMBER_COLUMNS, source_record.c.rec_id, crosswalk.c.entity_id)
        .join(crosswalk, crosswalk.c.rec_id == source_record.c.rec_id)
        .where(source_record.c.rec_id.in_(records))
    )
    return {row.rec_id: Side(member(row[:-2]), EntityId(row.entity_id)) for row in rows}
