"""Every metric is declared once, with a meaning, and is served under its name."""

from typing import get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import create_engine

from api.metrics import Metrics as ApiMetrics
from mdm.observability.catalogue import METRICS, Kind, MetricName
from mdm.observability.metrics import Metrics, Sample, StateCollector, Tally
from mdm.store.process_numbers import process_numbers


def test_the_list_of_names_and_the_catalogue_are_the_same() -> None:
    assert set(get_args(MetricName)) == METRICS.keys()


def test_every_metric_says_what_it_means_and_histograms_have_buckets() -> None:
    for metric in METRICS.values():
        assert metric.meaning.endswith(".")
        assert bool(metric.buckets) == (metric.kind in (Kind.HISTOGRAM, Kind.TALLY))


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

    assert "mdm_outbox_pending 5.0" in one.exposition().decode()
    assert "mdm_outbox_pending 5.0" not in other.exposition().decode()


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


def test_what_the_tables_hold_is_served_as_counters_gauges_and_histograms() -> None:
    registry = CollectorRegistry()
    collector = StateCollector(("mdm_dlq_items", "mdm_dlq_in_total", "mdm_replay_duration_seconds"), registry)
    collector.show(
        {
            "mdm_dlq_items": [Sample(("crm", "VALUE_TYPE"), 2)],
            "mdm_dlq_in_total": [Sample(("crm", "VALUE_TYPE"), 5)],
            "mdm_replay_duration_seconds": [Tally(("stored events",), (0, 1, 1, 2, 2, 2, 2, 2), 3, 312.5)],
        }
    )

    served = generate_latest(registry).decode()
    assert 'mdm_dlq_items{code="VALUE_TYPE",system="crm"} 2.0' in served
    assert "# TYPE mdm_dlq_in_total counter" in served
    assert 'mdm_dlq_in_total{code="VALUE_TYPE",system="crm"} 5.0' in served
    assert 'mdm_replay_duration_seconds_bucket{job_kind="stored events",le="0.5"} 1.0' in served
    assert 'mdm_replay_duration_seconds_bucket{job_kind="stored events",le="+Inf"} 3.0' in served
    assert 'mdm_replay_duration_seconds_sum{job_kind="stored events"} 312.5' in served


#: The names of the feeds' metrics are a promise to those who keep dashboards of their own.
PROMISED = """
mdm_consumer_lag_records mdm_consumer_lag_seconds mdm_source_silence_seconds mdm_freshness_seconds
mdm_stage_duration_seconds mdm_events_total mdm_unaccounted_events mdm_contract_violations_total mdm_schema_drift_total
mdm_dlq_items mdm_dlq_oldest_seconds mdm_dlq_in_total mdm_dlq_out_total
mdm_replay_records_total mdm_replay_effects_total mdm_replay_duration_seconds mdm_late_events_total mdm_lateness_seconds
mdm_exceptions_open mdm_exception_age_seconds mdm_exceptions_resolved_total mdm_exception_sla_breaches_total
mdm_workers_alive mdm_db_pool_in_use mdm_db_tx_retries_total
mdm_outbox_pending mdm_outbox_oldest_seconds mdm_outbox_published_total
http_server_request_duration_seconds
"""


@pytest.mark.parametrize("name", PROMISED.split())
def test_a_promised_name_is_served_by_a_worker_or_the_api(name: str) -> None:
    asked = process_numbers(create_engine("postgresql+psycopg://nobody@nowhere/nothing"))
    served = Metrics(asked).exposition().decode() + ApiMetrics(asked).exposition("")[0].decode()

    assert f"# TYPE {name} " in served


def test_a_gauge_without_labels_is_shown_once_somebody_has_set_it() -> None:
    metrics = Metrics()
    assert b"\nmdm_audit_chain_ok " not in metrics.exposition(), "0 would say that the chain is broken"

    metrics.set("mdm_audit_chain_ok", 1)
    metrics.set("mdm_audit_chain_ok", 1)

    assert b"\nmdm_audit_chain_ok 1.0" in metrics.exposition()
