"""What takes long to add up is added up beside the pages: they show what was found last, and of when that is.

Where adding up is quick, every page has it made anew and waits for it. One process keeps what was found for itself;
whoever reaches a part of the hub has sums of their own.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Pool

from mdm.access import Scope
from mdm.store.scoped import scope_of

_logger = logging.getLogger("mdm.api")
T = TypeVar("T")
#: What was made in so many seconds is made anew for every page.
_QUICK = 0.25
#: A page waits so long, in seconds, for what it has never shown, or for what is quick.
_PATIENCE = 0.5
#: What took longer may be this old before it is made anew, and at most this share of the time is spent on that.
_FRESH_FOR, _SHARE = timedelta(minutes=1), 0.1
#: Findings of one hub that are kept at most; there is one of each kind for each scope.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What was added up, as the hub was at an instant."""

    what: T
    at: datetime
    seconds: float

    @property
    def quick(self) -> bool:
        return self.seconds < _QUICK

    def holds(self, now: datetime) -> bool:
        """Whether nothing newer is looked for yet."""
        return not self.quick and now - self.at < max(_FRESH_FOR, timedelta(seconds=self.seconds / _SHARE))


@dataclass(slots=True)
class _Shelf:
    """Of one kind and scope: what was found last, and what is being made."""

    last: Found[Any] | None = None  # Any: each kind knows its own
    under_way: "Future[Found[Any]] | None" = None


_lock = Lock()
_shelves: WeakKeyDictionary[Pool, dict[tuple[Scope, str], _Shelf]] = WeakKeyDictionary()


def beside(
    engine: Engine, name: str, now: datetime, make: Callable[[Connection], T], patience: float | None = None
) -> Found[T] | None:
    """What `make` gives: of now where that is quick, else what it gave last, while newer is made for who comes next.

    None when it never gave anything and `patience`, in seconds, has run out; without it, half a second.
    """
    with _lock:
        held = _shelves.setdefault(engine.pool, {})
        shelf = held.pop((scope_of(engine), name), None) or _Shelf()
        while len(held) >= _MOST:
            held.pop(next(iter(held)))
        held[scope_of(engine), name] = shelf
        last, future = cast("Found[T] | None", shelf.last), shelf.under_way
        if last is not None and last.holds(now):
            return last
        if future is None:
            future = shelf.under_way = Future()
            Thread(target=_make, args=(shelf, future, engine, now, make), name=f"adding up {name}", daemon=True).start()
    waited = _PATIENCE if patience is None else patience
    try:
        return cast("Found[T]", future.result(waited if last is None or last.quick else 0.0))
    except TimeoutError:
        return last


def _make(
    shelf: _Shelf, future: "Future[Found[T]]", engine: Engine, now: datetime, make: Callable[[Connection], T]
) -> None:
    try:
        began = monotonic()
        with engine.connect() as connection:
            made = make(connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))
        found = Found(made, now, monotonic() - began)
    except Exception as error:  # whoever waits is told; when nobody does, the next page tries again
        _logger.warning("Figures could not be added up: %s", error)
        with _lock:
            shelf.under_way = None
        future.set_exception(error)
    else:
        with _lock:
            shelf.last, shelf.under_way = found, None
        future.set_result(found)
