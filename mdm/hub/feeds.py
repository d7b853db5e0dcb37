"""Holding a feed, and letting it go again: an operator's decision, audited, obeyed by every worker of the feed."""

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import OperatorError
from mdm.store.feeds import write_pause
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work


def pause_feed(engine: Engine, clock: Clock, feed: str, actor: str, reason: str) -> bool:
    """Hold a feed: workers finish the unit of work under way and take nothing more. Returns whether it was running.

    Raises:
        OperatorError: no reason is given.
    """
    if not reason.strip():
        raise OperatorError("Holding a feed needs a reason.", action="Say with --reason why it is held.")
    return _control(engine, clock, feed, True, actor, reason)


def resume_feed(engine: Engine, clock: Clock, feed: str, actor: str, reason: str = "") -> bool:
    """Let a feed go: workers go on where they stopped. Returns whether it was held."""
    return _control(engine, clock, feed, False, actor, reason)


def _control(engine: Engine, clock: Clock, feed: str, paused: bool, actor: str, reason: str) -> bool:
    with unit_of_work(engine, clock, "feed control", feed) as work:
        changed = write_pause(work, feed, paused, actor, reason)
        if changed:
            write_audit(work, actor, "feed paused" if paused else "feed resumed", feed, {"reason": reason})
    return changed
