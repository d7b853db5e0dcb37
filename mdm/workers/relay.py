"""The relay: publishes the outbox, oldest first, at least once, one relay at a time.

A batch counts as published when the broker has acknowledged all of it. If the relay dies in between, the batch is
published again with the same event ids and sequence numbers, so consumers recognise it. The last event of an erased
entity is followed by a tombstone, which lets the broker compact away what was published of it before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from mdm.clock import Clock
from mdm.errors import TransientError
from mdm.faults import fault_point
from mdm.observability.logs import bound, logger
from mdm.observability.metrics import Metrics
from mdm.store.outbox import Outbox, Pending, open_outbox
from mdm.store.process_numbers import process_numbers
from mdm.streams.cloud_events import cloud_event, tombstone, topic_of
from mdm.streams.publisher import Publisher, Record
from mdm.workers.exposition import Health, exposed
from mdm.workers.patience import Patience, Stopped, pause

_log = logger(__name__)

_BATCH = 500
#: How often an idle relay looks for announcements, and a waiting one whether the turn is free.
_IDLE_SECONDS, _TURN_SECONDS = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """How a relay runs. `source` is the CloudEvents source of everything this hub says."""

    source: str = "urn:mdm:hub"
    once: bool = False
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None


def run_relay(
    engine: Engine, clock: Clock, publisher: Publisher, options: RelayOptions, stop: Callable[[], bool]
) -> int:
    """Publish until `stop` says so, or, with `once`, until nothing is left; returns how many were published.

    Raises:
        OperatorError: the broker refuses what waiting does not mend.
        TransientError: with `once`, the broker or the database stayed away through all attempts.
    """
    metrics, health = Metrics(process_numbers(engine)), Health()

    def failed(failure: TransientError) -> None:
        health.waits(failure.message)
        metrics.count("mdm_worker_retries_total", worker="relay", code=failure.code)

    relay = _Relay(engine, clock, publisher, options, stop, metrics, health)
    patience = Patience(6 if options.once else None, stop, failed)
    with exposed(metrics, health, options.metrics_host, options.metrics_port) as port, bound(worker="relay"):
        _log.info("worker_started", metrics_port=port)
        try:
            patience.run(relay.run)
        except Stopped:
            pass
        finally:
            publisher.close()
        _log.info("worker_stopped", published=relay.published)
    return relay.published


class _Relay:
    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        publisher: Publisher,
        options: RelayOptions,
        stop: Callable[[], bool],
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._engine, self._clock, self._publisher, self._options = engine, clock, publisher, options
        self._stop, self._metrics, self._health = stop, metrics, health
        self.published = 0

    def run(self) -> None:
        """One session: take the turn, publish until told to stop. Fails as a whole and starts over as a whole."""
        with open_outbox(self._engine) as outbox:
            while not outbox.is_mine():
                if self._stop():
                    return
                self._health.turn()
                pause(_TURN_SECONDS, self._stop)
            while not self._stop():
                published = self._publish(outbox)
                self._show(outbox)
                if not published:
                    if self._options.once:
                        return
                    pause(_IDLE_SECONDS, self._stop)

    def _publish(self, outbox: Outbox) -> int:
        pending = outbox.pending(_BATCH)
        if not pending:
            return 0
        fault_point("relay.read")
        self._publisher.send(self._records(pending))
        fault_point("relay.sent")
        self._publisher.flush()
        fault_point("relay.delivered")
        outbox.mark_published(pending, self._clock())
        fault_point("relay.marked")
        self.published += len(pending)
        for each in pending:
            self._metrics.count("mdm_outbox_published_total", topic=topic_of(each.domain))
        return len(pending)

    def _records(self, pending: Sequence[Pending]) -> list[Record]:
        records = []
        for each in pending:
            event = cloud_event(
                event_id=str(each.id),
                source=self._options.source,
                event=each.type,
                domain=each.domain,
                entity_id=each.entity_id,
                seq=each.seq,
                at=each.created_at,
                payload=each.payload,
                traceparent=each.traceparent,
            )
            records.append(event)
            if each.ends_erased:
                records.append(tombstone(each.domain, each.entity_id, each.created_at))
        return records

    def _show(self, outbox: Outbox) -> None:
        waiting, oldest = outbox.depth(self._clock())
        self._metrics.set("mdm_outbox_pending", waiting)
        self._metrics.set("mdm_outbox_oldest_seconds", oldest)
        self._health.turn()
