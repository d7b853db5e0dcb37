"""The ingest loop against a real database: what it stores, what it obeys, what it shows."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from sqlalchemy import text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.errors import OperatorError
from mdm.hub.exceptions import to_discard
from mdm.hub.feeds import pause_feed, resume_feed
from mdm.hub.process import Pipeline
from mdm.hub.steward import Actor
from mdm.model.events import Outcome, TopicPartition
from mdm.observability.catalogue import METRICS
from mdm.observability.metrics import Metrics
from mdm.store.feed_numbers import lag_by_platform
from mdm.store.feeds import feed_states
from mdm.store.positions import stored_positions
from mdm.store.read_exceptions import Selection
from mdm.streams.memory import MemoryFeed
from mdm.workers.dead_letter_limit import TooManyDeadLetters
from mdm.workers.feed_metrics import FeedMetrics
from mdm.workers.ingest import Watch, drain
from mdm.workers.reporting import Reporting
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.test_exceptions import at

MESSAGES = tuple(message for message in world_messages() if message.place.topic == "crm.public.product2")


def run(
    pipeline: Pipeline, feed: MemoryFeed, watch: Watch | None = None, stop: Callable[[], bool] | None = None
) -> int:
    report = drain(
        pipeline, feed, batch_size=20, dead_letter_limit=10, watch=watch, stop=stop or (lambda: False)
    )  # fmt: skip
    return report.messages


def test_a_second_worker_continues_where_the_first_stopped(pipeline: Pipeline) -> None:
    feed = MemoryFeed("memory:crm", MESSAGES)
    turns = iter([False, False, True])
    assert run(pipeline, feed, stop=lambda: next(turns)) == 40

    assert run(pipeline, MemoryFeed("memory:crm", MESSAGES)) == len(MESSAGES) - 40


def test_the_broker_is_told_what_the_hub_has_stored(pipeline: Pipeline) -> None:
    feed = MemoryFeed("memory:crm", MESSAGES)
    run(pipeline, feed)

    assert feed.committed == stored_positions(pipeline.engine, "memory:crm")
    assert sum(feed.committed.values()) == len(MESSAGES)


def test_a_held_feed_waits_and_then_goes_on(pipeline: Pipeline) -> None:
    pause_feed(pipeline.engine, system_clock, "memory:crm", "ops", "release under way")
    held = threading.Event()
    results: list[int] = []
    watch = Watch(on_pause=lambda paused: held.set() if paused else None)
    worker = threading.Thread(
        target=lambda: results.append(run(pipeline, MemoryFeed("memory:crm", MESSAGES), watch)), daemon=True
    )
    worker.start()

    assert held.wait(20)
    assert stored_positions(pipeline.engine, "memory:crm") == {}
    assert resume_feed(pipeline.engine, system_clock, "memory:crm", "ops")
    worker.join(30)
    assert results == [len(MESSAGES)]


def test_who_held_a_feed_and_why_is_shown(pipeline: Pipeline) -> None:
    run(pipeline, MemoryFeed("memory:crm", MESSAGES))
    assert pause_feed(pipeline.engine, system_clock, "memory:crm", "ops", "release under way")
    assert not pause_feed(pipeline.engine, system_clock, "memory:crm", "ops", "again")

    with pipeline.engine.connect() as connection:
        (state,) = feed_states(connection)
    assert (state.feed, state.paused, state.actor, state.reason) == ("memory:crm", True, "ops", "release under way")
    assert state.partitions == 3


def test_a_feed_is_not_held_without_a_reason(pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError, match="reason"):
        pause_feed(pipeline.engine, system_clock, "memory:crm", "ops", " ")


def test_the_worker_shows_outcomes_lag_and_freshness(pipeline: Pipeline) -> None:
    metrics, feed = Metrics(), MemoryFeed("memory:crm", MESSAGES)
    shown = FeedMetrics(metrics, feed, system_clock)
    turns = iter([False, False, True])
    # Lag is shown at the beginning of a turn: the second one saw what the first one had left.
    run(pipeline, feed, Watch(on_commit=shown.committed, on_turn=shown.turned), stop=lambda: next(turns))

    shown_text = metrics.exposition().decode()
    assert 'mdm_events_total{outcome="applied",system="crm"} 40.0' in shown_text
    lag = Counter(TopicPartition(message.place.topic, message.place.partition) for message in MESSAGES[20:])
    assert sum(lag.values()) == len(MESSAGES) - 20
    for (topic, partition), behind in lag.items():
        assert f'lag_records{{partition="{partition}",system="crm",topic="{topic}"}} {float(behind)}' in shown_text
    Reporting(pipeline.engine, shown).turned()
    with pipeline.engine.connect() as connection:
        assert lag_by_platform(connection)["crm"].behind == sum(lag.values())
    assert 'mdm_source_silence_seconds{system="crm"}' in shown_text
    assert 'mdm_consumer_lag_seconds{system="crm",topic="crm.public.product2"}' in shown_text


def test_freshness_counts_changes_and_leaves_snapshots_out(pipeline: Pipeline) -> None:
    metrics, feed = Metrics(), MemoryFeed("memory:crm", MESSAGES)
    shown = FeedMetrics(metrics, feed, system_clock)
    reports = []
    run(
        pipeline,
        feed,
        Watch(on_commit=lambda messages, report: reports.append(report) or shown.committed(messages, report)),
    )  # type: ignore[func-returns-value]

    Reporting(pipeline.engine, shown).write()
    Reporting(pipeline.engine, shown).write()  # nothing is counted twice

    changes = sum(len(report.changed_at) for report in reports)
    applied = sum(report.outcomes["crm", Outcome.APPLIED] for report in reports)
    assert 0 < changes < applied
    assert (
        f'mdm_freshness_seconds_count{{entity="product2",system="crm"}} {float(changes)}'
        in metrics.exposition().decode()
    )
    assert kept_buckets(pipeline) == shown_buckets(metrics.exposition().decode())


def kept_buckets(pipeline: Pipeline) -> dict[str, float]:
    """Changes that the hub counts up to each bound, as Prometheus writes bounds."""
    with pipeline.engine.connect() as connection:
        kept = dict(connection.execute(text("select within, sum(changes) from freshness_hour group by within")).all())
    bounds = [*METRICS["mdm_freshness_seconds"].buckets, inf]
    return {
        "+Inf" if bound == inf else str(bound): float(sum(n for within, n in kept.items() if within <= bound))
        for bound in bounds
    }


def shown_buckets(exposition: str) -> dict[str, float]:
    found = re.findall(r'mdm_freshness_seconds_bucket{entity="product2",le="([^"]+)",system="crm"} (\S+)', exposition)
    return {bound: float(number) for bound, number in found}


def test_late_changes_are_counted_by_table_with_their_age(pipeline: Pipeline) -> None:
    first = MESSAGES[0]
    newer, older = at(first, 10**6, 2 * 10**12, Name="Newer"), at(first, 10**6 + 1, 10**12, Name="Older")
    metrics, feed = Metrics(), MemoryFeed("memory:crm", [first, newer, older])
    shown = FeedMetrics(metrics, feed, system_clock)
    drain(
        pipeline, feed, batch_size=1, dead_letter_limit=0, watch=Watch(on_commit=shown.committed)
    )  # fmt: skip

    shown_text = metrics.exposition().decode()
    assert 'mdm_late_events_total{entity="product2",system="crm"} 1.0' in shown_text
    assert 'mdm_lateness_seconds_count{entity="product2",system="crm"} 1.0' in shown_text


def test_lag_is_by_partition() -> None:
    feed = MemoryFeed("memory:crm", MESSAGES)
    feed.seek({TopicPartition("crm.public.product2", 0): 10**6})

    assert feed.lag()[TopicPartition("crm.public.product2", 0)] == 0


def test_a_bad_release_stops_the_worker_and_loses_nothing(pipeline: Pipeline) -> None:
    garbled = tuple(replace(message, value=b"{") if message.value else message for message in MESSAGES)

    with pytest.raises(TooManyDeadLetters, match="product2"):
        run(pipeline, MemoryFeed("memory:crm", garbled))

    stored = sum(stored_positions(pipeline.engine, "memory:crm").values())
    assert 0 < stored < len(MESSAGES)

    # A service manager starts it again and again: that must not empty the topic, one unit of work each time.
    for _ in range(2):
        with pytest.raises(TooManyDeadLetters, match="open dead letters"):
            run(pipeline, MemoryFeed("memory:crm", garbled))
    assert sum(stored_positions(pipeline.engine, "memory:crm").values()) == stored

    # The source mends its messages, and those from before are dealt with.
    worthless = to_discard(pipeline.engine, Selection(code="ENVELOPE_MALFORMED"), "a bad release")
    decide(pipeline, Actor("tester", Role.OPERATOR), worthless)
    run(pipeline, MemoryFeed("memory:crm", MESSAGES))
    assert sum(stored_positions(pipeline.engine, "memory:crm").values()) == len(MESSAGES)
