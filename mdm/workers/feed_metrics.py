"""What a worker reports of the feed it reads: outcomes, lag, silence, freshness."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf
from types import MappingProxyType

from mdm.clock import Clock
from mdm.hub.measures import Measures
from mdm.hub.process import BatchReport
from mdm.model.events import Message, TopicPartition
from mdm.observability.catalogue import METRICS
from mdm.observability.metrics import Metrics
from mdm.store.feed_numbers import FeedNumbers, FreshIn, Lag
from mdm.store.ledger import system_of
from mdm.streams.protocol import Consumer

_BOUNDS = METRICS["mdm_freshness_seconds"].buckets


class FeedMetrics:
    """Keeps the feed's metrics; told of every commit and every turn of the loop."""

    def __init__(self, metrics: Metrics, feed: Consumer, clock: Clock) -> None:
        self._metrics, self._feed, self._clock = metrics, feed, clock
        #: Broker's time of the newest message taken from each topic, in seconds.
        self._newest: dict[str, float] = {}
        #: When a platform was last heard, by our clock.
        self._heard: dict[str, datetime] = {}
        self._shown: set[TopicPartition] = set()
        #: What is shown now, and what was added to the histogram of freshness since it was last written down.
        self._lag: tuple[Lag, ...] = ()
        self._fresh: Counter[FreshIn] = Counter()
        metrics.set("mdm_feed_paused", 0, feed=feed.name)

    def committed(self, messages: Sequence[Message], report: BatchReport) -> None:
        """A unit of work is visible to readers now."""
        now = self._clock()
        for (system, outcome), number in report.outcomes.items():
            self._metrics.count("mdm_events_total", number, system=system, outcome=outcome.value)
        for stage, seconds in report.stages.items():
            self._metrics.observe("mdm_stage_duration_seconds", seconds, stage=stage)
        for system, entity, changed_at in report.changed_at:
            fresh = max((now - changed_at).total_seconds(), 0.0)
            self._metrics.observe("mdm_freshness_seconds", fresh, system=system, entity=entity)
            self._fresh[FreshIn(_hour(now), system, entity, _bucket(fresh))] += 1
        for system, entity, changed_at in report.late_at:
            self._metrics.count("mdm_late_events_total", system=system, entity=entity)
            lateness = max((now - changed_at).total_seconds(), 0.0)
            self._metrics.observe("mdm_lateness_seconds", lateness, system=system, entity=entity)
        self._resolved(report.measures)
        for message in messages:
            topic = message.place.topic
            self._newest[topic] = max(self._newest.get(topic, 0.0), message.timestamp_ms / 1000)
            self._heard[system_of(topic)] = now

    def _resolved(self, measures: Measures) -> None:
        for (domain, decision), number in measures.pairs.items():
            self._metrics.count("mdm_match_candidates_total", number, entity=domain.value)
            self._metrics.count("mdm_match_decisions_total", number, entity=domain.value, decision=decision)
        for domain, decision, weight in measures.weights:
            self._metrics.observe("mdm_match_score", weight, entity=domain.value, decision=decision)
        for (domain, cause), number in measures.causes.items():
            self._metrics.count("mdm_golden_changes_total", number, entity=domain.value, cause=cause)
        for (domain, attribute), number in measures.conflicts.items():
            labels = {"entity": domain.value, "attribute": attribute}
            self._metrics.count("mdm_survivorship_conflicts_total", number, **labels)

    def turned(self, waiting: Mapping[TopicPartition, int] = MappingProxyType({})) -> None:
        """The loop came round: what depends on the time is shown anew.

        Args:
            waiting: messages of each partition that were taken from the feed and are not worked on yet: lag too.
        """
        now = self._clock()
        for system, heard in self._heard.items():
            self._metrics.set("mdm_source_silence_seconds", (now - heard).total_seconds(), system=system)
        lag = Counter(self._feed.lag())
        lag.update(waiting)
        for log in self._shown - lag.keys():
            self._show_lag(log, 0)  # another worker reads it now, and shows it
        for log, behind in lag.items():
            self._show_lag(log, behind)
        self._shown = set(lag)
        behindhand = {log.topic for log, behind in lag.items() if behind}
        ages: dict[str, float] = {}
        for topic in {log.topic for log in lag}:
            # As old as the newest that was read: what waits behind it is younger.
            age = now.timestamp() - self._newest[topic] if topic in behindhand and topic in self._newest else 0.0
            ages[topic] = max(age, 0.0)
            self._metrics.set("mdm_consumer_lag_seconds", ages[topic], system=system_of(topic), topic=topic)
        self._lag = tuple(
            Lag(log.topic, log.partition, system_of(log.topic), behind, ages[log.topic]) for log, behind in lag.items()
        )

    def numbers(self) -> FeedNumbers:
        """What the metrics show of lag now, and what they counted of freshness that is not written down yet."""
        return FeedNumbers(self._feed.name, self._clock(), self._lag, dict(self._fresh))

    def written(self, numbers: FeedNumbers) -> None:
        """These numbers are in the hub."""
        self._fresh.subtract(numbers.freshness)
        self._fresh = +self._fresh

    def paused(self, held: bool) -> None:
        """An operator holds the feed, or has let it go."""
        self._metrics.set("mdm_feed_paused", int(held), feed=self._feed.name)

    def _show_lag(self, log: TopicPartition, behind: int) -> None:
        labels = {"system": system_of(log.topic), "topic": log.topic, "partition": str(log.partition)}
        self._metrics.set("mdm_consumer_lag_records", behind, **labels)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _bucket(seconds: float) -> float:
    """The bound of the bucket that a duration falls into, as the histogram of the metrics has it."""
    place = bisect_left(_BOUNDS, seconds)
    return _BOUNDS[place] if place < len(_BOUNDS) else inf
