"""The last run of reconciliation in this process: its rules look at the whole hub, so all who ask share it.

A run over a large hub takes seconds, which no page should: once there is one, pages show it, and a newer one is made
beside them. Only who comes before the first one has ended waits.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock, Thread
from time import monotonic

from sqlalchemy import Engine, Pool

from mdm.access import Scope
from mdm.core.four_eyes import Policy
from mdm.hub.finding_order import in_order, measures_now
from mdm.hub.reconcile import Reconciliation, reconcile
from mdm.lifecycle.findings import Finding
from mdm.lifecycle.overview import Overview
from mdm.lifecycle.policy import Policy as Reconciling
from mdm.lifecycle.stuck import Stuck
from mdm.model.ids import EntityId
from mdm.model.worklist import Measures
from mdm.store.finding_history import Run, write_run
from mdm.store.findings import write_day
from mdm.store.read_console import newest_batch
from mdm.store.scoped import scope_of, unrestricted, visible_ids

_logger = logging.getLogger("mdm.api")
#: While the hub takes in one batch after the other, findings may be this old; pages say of when they are.
_FRESH_FOR = timedelta(minutes=1)
#: At most this share of the time is spent on looking anew: the longer a run takes, the rarer it is.
_SHARE = 0.1
#: A run of this age is not shown any more while a newer one is made: too much may have changed since.
_SHOWN_FOR = timedelta(minutes=15)
#: Whoever has a newer run begun waits so long for it, in seconds, before they get the one before: most hubs are small.
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Looked:
    """Findings as somebody reaches them, in the order and the sums of pages."""

    found: Reconciliation
    overview: Overview


@dataclass(frozen=True, slots=True)
class _Run:
    hub: Pool
    batch: int
    at: datetime
    seconds: float
    found: Reconciliation
    #: As everybody who asked reaches it, the newest unit of work then (what is reached changes only with one), and by
    #: what it was put in order, which changes with the day.
    looks: dict[Scope, tuple[int, Measures, Looked]] = field(default_factory=dict)


class LastRun:
    """What reconciliation found last, and for which state of the hub. Everybody is told what they may reach of it."""

    def __init__(self, find: Callable[[Engine], Reconciliation] = reconcile) -> None:
        self._find = find
        self._policy: Policy | None = None
        self._reconciling: Reconciling | None = None
        self._lock = Lock()
        self._run: _Run | None = None
        self._under_way: tuple[Pool, Future[_Run]] | None = None

    def by(
        self,
        find: Callable[[Engine], Reconciliation],
        policy: Policy | None = None,
        reconciling: Reconciling | None = None,
    ) -> None:
        """From now on, findings are looked for in this way, this policy says what is much money, and these rules of
        reconciliation on which day books are closed."""
        self._find, self._policy, self._reconciling = find, policy, reconciling

    def look(self, engine: Engine, now: datetime, patience: float | None = None) -> Looked | None:
        """The findings: of now, or those known while newer ones are made.

        None when there are none yet and `patience`, in seconds, has run out; without it, this waits for them.
        """
        hub = unrestricted(engine)
        run = self._known(hub)
        if run is None or self._old(run, hub, now):
            under_way, mine = self._begun(hub, now, run)
            if run is not None and now - run.at > _SHOWN_FOR:
                run = None
            grace = 0.0 if not mine else _GRACE if patience is None else min(patience, _GRACE)
            try:
                run = under_way.result(patience if run is None else grace)
            except TimeoutError:
                if run is None:
                    return None
        return self._shown(engine, run, now)

    def of(self, engine: Engine, now: datetime) -> Reconciliation:
        """The findings as `look` gives them, waited for."""
        looked = self.look(engine, now)
        assert looked is not None, "without patience it is waited for"
        return looked.found

    def prepare(self, engine: Engine, now: datetime) -> None:
        """Begin to look, and wait for nothing."""
        hub = unrestricted(engine)
        self._begun(hub, now, self._known(hub))

    def known(self, engine: Engine, now: datetime) -> Looked | None:
        """What is known without looking: for pages that must not wait."""
        run = self._known(engine)
        return self._shown(engine, run, now) if run is not None else None

    def freshened(self, engine: Engine, now: datetime) -> Looked | None:
        """What is known, and a newer run begun where it is old: for those who ask again soon. Waits for nothing.

        None while there is none; the first run comes with the start of the server, or with who waits for it.
        """
        hub = unrestricted(engine)
        run = self._known(hub)
        if run is None:
            return None
        if self._old(run, hub, now):
            self._begun(hub, now, run)
        return self._shown(engine, run, now)

    def _shown(self, engine: Engine, run: _Run, now: datetime) -> Looked:
        return _within_reach(engine, run, measures_now(engine, now, self._policy, self._reconciling))

    def _known(self, engine: Engine) -> _Run | None:
        run = self._run
        return run if run is not None and run.hub is engine.pool else None

    def _old(self, run: _Run, hub: Engine, now: datetime) -> bool:
        if now - run.at < max(_FRESH_FOR, timedelta(seconds=run.seconds / _SHARE)):
            return False
        return run.batch != newest_batch(hub)

    def _begun(self, hub: Engine, now: datetime, before: _Run | None) -> tuple[Future[_Run], bool]:
        """The run that is under way, and whether it was begun by this call. `before` is what whoever calls knows: where
        one has ended since then it is newer, and no other is begun."""
        with self._lock:
            if self._under_way is not None and self._under_way[0] is hub.pool and not self._under_way[1].done():
                return self._under_way[1], False
            future: Future[_Run] = Future()
            if (ended := self._known(hub)) is not None and ended is not before:
                future.set_result(ended)
                return future, False
            self._under_way = hub.pool, future
        Thread(target=self._make, args=(hub, now, future), name="reconciliation", daemon=True).start()
        return future, True

    def _make(self, hub: Engine, now: datetime, future: Future[_Run]) -> None:
        try:
            began, batch = monotonic(), newest_batch(hub)
            found = self._find(hub)
            write_day(hub, now.date(), found.findings)
            write_run(hub, Run(now, found.as_of), found.findings)
            run = _Run(hub.pool, batch, now, monotonic() - began, found)
        except Exception as error:  # whoever waits is told; when nobody does, the next page tries again
            _logger.warning("Reconciliation did not end: %s", error)
            future.set_exception(error)
        else:
            self._run = run
            future.set_result(run)


def _within_reach(engine: Engine, run: _Run, measures: Measures) -> Looked:
    """The findings about customers and contracts that are reached with this engine; all where it is not limited.

    The rules themselves look at everything: what somebody may not see must not look as if it were missing.
    """
    scope = scope_of(engine)
    newest = newest_batch(unrestricted(engine)) if scope.limits_rows else run.batch
    batch, by, known = run.looks.get(scope, (-1, None, None))
    if known is None or batch != newest or by != measures:
        found = run.found
        if scope.limits_rows:
            everything: tuple[Finding | Stuck, ...] = (*found.findings, *found.stuck)
            parties = {each: _parties(each) for each in everything}
            with engine.connect() as connection:
                reached = visible_ids(connection, set().union(*parties.values()))
            told = {each for each, ids in parties.items() if ids and ids <= reached}
            found = replace(
                found,
                findings=tuple(each for each in found.findings if each in told),
                stuck=tuple(each for each in found.stuck if each in told),
            )
        known = Looked(found, in_order(found, measures))
        run.looks[scope] = newest, measures, known
    return known


def _parties(finding: Finding | Stuck) -> set[EntityId]:
    return {each for each in (finding.customer, finding.contract) if each is not None}


last_run = LastRun()
