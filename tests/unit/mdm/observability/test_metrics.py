"""Every metric is declared once, with a meaning, and is served under its name."""

from typing import get_args

import pytest

from mdm.observability.metrics import METRICS, Kind, MetricName, Metrics


def test_the_list_of_names_and_the_catalogue_are_the_same() -> None:
    assert set(get_args(MetricName)) == METRICS.keys()


def test_every_metric_says_what_it_means_and_histograms_have_buckets() -> None:
    for metric in METRICS.values():
        assert metric.meaning.endswith(".")
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)


def test_what_is_counted_is_served() -> None:
    metrics = Metrics()
    metrics.count("mdm_events_total", 3, system="crm", outcome="applied")
    metrics.set("mdm_outbox_pending", 2)
    with metrics.timed("mdm_stage_duration_seconds", stage="decode"):
        pass

    served = metrics.exposition().decode()
    assert 'mdm_events_total{outcome="applied",system="crm"} 3.0' in served
    assert "mdm_outbox_pending 2.0" in served
    assert 'mdm_stage_duration_seconds_count{stage="decode"} 1.0' in served


def test_two_hubs_do_not_mix_their_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.set("mdm_outbox_pending", 5)

    assert "mdm_outbox_pending 0.0" in other.exposition().decode()


def test_a_gauge_forgets_labels_that_are_gone() -> None:
    metrics = Metrics()
    metrics.set("mdm_golden_records", 5, domain="customer")
    metrics.forget("mdm_golden_records")

    assert "customer" not in metrics.exposition().decode()


def test_a_metric_is_used_as_what_it_is() -> None:
    metrics = Metrics()

    with pytest.raises(TypeError):
        metrics.count("mdm_outbox_pending")
    with pytest.raises(TypeError):
        metrics.set("mdm_events_total", 1, system="crm", outcome="applied")
    with pytest.raises(TypeError):
        metrics.observe("mdm_golden_records", 1, domain="customer")
