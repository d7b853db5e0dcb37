"""Lists for the projections: filtered and sorted in the database by the target's fields, page by page by key."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONPATH

from mdm.model.ids import Domain, EntityId
from mdm.projection.form import Constant, Field, First, Form, Head, Kind, Line, OwnKey, Target, Value
from mdm.projection.odata import Compare, Condition, Op, Order
from mdm.store.read_golden import GOLDEN_COLUMNS, GoldenRow, golden_row
from mdm.store.scoped import visible
from mdm.store.tables import crosswalk, golden, source_record
from mdm.store.tables_erp import erp_version

_ORDERED: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq, Op.NE: operator.ne, Op.GT: operator.gt,
    Op.GE: operator.ge, Op.LT: operator.lt, Op.LE: operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What a list is narrowed to and sorted by; without an order, records come by their last change, oldest first.

    With `passed` it is about the last versions that passed the target's gates, and their last change is when they did.
    """

    condition: Condition | None = None
    order: Order | None = None
    updated_since: datetime | None = None
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One record of a page and where it stands: the text of what it is sorted by, and its id."""

    row: GoldenRow
    place: tuple[str, str]


def list_projected(
    connection: Connection, target: Target, form: Form, asked: Question, after: tuple[str, str] | None, limit: int
) -> Sequence[Found]:
    """Up to `limit` current golden records after a place."""
    sort, descending = _sort(target, asked)
    query = _narrowed(select(*GOLDEN_COLUMNS, cast(sort, Text).label("sort")), target, form, asked)
    query = query.where(*visible(connection, golden.c.entity_id))
    if after is not None:
        here = tuple_(sort, golden.c.entity_id)
        there = tuple_(cast(literal(after[0], Text), sort.type), literal(after[1]))
        query = query.where(here < there if descending else here > there)
    if descending:
        query = query.order_by(sort.desc(), golden.c.entity_id.desc())
    else:
        query = query.order_by(sort, golden.c.entity_id)
    rows = connection.execute(query.limit(limit))
    return [Found(golden_row(row[:-1]), (row.sort, row.entity_id)) for row in rows]


def count_projected(connection: Connection, target: Target, form: Form, asked: Question) -> int:
    """How many records a question finds."""
    counted = _narrowed(select(func.count()).select_from(golden), target, form, asked)
    return int(connection.execute(counted.where(*visible(connection, golden.c.entity_id))).scalar_one())


def own_keys(connection: Connection, target: Target, ids: Mapping[Domain, Iterable[str]]) -> dict[str, list[str]]:
    """The target's own keys of golden records, by golden id."""
    found: dict[str, list[str]] = {}
    for domain, wanted in ids.items():
        table, names = target.tables.get(domain), list(wanted)
        if table is None or not names:
            continue
        rows = connection.execute(
            select(crosswalk.c.entity_id, source_record.c.key)
            .join(source_record, source_record.c.rec_id == crosswalk.c.rec_id)
            .where(
                crosswalk.c.entity_id.in_([EntityId(each) for each in names]),
                source_record.c.system == target.system,
                source_record.c.type == table,
                *visible(connection, crosswalk.c.entity_id),
            )
        )
        for entity_id, key in rows:
            found.setdefault(entity_id, []).append(key)
    return found


def _narrowed(query: Select[*tuple[Any, ...]], target: Target, form: Form, asked: Question) -> Select[*tuple[Any, ...]]:
    query = query.where(golden.c.domain == form.domain.value)
    changed: ColumnElement[Any] = golden.c.known_from
    if asked.passed:
        changed, current = erp_version.c.since, golden.alias("current")
        # An id that has ended has versions that passed, too.
        lives = exists(
            select(literal(1)).where(current.c.entity_id == golden.c.entity_id, current.c.known_to.is_(None))
        )
        query = query.where(
            erp_version.c.erp == target.name,
            erp_version.c.domain == form.domain.value,
            erp_version.c.entity_id == golden.c.entity_id,
            erp_version.c.version == golden.c.version,
            lives,
        )
    else:
        query = query.where(golden.c.known_to.is_(None))
    if asked.updated_since is not None:
        query = query.where(changed >= asked.updated_since)
    if asked.condition is not None:
        query = query.where(_sql(target, asked.condition))
    return query


def _sort(target: Target, asked: Question) -> tuple[ColumnElement[Any], bool]:
    """What to sort by: never null, so that a place in the list can always be told."""
    order = asked.order
    if order is None:
        return (erp_version.c.since if asked.passed else golden.c.seq), False
    field = order.field
    if isinstance(field.origin, OwnKey):
        own = (
            select(func.min(source_record.c.key))
            .join(crosswalk, crosswalk.c.rec_id == source_record.c.rec_id)
            .where(crosswalk.c.entity_id == golden.c.entity_id, *_in_target(target, field.origin))
            .scalar_subquery()
        )
        return func.coalesce(own, "").collate("C"), order.descending
    value = _value(field)
    if field.kind is Kind.BOOLEAN:
        ranked = case((value.is_(None), 0), (value.is_(False), 1), else_=2)
        return ranked, order.descending
    if field.kind in (Kind.INTEGER, Kind.DECIMAL):
        return func.coalesce(value, cast(literal("-Infinity"), Numeric)), order.descending
    if field.kind is Kind.INSTANT:
        return value, order.descending
    return func.coalesce(value, "").collate("C"), order.descending


def _sql(target: Target, condition: Condition) -> ColumnElement[bool]:
    if not isinstance(condition, Compare):
        joined = and_ if condition.word == "and" else or_
        return joined(_sql(target, condition.left), _sql(target, condition.right))
    field = condition.field
    if isinstance(field.origin, Constant):
        return true() if _holds(condition, field.origin.value) else false()
    if isinstance(field.origin, OwnKey):
        return _own_key(target, field.origin, condition)
    if field.codes is not None:
        return _coded(field, condition)
    return _compared(_value(field), condition)


def _compared(value: ColumnElement[Any], asked: Compare) -> ColumnElement[bool]:
    """As OData says: null equals null, and is unequal to everything else."""
    wanted: Any = asked.value
    if isinstance(wanted, date) and not isinstance(wanted, datetime):
        wanted = wanted.isoformat()
    if wanted is None:
        return value.is_(None) if asked.op is Op.EQ else value.is_not(None)
    if asked.op is Op.NE:
        return value.is_distinct_from(wanted)
    if asked.op is Op.STARTSWITH:
        return func.coalesce(func.starts_with(value, cast(wanted, Text)), false())
    if asked.op is Op.CONTAINS:
        return func.coalesce(func.strpos(value, cast(wanted, Text)) > 0, false())
    if isinstance(wanted, str):
        value = value.collate("C")
    return func.coalesce(_ORDERED[asked.op](value, wanted), false())


def _coded(field: Field, asked: Compare) -> ColumnElement[bool]:
    """The golden values whose code meets the comparison are few; they are looked for as they are stored."""
    stored = _stored(field)
    codes = field.codes or {}
    meant = [golden_value for golden_value, code in codes.items() if _holds(asked, code)]
    known = func.coalesce(stored.in_(list(codes)), false())
    without_code = known.is_(False)
    if asked.value is None:
        return without_code if asked.op is Op.EQ else known
    found = func.coalesce(stored.in_(meant), false())
    return or_(found, without_code) if asked.op is Op.NE else found


def _holds(asked: Compare, value: Any) -> bool:
    wanted = asked.value
    if asked.op is Op.STARTSWITH:
        return isinstance(value, str) and value.startswith(str(wanted))
    if asked.op is Op.CONTAINS:
        return isinstance(value, str) and str(wanted) in value
    if wanted is None or type(value) is not type(wanted):
        return asked.op is Op.NE
    return bool(_ORDERED[asked.op](value, wanted))


def _in_target(target: Target, key: OwnKey) -> tuple[ColumnElement[bool], ...]:
    return (source_record.c.system == target.system, source_record.c.type == target.tables.get(key.domain, ""))


def _own_key(target: Target, key: OwnKey, asked: Compare) -> ColumnElement[bool]:
    members = (
        select(literal(1))
        .select_from(crosswalk.join(source_record, source_record.c.rec_id == crosswalk.c.rec_id))
        .where(crosswalk.c.entity_id == golden.c.entity_id, *_in_target(target, key))
    )
    if asked.value is None:
        any_key = exists(members)
        return ~any_key if asked.op is Op.EQ else any_key
    if asked.op is Op.EQ:  # begins at the key, which has an index
        ids = (
            select(crosswalk.c.entity_id)
            .join(source_record, source_record.c.rec_id == crosswalk.c.rec_id)
            .where(*_in_target(target, key), source_record.c.key == asked.value)
        )
        return golden.c.entity_id.in_(ids)
    if asked.op is Op.NE:
        return ~exists(members.where(source_record.c.key == asked.value))
    return exists(members.where(_compared(source_record.c.key, asked)))


def _stored(field: Field) -> ColumnElement[Any]:
    """The golden value as text."""
    values = golden.c["values"]
    match field.origin:
        case Value(attribute, None) | Line(attribute, _, _, _):
            text: ColumnElement[Any] = values[attribute].astext
            return text
        case Value(attribute, part):
            part_text: ColumnElement[Any] = values[(attribute, part or "")].astext
            return part_text
        case First(attribute, type_, part):
            return _first(attribute, type_, part)
    return cast(null(), Text)


def _first(attribute: str, type_: str | None, part: str) -> ColumnElement[Any]:
    """The first element of a type. Names come from the projection's document, never from a caller."""
    narrowed = f'$."{attribute}"[*]' + (f' ? (@."type" == "{type_}")' if type_ is not None else "")
    element = func.jsonb_path_query_first(golden.c["values"], cast(literal(narrowed), JSONPATH))
    stated: ColumnElement[Any] = element.op("->>", return_type=Text())(part)
    if part == "normal":
        return func.coalesce(stated, element.op("->>", return_type=Text())("value"))
    return stated


def _value(field: Field) -> ColumnElement[Any]:
    """The field in the type in which it is compared."""
    if isinstance(field.origin, Head):
        column = {"id": golden.c.entity_id, "version": golden.c.version, "known_from": golden.c.known_from}
        return column[field.origin.member]
    stored = _stored(field)
    if field.kind is Kind.BOOLEAN:
        return cast(stored, Boolean)
    if field.kind in (Kind.INTEGER, Kind.DECIMAL):
        return cast(stored, Numeric)
    if field.kind is Kind.INSTANT:
        return cast(stored, DateTime(timezone=True))
    if field.letters is not None:
        stored = func.upper(stored) if field.letters == "upper" else func.lower(stored)
    return stored + field.after if field.after else stored
