"""What a request needs: the hub it reads from and who is asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from mdm.clock import Clock


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


def get_hub(request: Request) -> ReadHub:
    hub: ReadHub = request.app.state.hub
    return hub


async def get_reads(request: Request) -> Reads:
    # async although it waits for nothing: a plain function would cost each request a hop to a worker thread.
    return Reads(get_hub(request).engine)


ReadsDep = Annotated[Reads, Depends(get_reads)]
