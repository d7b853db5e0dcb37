"""What Prometheus sees of one API process: its requests, and the hub's vital signs at the time of the scrape."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from mdm.hub.closing import Readiness
from mdm.lifecycle.overview import Overview
from mdm.lifecycle.policy import Policy
from mdm.lifecycle.stuck import Stuck
from mdm.observability.catalogue import METRICS, MetricName
from mdm.observability.metrics import Asked, AskedCollector, Sample, State, StateCollector
from mdm.store.read_metrics import STATE_METRICS
from mdm.store.read_models import Vitals

# From a warm read by id (1 ms) to what no caller should wait for (10 s).
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: What reconciliation found, as this process looked last.
RECONCILED: tuple[MetricName, ...] = (
    "mdm_recon_breaks", "mdm_recon_break_amount", "mdm_transactions_stuck", "mdm_transactions_stuck_days",
    "mdm_close_open_points", "mdm_close_days_left",
)  # fmt: skip


class Metrics:
    """A registry of its own, so that two applications in one process do not mix."""

    def __init__(self, asked: Asked) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests. If the tail grows for one route, look at its queries first.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._refused = {
            403: self._counter("mdm_authz_denials_total"), 429: self._counter("mdm_ratelimit_rejections_total"),
        }  # fmt: skip
        self._repeated = self._counter("mdm_idempotency_hits_total")
        self._consumed = self._gauge("mdm_messages_consumed", "Messages consumed. If it stands still, look at ingest.")
        self._tasks = self._gauge("mdm_steward_tasks_open", "Open steward tasks. If it only grows, add stewards.")
        self._unpublished = self._gauge(
            "mdm_outbox_unpublished", "Unpublished announcements. If it grows, see the relay."
        )
        self._state = StateCollector((*STATE_METRICS, *RECONCILED), self.registry)
        AskedCollector(asked, self.registry)
        self._commit = self._gauge("mdm_last_commit_timestamp_seconds", "Commit of the newest unit of work.")

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request under its route's template, never under its address."""
        self._requests.labels(method, route, str(status)).observe(seconds)
        if (refused := self._refused.get(status)) is not None:
            refused.labels(route).inc()

    def repeated(self, route: str) -> None:
        """Count a write that was sent again under its name, and answered as the first time."""
        self._repeated.labels(route).inc()

    def show(self, vitals: Vitals) -> None:
        """Set the gauges to the hub's present state."""
        self._consumed.set(vitals.consumed)
        self._tasks.set(vitals.open_tasks)
        self._unpublished.set(vitals.unpublished)
        if vitals.last_commit is not None:
            self._commit.set(vitals.last_commit)

    def show_state(self, state: State) -> None:
        """Serve these values of the hub's catalogue from now on; one that is left out has no value."""
        self._state.show(dict.fromkeys((*STATE_METRICS, *RECONCILED), ()) | dict(state))

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the format that the scraper asks for, and its media type."""
        encoder, media_type = choose_encoder(accept)
        return encoder(self.registry), media_type

    def _counter(self, name: MetricName) -> Counter:
        return Counter(name, METRICS[name].meaning, METRICS[name].labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(name, documentation, registry=self.registry)


def closing_soon(close: Readiness) -> dict[MetricName, Sequence[Sample]]:
    """How the close of the month stands, in numbers."""
    return {
        "mdm_close_open_points": [Sample((close.month,), close.open_points)],
        "mdm_close_days_left": [Sample((close.month,), close.days_left)],
    }


def reconciled(overview: Overview, policy: Policy, stuck: Sequence[Stuck]) -> dict[MetricName, Sequence[Sample]]:
    """What reconciliation found, in numbers. A rule that found nothing is told as well: an alert sees it grow."""
    shelves = [(name, declared.severity.value, overview.shelf(name)) for name, declared in policy.rules.items()]
    return {
        "mdm_recon_breaks": [Sample((name, severity), len(shelf.findings)) for name, severity, shelf in shelves],
        "mdm_recon_break_amount": [
            Sample((name, currency), float(amount))
            for name, _, shelf in shelves
            for currency, amount in sorted(shelf.sums.items())
        ],
        "mdm_transactions_stuck": [
            Sample((stage,), sum(each.stage == stage for each in stuck)) for stage in policy.progress
        ],
        "mdm_transactions_stuck_days": [
            Sample((stage,), max((each.days for each in stuck if each.stage == stage), default=0))
            for stage in policy.progress
        ],
    }
