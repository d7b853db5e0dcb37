"""What a request needs: the hub it reads from and who is asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Protocol

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from mdm.clock import Clock
from mdm.core.rules import Rules
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue


class ReadHub(Protocol):
    """The part of a hub that the API reads from."""

    @property
    def engine(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class Reads:
    """Read access to the store for one request."""

    engine: Engine

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One read-only transaction in which all statements see the same state."""
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


async def get_hub(request: Request) -> ReadHub:
    # async for the same reason as get_reads.
    hub: ReadHub = request.app.state.hub
    return hub


async def get_reads(request: Request) -> Reads:
    # async although it waits for nothing: a plain function would cost each request a hop to a worker thread.
    return Reads(request.app.state.hub.engine)


class Released:
    """The released rules and source profiles: read once, by whoever needs them first."""

    def __init__(self, models: Path | None = None) -> None:
        self._models = models
        self._lock = Lock()
        self._read: tuple[Catalogue, Rules] | None = None

    @property
    def rules(self) -> Rules:
        return self._both()[1]

    @property
    def catalogue(self) -> Catalogue:
        return self._both()[0]

    def _both(self) -> tuple[Catalogue, Rules]:
        with self._lock:
            if self._read is None:
                catalogue = load_catalogue(None)
                self._read = catalogue, load_rules(catalogue, self._models)
            return self._read


def get_rules(request: Request) -> Rules:
    released: Released = request.app.state.released
    return released.rules


HubDep = Annotated[ReadHub, Depends(get_hub)]
RulesDep = Annotated[Rules, Depends(get_rules)]
ReadsDep = Annotated[Reads, Depends(get_reads)]
