"""What a request needs: the hub it reads from and who is asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Annotated, Protocol

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from mdm.access import EVERYTHING, Scope
from mdm.clock import Clock
from mdm.core.rules import Rules
from mdm.hub.in_force import in_force_now
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.store.idempotency import named
from mdm.store.scoped import scoped


class ReadHub(Protocol):
    """The part of a hub that the API reads from."""

    @property
    def engine(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...


#: Seconds that a statement of a read may take.
LONGEST_STATEMENT = 60.0
#: Where authentication leaves the scope of whoever asks, in the request's ASGI scope.
SCOPE = "mdm.scope"
#: Where a request leaves the name that its caller gave it (`api.idempotency`).
NAMED = "mdm.named"


@dataclass(frozen=True, slots=True)
class RequestHub:
    """The hub as whoever sent the request may reach it.

    The scope is looked up when the engine is used, because dependencies are made in any order and authentication is
    one of them.
    """

    request: Request

    @property
    def engine(self) -> Engine:
        hub: ReadHub = self.request.app.state.hub
        return named(scoped(hub.engine, self.scope), self.request.scope.get(NAMED))

    @property
    def clock(self) -> Clock:
        hub: ReadHub = self.request.app.state.hub
        return hub.clock

    @property
    def scope(self) -> Scope:
        """What the caller may reach. Before anybody was authenticated nobody's data are read (`PUBLIC_ROUTES`)."""
        found: Scope = self.request.scope.get(SCOPE, EVERYTHING)
        return found


@dataclass(frozen=True, slots=True)
class Reads:
    """Read access to the store for one request: with the scope of the caller."""

    hub: ReadHub
    #: No statement may take longer, so that nobody can hold the database up by asking for much.
    longest_statement: float = LONGEST_STATEMENT

    @property
    def engine(self) -> Engine:
        return self.hub.engine

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One read-only transaction in which all statements see the same state."""
        with self.engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            reading.exec_driver_sql(f"set local statement_timeout = {round(self.longest_statement * 1000)}")
            yield reading

    def own(self) -> "Reads":
        """Reads of the hub on its own account: keys, freshness, whatever is nobody's in particular."""
        if isinstance(self.hub, RequestHub):
            return Reads(self.hub.request.app.state.hub, self.longest_statement)
        return self


def hub_of(request: Request) -> ReadHub:
    """The hub as whoever sent the request may reach it."""
    return RequestHub(request)


async def get_hub(request: Request) -> ReadHub:
    # async for the same reason as get_reads.
    return hub_of(request)


async def get_reads(request: Request) -> Reads:
    # async although it waits for nothing: a plain function would cost each request a hop to a worker thread.
    return Reads(hub_of(request), request.app.state.longest_statement)


#: How long an answer about which rules are in force may be used: what writes asks again in its own transaction.
_FRESH_SECONDS = 1.0


class Released:
    """The rules in force and the source profiles. What ships is read once, by whoever needs it first."""

    def __init__(
        self,
        models: Path | None = None,
        placement: Path | None = None,
        sources: Path | None = None,
        reconciliation: Path | None = None,
    ) -> None:
        self._models = models
        self._placement = placement
        self._sources = sources
        self._reconciliation = reconciliation
        self._lock = Lock()
        self._read: tuple[Catalogue, Rules] | None = None
        self._engine: Engine | None = None
        self._in_force: tuple[float, Rules] | None = None

    def of(self, engine: Engine) -> None:
        """Look at the releases of this hub from now on."""
        self._engine = engine

    @property
    def rules(self) -> Rules:
        shipped, now = self._both()[1], monotonic()
        if self._engine is None:
            return shipped
        known = self._in_force
        if known is None or known[0] < now:
            known = self._in_force = (now + _FRESH_SECONDS, in_force_now(self._engine, shipped))
        return known[1]

    @property
    def catalogue(self) -> Catalogue:
        return self._both()[0]

    def _both(self) -> tuple[Catalogue, Rules]:
        with self._lock:
            if self._read is None:
                catalogue = load_catalogue(self._sources)
                self._read = catalogue, load_rules(catalogue, self._models, self._placement, self._reconciliation)
            return self._read


def get_rules(request: Request) -> Rules:
    released: Released = request.app.state.released
    return released.rules


HubDep = Annotated[ReadHub, Depends(get_hub)]
RulesDep = Annotated[Rules, Depends(get_rules)]
ReadsDep = Annotated[Reads, Depends(get_reads)]
