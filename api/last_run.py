"""The last run of reconciliation in this process: its rules look at the whole hub, so all who ask share it."""

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Engine, Pool

from mdm.hub.reconcile import Reconciliation, reconcile
from mdm.lifecycle.findings import Finding
from mdm.model.ids import EntityId
from mdm.store.findings import write_day
from mdm.store.read_console import newest_batch
from mdm.store.scoped import scope_of, unrestricted, visible_ids

#: While the hub takes in one batch after the other, findings may be this old; pages say of when they are.
_FRESH_FOR = timedelta(minutes=1)


class LastRun:
    """What reconciliation found last, and for which state of the hub. Everybody is told what they may reach of it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hub: Pool | None = None
        self._batch = -1
        self._at: datetime | None = None
        self._found: Reconciliation | None = None

    def of(self, engine: Engine, now: datetime) -> Reconciliation:
        """The findings: of now, or of at most a minute ago when the hub has taken in something since."""
        return _within_reach(engine, self._whole(unrestricted(engine), now))

    def known(self, engine: Engine) -> Reconciliation | None:
        """What is known without looking: for pages that must not wait."""
        found = self._found if self._hub is engine.pool else None
        return _within_reach(engine, found) if found is not None else None

    def _whole(self, engine: Engine, now: datetime) -> Reconciliation:
        with self._lock:
            if self._found is not None and self._hub is engine.pool:
                young = self._at is not None and now - self._at < _FRESH_FOR
                if young or self._batch == newest_batch(engine):
                    return self._found
            batch = newest_batch(engine)
            self._found = reconcile(engine)
            write_day(engine, now.date(), self._found.findings)
            self._hub, self._batch, self._at = engine.pool, batch, now
            return self._found


def _within_reach(engine: Engine, found: Reconciliation) -> Reconciliation:
    """The findings about customers and contracts that are reached with this engine; all where it is not limited.

    The rules themselves look at everything: what somebody may not see must not look as if it were missing.
    """
    if not scope_of(engine).limits_rows:
        return found
    parties = {each: _parties(each) for each in found.findings}
    with engine.connect() as connection:
        reached = visible_ids(connection, set().union(*parties.values()))
    return replace(found, findings=tuple(each for each, ids in parties.items() if ids and ids <= reached))


def _parties(finding: Finding) -> set[EntityId]:
    return {each for each in (finding.customer, finding.contract) if each is not None}


last_run = LastRun()
