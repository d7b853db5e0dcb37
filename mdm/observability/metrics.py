"""How the metrics of the catalogue are made, counted and served.

The registry belongs to a `Metrics` object, not to the process: several hubs in one process do not mix.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from mdm.observability.catalogue import METRICS, Kind, Metric, MetricName

_Collector: TypeAlias = Counter | Gauge | Histogram
_MADE = (Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM)
#: What a process is asked for at the scrape: a name, and what tells its value.
Asked: TypeAlias = Mapping[MetricName, Callable[[], float]]


class Metrics:
    """The metrics of one hub, in a registry of its own; `asked` are those that something else of the process keeps."""

    def __init__(self, asked: Asked = MappingProxyType({})) -> None:
        self.registry = CollectorRegistry()
        self._collectors: dict[str, _Collector] = {
            name: _collector(name, metric, self.registry) for name, metric in METRICS.items() if metric.kind in _MADE
        }
        AskedCollector(asked, self.registry)

    def count(self, name: MetricName, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        collector = self._labelled(name, labels)
        if not isinstance(collector, Counter):
            raise TypeError(f"{name} is not a counter")
        collector.inc(amount)

    def set(self, name: MetricName, value: float, **labels: str) -> None:
        """Set a gauge."""
        collector = self._labelled(name, labels)
        if not isinstance(collector, Gauge):
            raise TypeError(f"{name} is not a gauge")
        collector.set(value)

    def forget(self, name: MetricName) -> None:
        """Drop all label values of a gauge, before it is set anew from a query that no longer names some of them."""
        self._collectors[name].clear()

    def observe(self, name: MetricName, seconds: float, **labels: str) -> None:
        """Add one duration to a histogram."""
        collector = self._labelled(name, labels)
        if not isinstance(collector, Histogram):
            raise TypeError(f"{name} is not a histogram")
        collector.observe(seconds)

    @contextmanager
    def timed(self, name: MetricName, **labels: str) -> Iterator[None]:
        """Observe how long the block takes, also when it fails."""
        began = perf_counter()
        try:
            yield
        finally:
            self.observe(name, perf_counter() - began, **labels)

    def exposition(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _labelled(self, name: MetricName, labels: dict[str, str]) -> _Collector:
        collector = self._collectors[name]
        return collector.labels(**labels) if METRICS[name].labels else collector


class _SetGauge(Gauge):
    """A gauge without labels, served by its name only until it was set: it would say 0 in processes that know nothing
    of it, and 0 may mean that something is broken.
    """

    _was_set = False

    def set(self, value: float) -> None:
        """Set the gauge; from then on it is served with its value."""
        super().set(value)
        self._was_set = True

    def collect(self) -> Iterable[Family]:
        """The gauge as the library asks for it."""
        return super().collect() if self._was_set else self.describe()


def _collector(name: str, metric: Metric, registry: CollectorRegistry) -> _Collector:
    match metric.kind:
        case Kind.COUNTER:
            return Counter(name, metric.meaning, metric.labels, registry=registry)
        case Kind.GAUGE if not metric.labels:
            return _SetGauge(name, metric.meaning, registry=registry)
        case Kind.GAUGE:
            return Gauge(name, metric.meaning, metric.labels, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)
        case Kind.TOTAL | Kind.TALLY | Kind.READING | Kind.READ_TOTAL:
            raise TypeError(f"{name} is asked for, not made")


class Sample(NamedTuple):
    """One value that the hub's tables hold, with the values of its labels in their order."""

    labels: tuple[str, ...]
    value: float


class Tally(NamedTuple):
    """A histogram that the hub's tables hold: how many are within each bound, how many in all, and their sum."""

    labels: tuple[str, ...]
    at_most: tuple[int, ...]
    number: int
    total: float


State: TypeAlias = Mapping[MetricName, Sequence[Sample | Tally]]


class StateCollector(Collector):
    """Serves what the hub's tables hold, as it was shown last. Metrics without a value are named all the same."""

    def __init__(self, names: Sequence[MetricName], registry: CollectorRegistry) -> None:
        self._state: State = dict.fromkeys(names, ())
        registry.register(self)

    def show(self, state: State) -> None:
        """Replace what is served."""
        self._state = state

    def collect(self) -> Iterator[Family]:
        """One family per metric, as the library asks for them."""
        for name, values in self._state.items():
            yield _family(name, METRICS[name], values)


class AskedCollector(Collector):
    """Serves what something else of this process keeps, as it is at the scrape."""

    def __init__(self, asked: Asked, registry: CollectorRegistry) -> None:
        self.asked = asked
        registry.register(self)

    def collect(self) -> Iterator[Family]:
        """One family per metric, as the library asks for them."""
        for name, ask in self.asked.items():
            yield _family(name, METRICS[name], [Sample((), ask())])


def _family(name: str, metric: Metric, values: Sequence[Sample | Tally]) -> Family:
    labels = list(metric.labels)
    if metric.kind is Kind.TALLY:
        told = HistogramMetricFamily(name, metric.meaning, labels=labels)
        for tally in values:
            assert isinstance(tally, Tally)
            bounds = [*zip(map(floatToGoString, metric.buckets), tally.at_most, strict=True), ("+Inf", tally.number)]
            told.add_metric(tally.labels, bounds, tally.total)
        return told
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind in (Kind.TOTAL, Kind.READ_TOTAL):
        family = CounterMetricFamily(name, metric.meaning, labels=labels)
    else:
        family = GaugeMetricFamily(name, metric.meaning, labels=labels)
    for sample in values:
        assert isinstance(sample, Sample)
        family.add_metric(sample.labels, sample.value)
    return family
