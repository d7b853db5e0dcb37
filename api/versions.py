"""Which version of the API and of its events a caller is pinned to, and who uses which: counted, written in batches.

A caller pins itself with the header `API-Version` (the description it was built against), a consumer of the change feed
with `events` when it registers. Whoever pins nothing is counted with the major version in the address.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock, Timer
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from api import deprecation
from api.errors import NOT_SERVED, refuse
from mdm.clock import Clock
from mdm.store.version_usage import Use, Uses, forget_old_uses, write_uses

#: The description that is served. Minor versions add, major ones may take away (`api.compatibility`).
VERSION: Final = "1.0.0"
#: Versions of event payloads that are served.
EVENTS: Final = (1,)
_PIN = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:\.[0-9]{1,4})?")
_SECONDS = 5.0
_MOST_WAITING = 50_000


@dataclass(frozen=True, slots=True)
class Pin:
    """A version that a caller was built against; `minor` is None where it named the major one only."""

    major: int
    minor: int | None = None

    def __str__(self) -> str:
        return str(self.major) if self.minor is None else f"{self.major}.{self.minor}"


def read_pin(text: str) -> Pin | None:
    """A pin as a header states it: `1`, `1.0` or `1.0.0`."""
    found = _PIN.fullmatch(text.strip())
    return None if found is None else Pin(int(found[1]), None if found[2] is None else int(found[2]))


def served(pin: Pin, version: str = VERSION) -> bool:
    """Whether what was promised in this version is kept by the one that is served: same major, no newer minor."""
    major, minor, *_ = map(int, version.split("."))
    return pin.major == major and (pin.minor is None or pin.minor <= minor)


def heed_pin(scope: Scope) -> None:
    """Put down what the request is pinned to.

    Raises:
        ProblemRaised: `version-not-served`: what the caller was built against is not what it would get.
    """
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"api-version"), None)
    if given is None or not _of_api(scope["path"]):
        return
    pin = read_pin(given)
    if pin is None or not served(pin):
        raise refuse(NOT_SERVED, f"API-Version {given[:20]!r} is not served; {VERSION} is.", served=[VERSION])
    scope["mdm.pin"] = pin


def heed_events(scope: Scope, pinned: int | None) -> None:
    """Put down that this request read events, and which version of them was pinned."""
    scope["mdm.events"] = pinned


class VersionLog:
    """The uses that one server process has seen and not yet written. One that is killed loses those of seconds."""

    def __init__(self, engine: Engine, clock: Clock, seconds: float = _SECONDS) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = seconds
        self._lock = Lock()
        self._waiting: dict[Use, Uses] = {}
        self._timer: Timer | None = None
        self._swept: date | None = None

    def note(self, scope: Scope, route: str) -> None:
        """Note a request of somebody who was let in; what the console sends is none of the API."""
        caller: str | None = scope.get("mdm.key_id")
        if caller is None or "mdm.caller" not in scope or not _of_api(route):
            return
        now = self._clock()
        pin: Pin | None = scope.get("mdm.pin")
        major = route.partition("/v")[2].partition("/")[0]
        uses = [Use(now.date(), caller, "api", str(pin or major), pin is not None)]
        if "mdm.events" in scope:
            events: int | None = scope["mdm.events"]
            uses.append(Use(now.date(), caller, "events", str(events or EVENTS[-1]), events is not None))
        ends = bool(deprecation.headers_of(route, scope.get("path_params") or {}))
        with self._lock:
            for use in uses:
                self._add(use, Uses(1, int(ends and use.surface == "api"), now, now))
            if self._timer is None:
                self._timer = Timer(self._seconds, self.write)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Write what waits. When the database is away it goes on waiting, and is tried again with the next request."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if not waiting:
            return
        today = self._clock().date()
        try:
            with self._engine.begin() as connection:
                write_uses(connection, waiting)
                if self._swept != today:
                    forget_old_uses(connection, today)
                    self._swept = today
        except SQLAlchemyError:
            with self._lock:
                for use, uses in waiting.items():
                    self._add(use, uses)

    def _add(self, use: Use, more: Uses) -> None:
        known = self._waiting.get(use)
        if known is None:
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)))
            self._waiting[use] = more
            return
        known.requests += more.requests
        known.deprecated += more.deprecated
        known.first_at, known.last_at = _ends(known, more)


def _ends(one: Uses, other: Uses) -> tuple[datetime, datetime]:
    return min(one.first_at, other.first_at), max(one.last_at, other.last_at)


def _of_api(path: str) -> bool:
    return re.match(r"/v[0-9]+/", path) is not None
