"""The order of the queue and of refused messages, ready when a page needs it: what is new is ranked at once, old ranks
are renewed beside it."""

import logging
import time
from datetime import datetime
from threading import Lock, Thread
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Pool

from mdm.core.four_eyes import Policy
from mdm.core.rules import Rules
from mdm.errors import MdmError
from mdm.hub.worklist import (
    old_ranks,
    rank_new_tasks,
    rank_open_tasks,
    rank_refused,
    refused_unranked,
    state_of_tasks,
)
from mdm.store.reading import transient_failures

_logger = logging.getLogger("mdm.api")
_renewing, _renewing_refused = Lock(), Lock()
#: Old ranks are looked for this often, in seconds, by one process and hub.
_EVERY = 60.0
_MANY = 50_000
#: Refused messages whose groups a page ranks itself: a few hundredths of a second.
_REFUSED_AT_ONCE = 500
_looked: dict[str, float] = {}
#: The state of a hub in which every open question had a rank: looking for others takes longer the more there are.
_ready: WeakKeyDictionary[Pool, tuple[int, int]] = WeakKeyDictionary()


def ready(engine: Engine, rules: Rules, now: datetime, policy: Policy | None) -> None:
    """Every open question has a rank. What hangs on them may be an hour old, and a little more while it is renewed."""
    state = state_of_tasks(engine)
    if _ready.get(engine.pool) != state:
        rank_new_tasks(engine, rules, now, policy, _ready.get(engine.pool, (0, 0))[1])
        _ready[engine.pool] = state
    hub = str(engine.url)
    if time.monotonic() < _looked.get(hub, 0.0):
        return
    _looked[hub] = time.monotonic() + _EVERY
    # Where many tasks were ever opened, even the question whether a rank is old takes too long for a page.
    if (state[1] > _MANY or old_ranks(engine, now)) and _renewing.acquire(blocking=False):
        Thread(target=_renew, args=(engine, rules, now, policy), name="rank", daemon=True).start()


def refused_ready(engine: Engine, rules: Rules, now: datetime, policy: Policy | None) -> None:
    """Every group of refused messages has a rank that tells what is in it now, unless many have changed: then those
    that have none yet come first, and the others keep the one that they had while they are ranked anew beside it."""
    if not refused_unranked(engine, now) or _renewing_refused.locked():
        return
    rank_refused(engine, now, policy, at_once=_REFUSED_AT_ONCE, reconciling=rules.reconciliation)
    if refused_unranked(engine, now) and _renewing_refused.acquire(blocking=False):
        Thread(target=_renew_refused, args=(engine, rules, now, policy), name="rank refused", daemon=True).start()


def _renew_refused(engine: Engine, rules: Rules, now: datetime, policy: Policy | None) -> None:
    try:
        with transient_failures():
            rank_refused(engine, now, policy, reconciling=rules.reconciliation)
    except MdmError as error:  # the next page tries again
        _logger.warning("Groups of refused messages could not be ranked: %s", error.message)
    finally:
        _renewing_refused.release()


def _renew(engine: Engine, rules: Rules, now: datetime, policy: Policy | None) -> None:
    try:
        with transient_failures():
            if old_ranks(engine, now):
                rank_open_tasks(engine, rules, now, policy)
    except MdmError as error:  # the next page tries again
        _logger.warning("Ranks could not be renewed: %s", error.message)
    finally:
        _renewing.release()
