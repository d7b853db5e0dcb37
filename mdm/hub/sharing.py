"""Running a unit of work beside others, again when they overlap, and in the end alone; to keep it, or only to look."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.store.claims import NeedsAll, hold
from mdm.store.large_units import large_units
from mdm.store.process_numbers import begun_again
from mdm.store.unit_of_work import Alone, Overlap, UnitOfWork, unit_of_work

T = TypeVar("T")

#: After so many attempts that overlapped with others, a unit of work waits until it has the hub for itself.
_ATTEMPTS = 3


def beside_others(
    engine: Engine,
    clock: Clock,
    cause: str,
    feed: str | None,
    attempt: Callable[[UnitOfWork], T],
    *,
    alone: Alone = False,
    size: int = 0,
) -> T:
    """What `attempt` returns, committed. It may be called several times, each time in a fresh unit of work.

    What it ran into is claimed first the next time, waiting for whoever has it; so two that keep meeting take turns.

    Args:
        alone: have the hub for itself from the start; "if free" where nobody else is at work, which spares all claims.
        size: how many messages this is about; after one as large that needed the hub for itself, it waits for that.
    """
    remembered = large_units(engine)
    if alone is not True and remembered.expected(size):
        alone = True
    first: frozenset[int] = frozenset()
    for _ in range(0 if alone is True else _ATTEMPTS):
        try:
            with unit_of_work(engine, clock, cause, feed, alone=alone) as work:
                hold(work, first, wait=True)
                return attempt(work)
        except NeedsAll:
            begun_again(engine)
            remembered.outgrown(size)
            break
        except Overlap as overlap:
            begun_again(engine)
            first |= overlap.claims
    with unit_of_work(engine, clock, cause, feed) as work:
        return attempt(work)


def without_a_trace(engine: Engine, clock: Clock, attempt: Callable[[UnitOfWork], T]) -> T:
    """What `attempt` returns; everything that it writes is rolled back.

    It holds nobody up: it shares the hub, sees it as it was when it began, and takes no turn to publish. Only where it
    meets others at work on the same again and again does it wait to have the hub for itself.
    """
    first: frozenset[int] = frozenset()
    for _ in range(_ATTEMPTS):
        try:
            with unit_of_work(engine, clock, "preview", alone=False, kept=False) as work:
                hold(work, first, wait=True)
                return attempt(work)
        except NeedsAll:
            begun_again(engine)
            break
        except Overlap as overlap:
            begun_again(engine)
            first |= overlap.claims
    with unit_of_work(engine, clock, "preview", kept=False) as work:
        return attempt(work)
