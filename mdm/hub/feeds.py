"""Holding a feed, and letting it go again: an operator's decision, audited, obeyed by every worker of the feed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import OperatorError
from mdm.store.feeds import feed_states, write_pause
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work

#: How often a worker looks whether its feed is held.
LOOK_SECONDS = 1.0


def pause_feed(engine: Engine, clock: Clock, feed: str, actor: str, reason: str) -> bool:
    """Hold a feed: workers finish the unit of work under way and take nothing more. Returns whether it was running.

    Raises:
        OperatorError: no reason is given.
    """
    if not reason.strip():
        raise OperatorError("Holding a feed needs a reason.", action="Say why it is held.")
    return _control(engine, clock, feed, True, actor, reason)


def resume_feed(engine: Engine, clock: Clock, feed: str, actor: str, reason: str = "") -> bool:
    """Let a feed go: workers go on where they stopped. Returns whether it was held."""
    return _control(engine, clock, feed, False, actor, reason)


@contextmanager
def all_held(engine: Engine, clock: Clock, actor: str, reason: str, settle: float = 2 * LOOK_SECONDS) -> Iterator[None]:
    """Every feed that runs is held within the block, and no unit of work of one is under way any more.

    Messages wait where they are: in the broker, in the file. Feeds that somebody holds already stay held afterwards.
    A process that is killed in the block leaves its feeds held; the next one that holds for the same reason takes them
    over and lets them go. So only one process at a time may be in a block of a reason.

    Args:
        reason: names the command, so that nobody who holds a feed by hand says the same.
        settle: seconds that workers get to hear of it.
    """
    with engine.connect() as connection:
        states = feed_states(connection)
    held = [state.feed for state in states if state.paused and state.reason == reason]
    running = [state.feed for state in states if not state.paused]
    held += [feed for feed in running if pause_feed(engine, clock, feed, actor, reason)]
    try:
        if held:
            time.sleep(settle)
            with unit_of_work(engine, clock, "feed control"):
                pass  # had the hub for itself: what a worker had begun before it heard is committed
        yield
    finally:
        for feed in held:
            resume_feed(engine, clock, feed, actor, f"{reason}: done")


def _control(engine: Engine, clock: Clock, feed: str, paused: bool, actor: str, reason: str) -> bool:
    with unit_of_work(engine, clock, "feed control", feed) as work:
        changed = write_pause(work, feed, paused, actor, reason)
        if changed:
            write_audit(work, actor, "feed paused" if paused else "feed resumed", feed, {"reason": reason})
    return changed
