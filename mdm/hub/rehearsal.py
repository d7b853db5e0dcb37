"""A unit of work that is carried out, looked at, and rolled back: the dry run of anything that writes.

The same code decides and writes as in earnest, so a rehearsal cannot promise what the real run does not keep.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.store.unit_of_work import UnitOfWork, unit_of_work

T = TypeVar("T")


class _CurtainFallsError(Exception):
    """Ends a rehearsal, so that everything it wrote is rolled back."""


def rehearse(engine: Engine, clock: Clock, cause: str, act: Callable[[UnitOfWork], T]) -> T:
    """What `act` returns; of what it writes nothing stays."""
    result: list[T] = []
    try:
        with unit_of_work(engine, clock, cause) as work:
            result.append(act(work))
            raise _CurtainFallsError
    except _CurtainFallsError:
        return result[0]


def perform(engine: Engine, clock: Clock, cause: str, act: Callable[[UnitOfWork], T]) -> T:
    """What `act` returns; what it writes is committed."""
    with unit_of_work(engine, clock, cause) as work:
        return act(work)
