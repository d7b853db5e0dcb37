"""Change events for tests: only what matters to the case is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

from mdm.model.events import ChangeEvent, Operation, Place, SourcePosition
from mdm.model.ids import CrosswalkKey

DAY = datetime(2025, 1, 1, tzinfo=UTC)


def key(name: str, table: str = "account", system: str = "crm") -> CrosswalkKey:
    return CrosswalkKey(system, table, name)


def change(
    at: int,
    row: dict[str, Any] | None = None,
    *,
    name: str = "a",
    operation: Operation = Operation.UPDATE,
    unavailable: tuple[str, ...] = (),
    before: str | None = None,
    after: str | None = None,
    offset: int | None = None,
) -> ChangeEvent:
    """An event of row `name` at log position `at`; `before` and `after` are the other key of a primary-key change."""
    return ChangeEvent(
        place=Place("crm.public.account", 0, at if offset is None else offset),
        system="crm",
        type="account",
        operation=operation,
        key=None if operation is Operation.TRUNCATE else key(name),
        row=row,
        unavailable=frozenset(unavailable),
        position=SourcePosition(at, at, 0, 0 if operation is Operation.READ else 1),
        event_time=DAY + timedelta(minutes=at),
        snapshot=operation is Operation.READ,
        lsn=at,
        previous_key=None if before is None else key(before),
        next_key=None if after is None else key(after),
    )


def delete(at: int, *, name: str = "a", after: str | None = None) -> ChangeEvent:
    return change(at, name=name, operation=Operation.DELETE, after=after)


def truncate(at: int) -> ChangeEvent:
    return change(at, operation=Operation.TRUNCATE)
