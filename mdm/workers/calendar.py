"""What happens because time passes: end dates come, evidence grows old, verdicts change and are announced.

It ends verdicts, overrides and proposals that are due, leaves out refused messages whose tier allows it, lets those go
that wait for nothing any more, judges anew the customers whose onboarding verdict may not hold any more, and golden
versions for the ERP view. It verifies the audit chain part by part. Once an hour it keeps what reconciliation finds.
Once a day it anchors the chain where a folder is named for that, counts the keys that too many records share, and looks
at a sample of the pairs that nothing compares for that. Cheap when nothing is due. One calendar works at a time; others
wait to take over.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from mdm.core.four_eyes import Policy
from mdm.errors import OperatorError, TransientError
from mdm.hub.above_cap import above_cap_by_cap
from mdm.hub.asking_erp import ask_about_changes
from mdm.hub.audit_anchor import ANCHORED_EVERY, anchor_when_due, read_anchors
from mdm.hub.audit_check import check_audit
from mdm.hub.erp_gates import gated_erps, pass_gates, tell_gated
from mdm.hub.leaving_out import leave_out_due
from mdm.hub.letting_go import let_go
from mdm.hub.process import Pipeline, by_rules_in_force
from mdm.hub.recheck import recheck
from mdm.hub.reconcile import reconcile
from mdm.hub.steward import expire_due
from mdm.hub.uncompared import look
from mdm.observability.catalogue import MetricName
from mdm.observability.logs import bound, logger
from mdm.observability.metrics import Metrics
from mdm.store.finding_history import Run, newest_run, write_run
from mdm.store.findings import write_day
from mdm.store.process_numbers import process_numbers
from mdm.store.reading import snapshot, transient_failures
from mdm.workers.exposition import Health, exposed
from mdm.workers.patience import Patience, Stopped, pause
from mdm.workers.reconciling import Beside

_log = logger(__name__)
#: Whoever holds it keeps the calendar. Held by a session, so it is free when the process dies.
_LOCK = 0x6D646D63  # "mdmc"
#: A look at all keys of a hub takes as long as reading its largest table.
_COUNTED_EVERY = timedelta(days=1)
#: What was seen by no run in between was a matter of an hour. A server that shows findings keeps what it finds, too.
_RECONCILED_EVERY = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_ABOVE_CAP: Final[tuple[MetricName, ...]] = ("mdm_match_blocks_above_cap", "mdm_match_records_above_cap")


@dataclass(frozen=True, slots=True)
class CalendarOptions:
    """How a calendar runs. `erps` are the targets to judge for; none: that of the onboarding rules. With `once` it does
    not look at pairs that nothing compares: whoever starts it every minute would have them looked at every minute.
    `sources` is the folder of platforms, `policy` says who agrees to sensitive changes; the shipped ones if none."""

    every_seconds: float = 60.0
    erps: Sequence[str] = ()
    once: bool = False
    sources: Path | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    #: Where the audit chain is anchored, and what signs the anchors.
    anchors: Path | None = None
    anchor_key: Ed25519PrivateKey | None = None
    #: What reconciliation goes by in this company; None for the shipped rules.
    reconciliation: Path | None = None
    policy: Policy | None = None


@dataclass(slots=True)
class Kept:
    """What a calendar did: decisions that ended something, customers judged anew, verdicts that are others now, refused
    messages that were left out, and announcements of what the gates of the ERP view hold back, or no longer do."""

    ended: int = 0
    judged: int = 0
    changed: int = 0
    left_out: int = 0
    gated: int = field(default=0, compare=False)


def run_calendar(flow: Pipeline, options: CalendarOptions, stop: Callable[[], bool]) -> Kept:
    """Keep the calendar until `stop` says so; with `once`, do what is due now and end.

    Raises:
        TransientError: with `once`, the database stayed away through all attempts.
    """
    metrics, health = Metrics(process_numbers(flow.engine)), Health()

    def failed(failure: TransientError) -> None:
        health.waits(failure.message)
        metrics.count("mdm_worker_retries_total", worker="calendar", code=failure.code)

    calendar = _Calendar(flow, options, stop, health, metrics)
    patience = Patience(6 if options.once else None, stop, failed)
    with exposed(metrics, health, options.metrics_host, options.metrics_port) as port, bound(worker="calendar"):
        _log.info("worker_started", metrics_port=port)
        with suppress(Stopped):  # between two batches of customers: the next calendar goes on there
            patience.run(calendar.run)
        _log.info("worker_stopped", ended=calendar.kept.ended, judged=calendar.kept.judged)
    return calendar.kept


class _Calendar:
    def __init__(
        self, flow: Pipeline, options: CalendarOptions, stop: Callable[[], bool], health: Health, metrics: Metrics
    ) -> None:
        self._flow, self._options, self._stop, self._health = flow, options, stop, health
        self._metrics, self._counted_at, self._looked_at, self._anchored_at = metrics, _NEVER, _NEVER, _NEVER
        self.kept = Kept()
        self._beside = Beside(options.sources, options.reconciliation)

    def run(self) -> None:
        """One session: take the turn, keep the calendar until told to stop. Fails and starts over as a whole."""
        with transient_failures(), self._flow.engine.connect() as session:
            session = session.execution_options(isolation_level="AUTOCOMMIT")
            try:
                self._keep(session)
            finally:
                # Given back before the session ends: a server notices a closed session late, and whoever is next
                # would find the turn taken by nobody. One that was cut has lost it already.
                with suppress(SQLAlchemyError):
                    session.execute(text("select pg_advisory_unlock_all()"))
                session.invalidate()

    def _keep(self, session: Connection) -> None:
        while not self._stop():
            if _taken(session):
                self._turn()
            if self._options.once:
                return
            self._health.turn()
            pause(self._options.every_seconds, self._stop)

    def _turn(self) -> None:
        with snapshot(self._flow.engine) as work:
            now = by_rules_in_force(self._flow, work)
        self.kept.ended += len(expire_due(now))
        self.kept.left_out += leave_out_due(now)
        let_go(now)
        check_audit(now.engine, now.clock)
        self._anchor(now)
        for erp in self._options.erps or (None,):
            found = recheck(now.engine, now.clock, now.rules.platforms, erp, progress=self._go_on)
            self.kept.judged += found.judged
            self.kept.changed += found.changed
        for erp in gated_erps(now.engine, self._options.erps):
            pass_gates(now.engine, now.rules.platforms, now.clock(), erp, go_on=lambda: self._go_on(0, 0))
        self.kept.gated += tell_gated(now.engine, now.clock)
        self._keep_findings(now)
        ask_about_changes(now.engine, now.clock, now.catalogue.owner_of, self._options.policy)
        self._count_blocks(now)
        self._look_at_pairs(now)

    def _keep_findings(self, now: Pipeline) -> None:
        """Keep what reconciliation finds, where the last run that is kept was an hour ago."""
        began = now.clock()
        with now.engine.connect() as connection:
            before = newest_run(connection)
        if before is not None and began - before.began_at < _RECONCILED_EVERY:
            return
        self._go_on(0, 0)
        # A calendar that stays gives the memory of a large hub back: it looks in another process.
        once, rules = self._options.once, now.rules.reconciliation
        found = reconcile(now.engine, now.catalogue, rules) if once else self._beside(now.engine)
        write_run(now.engine, Run(began, found.as_of), found.findings)
        write_day(now.engine, began.date(), found.findings)

    def _anchor(self, now: Pipeline) -> None:
        """Anchor the audit chain once a day. A folder that is away holds up nothing else: the metric stands still.

        A chain that contradicts an anchor is told at every turn, until somebody has seen to it.
        """
        folder, clock = self._options.anchors, now.clock
        if folder is None or clock() - self._anchored_at < ANCHORED_EVERY:
            return
        if self._anchored_at is _NEVER:
            self._metrics.set("mdm_audit_last_anchored_timestamp_seconds", 0)
        try:
            faults = anchor_when_due(now.engine, clock, folder, self._options.anchor_key)
            kept = read_anchors(folder).kept
        except OperatorError as failure:
            _log.error("audit_not_anchored", reason=failure.message, what_to_do=failure.advice)
            return
        for fault in faults:
            _log.error("audit_contradicts_anchor", place=fault.place, fault=fault.what)
        if kept:
            self._metrics.set("mdm_audit_last_anchored_timestamp_seconds", kept[-1].anchor.at.timestamp())
        if kept and not faults:
            self._anchored_at = kept[-1].anchor.at

    def _count_blocks(self, now: Pipeline) -> None:
        """Show how many keys too many records share: once a day, where anybody can see it. It looks at all keys."""
        if self._options.metrics_port is None or now.clock() - self._counted_at < _COUNTED_EVERY:
            return
        found = above_cap_by_cap(now.engine, now.rules)
        for name in _ABOVE_CAP:
            self._metrics.forget(name)  # a release may have other caps
        for (domain, cap), crowd in found.items():
            labels = {"entity": domain.value, "cap": str(cap)}
            for name, number in zip(_ABOVE_CAP, (crowd.blocks, crowd.records), strict=True):
                self._metrics.set(name, number, **labels)
        self._counted_at = now.clock()

    def _look_at_pairs(self, now: Pipeline) -> None:
        """Ask about pairs that nothing compares and the model would link: once a day, by a calendar that stays."""
        if self._options.once or now.clock() - self._looked_at < _COUNTED_EVERY:
            return
        found = look(now, lambda: self._go_on(0, 0))
        self._looked_at = now.clock()
        _log.info("pairs_looked_at", rules=sum(each.sampled is not None for each in found),
                  questions=sum(each.finding is not None for each in found))  # fmt: skip

    def _go_on(self, _done: int, _all: int) -> None:
        self._health.turn()
        if self._stop():
            raise Stopped


def _taken(session: Connection) -> bool:
    """Whether this session keeps the calendar. A session that was cut loses its turn, and fails here."""
    return bool(
        session.scalar(
            text(
                """select exists (select from pg_locks where locktype = 'advisory' and objid = :lock and granted
                                  and pid = pg_backend_pid()) or pg_try_advisory_lock(:lock)"""
            ),
            {"lock": _LOCK},
        )
    )
