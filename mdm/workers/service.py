"""The long-running ingest worker: reads a feed until it is told to stop, waits out every failure that may pass."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from mdm.errors import TransientError
from mdm.hub.outdated import outdated
from mdm.hub.process import BatchReport, Pipeline
from mdm.model.events import TopicPartition
from mdm.observability.logs import bound, logger
from mdm.observability.metrics import Metrics
from mdm.store.process_numbers import process_numbers
from mdm.streams.protocol import Consumer
from mdm.workers.exposition import Health, exposed
from mdm.workers.feed_metrics import FeedMetrics
from mdm.workers.ingest import Watch, drain
from mdm.workers.listening import Listening
from mdm.workers.patience import Patience, Stopped
from mdm.workers.reporting import Reporting

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker runs. `metrics_port` None shows no metrics; `silent_after` None looks for no silence."""

    batch_size: int
    dead_letter_limit: int
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    silent_after: timedelta | None = None


@contextmanager
def stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """Within the block, SIGTERM and SIGINT set a flag instead of ending the process; yields a function that reads it.

    The unit of work under way is finished and committed. A second signal ends the process at once: what it was doing
    is rolled back and read again by whoever starts next.
    """
    told = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler
        if told.is_set():
            raise SystemExit(128 + signum)
        told.set()

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told.is_set
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell_what_is_outdated(pipeline: Pipeline, patience: Patience) -> None:
    with suppress(Stopped):
        for each in patience.run(lambda: outdated(pipeline.engine, pipeline.catalogue, pipeline.rules)):
            _log.warning(
                each.code.lower(), code=each.code, message=each.message, advice=each.advice, about=list(each.about)
            )


def run_ingest_worker(
    pipeline: Pipeline, feed: Consumer, options: WorkerOptions, stop: Callable[[], bool]
) -> BatchReport:
    """Read a feed until `stop` says so; returns what was done.

    Raises:
        OperatorError: something that waiting does not mend: too many dead letters, a lost position, refused access.
    """
    metrics, health = Metrics(process_numbers(pipeline.engine)), Health()
    shown = FeedMetrics(metrics, feed, pipeline.clock)
    listening = Listening(pipeline, options.silent_after)
    reporting = Reporting(pipeline.engine, shown)

    def turned(waiting: Mapping[TopicPartition, int]) -> None:
        health.turn()
        shown.turned(waiting)
        listening.turned()
        reporting.turned()

    def failed(failure: TransientError) -> None:
        health.waits(failure.message)
        metrics.count("mdm_worker_retries_total", worker="ingest", code=failure.code)

    def paused(held: bool) -> None:
        shown.paused(held)
        _log.info("feed_paused" if held else "feed_resumed")

    watch = Watch(on_turn=turned, on_pause=paused, on_commit=shown.committed)
    with (
        exposed(metrics, health, options.metrics_host, options.metrics_port) as port,
        bound(worker="ingest", feed=feed.name),
    ):
        _log.info("worker_started", metrics_port=port)
        patience = Patience(None, stop, failed)
        try:
            _tell_what_is_outdated(pipeline, patience)
            report = drain(
                pipeline,
                feed,
                batch_size=options.batch_size,
                dead_letter_limit=options.dead_letter_limit,
                stop=stop,
                watch=watch,
                patience=patience,
            )
        finally:
            reporting.write()
            feed.close()
        _log.info("worker_stopped", messages=report.messages)
        return report
