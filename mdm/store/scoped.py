"""Reading with the scope of a principal: the first line is a condition in the queries, the second the role and its row
security. Both are set up here, so that whoever reads only hands the engine on.

An engine or connection carries its scope as an execution option. `visible` gives the condition for a query's entity
column; every transaction that begins under a limited scope sets role and settings in one statement.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Connection, Engine, Text, and_, cast, event, exists, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from mdm.access import EVERYTHING, EVERYWHERE, Scope
from mdm.access.scope import DIMENSIONS, Labels
from mdm.store.row_security import ROLE, SETTINGS
from mdm.store.tables_placement import placement

_OPTION = "mdm_scope"

#: Role and settings of one transaction, in one round trip.
ENTER = "select set_config('role', %s, true)" + ", set_config(%s, %s, true)" * len(SETTINGS)


def scoped(engine: Engine, scope: Scope) -> Engine:
    """The engine as a principal of this scope may use it: the same one where the scope limits no rows."""
    return engine.execution_options(**{_OPTION: scope}) if scope.limits_rows else engine


def unrestricted(engine: Engine) -> Engine:
    """The engine with the rights of the hub itself: for what is decided or written on somebody's behalf, after it was
    checked that they may."""
    return engine if scope_of(engine) is EVERYTHING else engine.execution_options(**{_OPTION: EVERYTHING})


def scope_of(source: Engine | Connection) -> Scope:
    """The scope that an engine or connection carries."""
    found: Scope = source.get_execution_options().get(_OPTION, EVERYTHING)
    return found


def enforce(engine: Engine) -> None:
    """Have every transaction of the engine begin with the role and settings of its scope, where it has one."""

    @event.listens_for(engine, "begin")
    def _enter(connection: Connection) -> None:
        scope = scope_of(connection)
        if scope.limits_rows:
            connection.exec_driver_sql(ENTER, entering(scope))


def entering(scope: Scope) -> tuple[str, ...]:
    """The parameters of `ENTER`."""
    pairs = ((SETTINGS[name], _written(granted_in(scope, name))) for name in SETTINGS)
    return (ROLE, *(part for pair in pairs for part in pair))


def granted_in(scope: Scope, dimension: str) -> Labels | None:
    """The labels of a dimension; domains count as one."""
    granted: Collection[str] | None = getattr(scope, dimension)
    return None if granted is None else frozenset(map(str, granted))


def visible(connection: Connection, entity_id: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a row of this entity is reached on this connection: none without limits."""
    scope = scope_of(connection)
    if not scope.limits_rows:
        return ()
    p = placement.alias("placed")
    return (exists(select(literal(1)).where(p.c.entity_id == entity_id, *_permitted(p.c, scope))),)


def visible_text(connection: Connection, entity_id: str) -> tuple[str, dict[str, list[str]]]:
    """`visible` for a statement that is text: a condition on this column and its parameters; "" without limits."""
    scope = scope_of(connection)
    if not scope.limits_rows:
        return "", {}
    conditions, parameters = [f"placed.entity_id = {entity_id}"], {}
    for name in DIMENSIONS:
        granted = granted_in(scope, name)
        if granted is not None:
            conditions.append(f"placed.{name} && cast(:granted_{name} as text[])")
            parameters[f"granted_{name}"] = sorted(granted | {EVERYWHERE}) if granted else []
    if scope.domains is not None:
        conditions.append("placed.domain = any(cast(:granted_domains as text[]))")
        parameters["granted_domains"] = sorted(domain.value for domain in scope.domains)
    return f"exists (select 1 from placement placed where {' and '.join(conditions)})", parameters


def visible_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are reached on this connection. Ids that were never issued are not among them."""
    p = placement.alias("placed")
    asked = select(p.c.entity_id).where(
        p.c.entity_id == func.any(cast(sorted(ids), ARRAY(Text))), *_permitted(p.c, scope_of(connection))
    )
    return set(connection.scalars(asked))


def within_reach(connection: Connection, ids: Collection[str]) -> set[str] | None:
    """`visible_ids`, or None where the connection reaches everything and nothing need be asked."""
    return visible_ids(connection, ids) if scope_of(connection).limits_rows else None


def _permitted(columns: Any, scope: Scope) -> list[ColumnElement[bool]]:  # Any: columns of an alias
    """`mdm.access.permits` as conditions of a query."""
    conditions: list[ColumnElement[bool]] = []
    for name in DIMENSIONS:
        granted = granted_in(scope, name)
        if granted is not None:
            reach = sorted(granted | {EVERYWHERE}) if granted else []
            conditions.append(columns[name].op("&&")(cast(reach, ARRAY(Text))))
    if scope.domains is not None:
        conditions.append(or_(*(columns.domain == domain.value for domain in sorted(scope.domains)), literal(False)))
    return [and_(*conditions)] if conditions else []


def _written(granted: Labels | None) -> str:
    return EVERYWHERE if granted is None else ",".join(sorted(granted))
