"""What a page adds up over the whole hub: made anew for every page where that is quick, kept for some seconds where the
hub is large. One process keeps it for itself; whoever reaches a part of the hub has sums of their own.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Pool

from mdm.access import Scope
from mdm.store.scoped import scope_of

T = TypeVar("T")
#: Sums of one hub that are kept at most; there is one of each kind for each scope.
_MOST = 200
_lock = Lock()
_sums: WeakKeyDictionary[Pool, dict[tuple[Scope, str], tuple[float, Any]]] = WeakKeyDictionary()


def kept(engine: Engine, name: str, make: Callable[[], T], *, large: Callable[[T], bool], seconds: float) -> T:
    """What `make` gives, or gave within the last `seconds` if that was `large`."""
    place = (scope_of(engine), name)
    with _lock:
        held = _sums.setdefault(engine.pool, {})
        before = held.get(place)
    if before is not None and monotonic() - before[0] < seconds:
        found: T = before[1]
        return found
    made = make()
    with _lock:
        held.pop(place, None)
        if large(made):
            while len(held) >= _MOST:
                held.pop(next(iter(held)))
            held[place] = monotonic(), made
    return made
