"""Two units of work, stepped by hand: a thread stops at every named step until it is told to go on.

There is no waiting for time: a thread is either paused at a step, or finished, or waiting for a lock in the database,
which `pg_stat_activity` tells.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.hub import process as process_module
from mdm.hub import resolve as resolve_module
from mdm.store import identity, mirror, neighbourhood, pairs
from mdm.store.unit_of_work import UnitOfWork

#: Where a unit of work can be stopped: owner, function, and whether before or after it.
STEPS: Sequence[tuple[Any, str, str]] = (
    (mirror, "claim_rows", "before"),
    (mirror, "claim_rows", "after"),
    (mirror, "load_mirror", "after"),
    (mirror, "write_mirror", "after"),
    (process_module, "claim_changes", "after"),
    (pairs, "replace_keys", "after"),
    (pairs, "claim_connections", "after"),
    (pairs, "blocks_of", "after"),
    (identity, "write_links", "after"),
    (pairs, "entity_of_departed", "after"),
    (neighbourhood, "claimed_reach", "after"),
    (neighbourhood, "load_neighbourhood", "after"),
    (identity, "write_identity", "after"),
    (pairs, "contracts_by_target", "after"),
    (resolve_module, "settle", "before"),
    (UnitOfWork, "publication", "before"),
    (UnitOfWork, "publication", "after"),
)

NAMES = tuple(f"{when} {name}" for _, name, when in STEPS)


class Actor:
    """One unit of work in a thread of its own."""

    def __init__(self, name: str, work: Callable[[], object], patience: int) -> None:
        self.name = name
        self.at: str | None = None
        self.finished = False
        self.failure: BaseException | None = None
        self._patience = patience
        self._changed = threading.Condition()
        self._go = False
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self.failure = error
        with self._changed:
            self.finished, self.at = True, None
            self._changed.notify_all()

    def arrive(self, step: str) -> None:
        """Called by the actor's own thread: stop here until told to go on."""
        if self._patience <= 0:
            return
        self._patience -= 1
        with self._changed:
            self.at, self._go = step, False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._go)
            self.at = None

    def go_on(self) -> None:
        with self._changed:
            self._go, self.at = True, None
            self._changed.notify_all()

    def settled(self, engine: Engine) -> bool:
        """Paused, finished, or waiting for a lock; waits until one of these is so."""
        while True:
            with self._changed:
                self._changed.wait(0.002)
                if self.finished or self.at is not None:
                    return True
            if _lock_waits(engine):
                return False


def _lock_waits(engine: Engine) -> int:
    with engine.connect() as connection:
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return connection.scalar(text(waiting)) or 0


@contextmanager
def stepped(monkeypatch: pytest.MonkeyPatch, actors: Sequence[Actor]) -> Iterator[None]:
    """Make the steps of these actors stop; other threads pass."""
    by_name = {actor.name: actor for actor in actors}

    def pause(step: str) -> None:
        actor = by_name.get(threading.current_thread().name)
        if actor is not None:
            actor.arrive(step)

    with monkeypatch.context() as patch:
        for owner, name in dict.fromkeys((owner, name) for owner, name, _ in STEPS):
            moments = {when for o, n, when in STEPS if (o, n) == (owner, name)}
            patch.setattr(owner, name, _pausing(getattr(owner, name), name, moments, pause))
        yield


def _pausing(
    function: Callable[..., Any], name: str, moments: set[str], pause: Callable[[str], None]
) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        if "before" in moments:
            pause(f"before {name}")
        result = function(*arguments, **named)
        if "after" in moments:
            pause(f"after {name}")
        return result

    return wrapper


def one_stops_while_the_other_runs(engine: Engine, first: Actor, second: Actor, step: str) -> None:
    """The first stops at a step, which it must reach; the second runs as far as it can; then both run to their ends."""
    first.start()
    while not first.finished:
        first.settled(engine)
        if first.at == step:
            break
        first.go_on()
    assert first.failure is None, f"failed before {step}: {first.failure!r}"
    assert not first.finished, f"never came to {step}"
    second.start()
    while second.settled(engine) and not second.finished:
        second.go_on()
    _finish(engine, [first, second])


def any_order(engine: Engine, actors: Sequence[Actor], seed: int) -> None:
    """Whoever can take a step may be the next to take it, as the seed says."""
    dice = random.Random(seed)
    for actor in actors:
        actor.start()
    _finish(engine, actors, dice)


def _finish(engine: Engine, actors: Sequence[Actor], dice: random.Random | None = None) -> None:
    while any(not actor.finished for actor in actors):
        paused = [actor for actor in actors if actor.at is not None]
        if not paused:
            time.sleep(0.002)
            continue
        actor = dice.choice(paused) if dice else paused[0]
        actor.go_on()
        if dice is not None:
            actor.settled(engine)
    for actor in actors:
        if actor.failure is not None:
            raise actor.failure
