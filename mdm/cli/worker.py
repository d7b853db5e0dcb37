"""Long-running workers: ingest, relay and calendar."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

import typer
from sqlalchemy.exc import OperationalError

from matching.compiling import compile_ahead
from mdm.bootstrap import DatabaseUnreachable, Hub
from mdm.cli.context import hub, pipeline
from mdm.cli.open_feed import GROUP, brokers_of, open_file, open_kafka
from mdm.errors import TransientError
from mdm.faults import arm
from mdm.hub.steward import load_policy
from mdm.model.anchors import private_key
from mdm.model.ids import Domain
from mdm.observability.logs import configure_logs
from mdm.store.read_metrics import worker_name
from mdm.streams.cloud_events import topic_of
from mdm.streams.kafka_publisher import KafkaPublisher
from mdm.streams.kafka_settings import read_stream_settings
from mdm.workers.calendar import CalendarOptions, run_calendar
from mdm.workers.patience import Patience, Stopped
from mdm.workers.relay import RelayOptions, run_relay
from mdm.workers.service import WorkerOptions, run_ingest_worker, stopped_by_signals

T = TypeVar("T")

worker = typer.Typer(no_args_is_help=True)

METRICS_PORT = typer.Option(0, help="Port of /metrics, /livez and /readyz; 0 shows none.")
METRICS_HOST = typer.Option("127.0.0.1", help="Address of /metrics, /livez and /readyz.")


@worker.callback()
def _root() -> None:
    """Processes that run until they are stopped. Run as many as you like; kill them at any moment."""
    arm(os.environ)
    configure_logs(json=True)


@contextmanager
def _hub_when_there(stop: Callable[[], bool], worker: str) -> Iterator[Hub]:
    """The hub, waiting for its database if that does not answer yet: workers start in any order."""
    with ExitStack() as stack:
        yield _when_there(stop, lambda: stack.enter_context(hub(name=worker_name(worker))))


def _when_there(stop: Callable[[], bool], ask: Callable[[], T]) -> T:
    """What the database answers, however often it goes away meanwhile."""

    def attempt() -> T:
        try:
            return ask()
        except (DatabaseUnreachable, OperationalError) as away:
            raise TransientError(str(away)) from away

    try:
        return Patience(None, stop).run(attempt)
    except Stopped:
        raise typer.Exit from None


@worker.command("ingest")
def ingest_command(
    feed: str = typer.Option(..., help="What to read: kafka://HOST:PORT[,HOST:PORT...] (or file:PATH, once)."),
    topics: str = typer.Option("", help="Regular expression of topics; default: all of the known platforms."),
    group: str = typer.Option(GROUP, help="Consumer group; workers of one group share the partitions."),
    batch_size: int = typer.Option(0, help="Most messages per unit of work; default MDM_BATCH_SIZE or 1000."),
    session_timeout: float = typer.Option(
        10.0, help="Seconds after which the partitions of a worker that is gone go to others."
    ),
    metrics_host: str = METRICS_HOST,
    metrics_port: int = METRICS_PORT,
) -> None:
    """Keep golden records up to date from a feed, until SIGTERM. Waits out restarts of broker and database."""
    with stopped_by_signals() as stop, _hub_when_there(stop, "ingest") as opened:
        flow = _when_there(stop, lambda: pipeline(opened))
        source = (
            open_kafka(opened, feed, topics or None, group, flow.catalogue, False, session_timeout)
            if feed.startswith("kafka:")
            else open_file(feed)
        )
        settings = opened.settings
        options = WorkerOptions(
            batch_size or settings.batch_size,
            settings.dead_letter_limit,
            metrics_host,
            metrics_port or None,
            # A file is read once: it falls silent because it ends.
            timedelta(seconds=settings.silent_after) if feed.startswith("kafka:") else None,
        )
        compile_ahead()  # not while a unit of work holds its claims
        run_ingest_worker(flow, source, options, stop)


@worker.command("relay")
def relay_command(
    broker: str = typer.Option(..., help="Where to publish: HOST:PORT[,HOST:PORT...]."),
    once: bool = typer.Option(False, "--once", help="Publish what waits now and end."),
    source: str = typer.Option("urn:mdm:hub", help="The CloudEvents source: names this hub to consumers."),
    partitions: int = typer.Option(6, help="Partitions of topics that do not exist yet."),
    metrics_host: str = METRICS_HOST,
    metrics_port: int = METRICS_PORT,
) -> None:
    """Publish golden records as CloudEvents to mdm.<domain>.golden.v1. At least once, ordered per entity.

    One relay publishes at a time; others wait to take over.
    """
    bootstrap = brokers_of(f"kafka://{broker.removeprefix('kafka://')}")
    with stopped_by_signals() as stop, _hub_when_there(stop, "relay") as opened:
        publisher = KafkaPublisher(bootstrap, read_stream_settings(os.environ).security)
        topics = [topic_of(domain) for domain in Domain]
        Patience(6 if once else None, stop).run(lambda: publisher.ensure_topics(topics, partitions))
        options = RelayOptions(source, once, metrics_host, metrics_port or None)
        published = run_relay(opened.engine, opened.clock, publisher, options, stop)
    typer.echo(f"{published} announcements published.", err=True)


@worker.command("calendar")
def calendar_command(
    every: float = typer.Option(60.0, help="Seconds between two looks.", min=1.0),
    erp: list[str] = typer.Option([], "--erp", help="Judge for this target; repeatable. Default: as in the rules."),
    once: bool = typer.Option(False, "--once", help="Do what is due now and end."),
    metrics_host: str = METRICS_HOST,
    metrics_port: int = METRICS_PORT,
) -> None:
    """Do what time brings: end what is due, judge onboarding anew when a record changed or evidence expired.

    Verdicts that are others now are announced as customer.readiness_changed. The audit chain is verified part by part,
    and anchored once a day in the folder MDM_AUDIT_ANCHORS. Once an hour it keeps what reconciliation finds. Without
    --once it also looks once a day at pairs that nothing compares, as `mdm match blocks --look` does. One calendar
    works at a time.
    """
    with stopped_by_signals() as stop, _hub_when_there(stop, "calendar") as opened:
        said = opened.settings
        options = CalendarOptions(
            every,
            erp,
            once,
            said.sources,
            metrics_host,
            metrics_port or None,
            anchors=said.audit_anchors,
            anchor_key=private_key(said.audit_anchor_key) if said.audit_anchor_key else None,
            reconciliation=said.reconciliation,
            policy=load_policy(said.steward_policy),
        )
        kept = run_calendar(_when_there(stop, lambda: pipeline(opened)), options, stop)
    typer.echo(f"{kept.ended} decisions, {kept.judged} customers judged, {kept.changed} verdicts changed.", err=True)
