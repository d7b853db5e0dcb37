"""What a metric is, and the name of every one of them; `catalogue` says what they mean."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    #: A counter whose value the hub's tables hold: it is asked for, never counted, and outlives every process.
    TOTAL = "total"
    #: A histogram that the hub's tables hold.
    TALLY = "tally"
    #: A gauge and a counter of the process itself that something else keeps: asked for at the scrape.
    READING = "reading"
    READ_TOTAL = "read total"


MetricName: TypeAlias = Literal[
    "mdm_events_total",
    "mdm_stage_duration_seconds",
    "mdm_golden_records",
    "mdm_tasks_open",
    "mdm_review_oldest_seconds",
    "mdm_review_decisions_total",
    "mdm_review_overturned_total",
    "mdm_match_quality",
    "mdm_match_quality_timestamp_seconds",
    "mdm_blind_sample_open_seconds",
    "mdm_match_candidates_total",
    "mdm_match_decisions_total",
    "mdm_match_score",
    "mdm_match_blocks_above_cap",
    "mdm_match_records_above_cap",
    "mdm_golden_changes_total",
    "mdm_survivorship_conflicts_total",
    "mdm_unmerge_total",
    "mdm_approval_wait_seconds",
    "mdm_audit_chain_ok",
    "mdm_audit_last_verified_timestamp_seconds",
    "mdm_audit_last_anchored_timestamp_seconds",
    "mdm_rule_release_info",
    "mdm_idempotency_hits_total",
    "mdm_ratelimit_rejections_total",
    "mdm_authz_denials_total",
    "mdm_approvals_open",
    "mdm_approvals_oldest_seconds",
    "mdm_onboarding_verdicts",
    "mdm_recon_breaks",
    "mdm_recon_break_amount",
    "mdm_close_open_points",
    "mdm_close_days_left",
    "mdm_transactions_stuck",
    "mdm_transactions_stuck_days",
    "mdm_dlq_items",
    "mdm_dlq_tier_items",
    "mdm_dlq_oldest_seconds",
    "mdm_dlq_in_total",
    "mdm_dlq_out_total",
    "mdm_exceptions_open",
    "mdm_exception_age_seconds",
    "mdm_exceptions_resolved_total",
    "mdm_exception_sla_breaches_total",
    "mdm_contract_violations_total",
    "mdm_schema_drift_total",
    "mdm_replay_records_total",
    "mdm_replay_effects_total",
    "mdm_replay_duration_seconds",
    "mdm_unaccounted_events",
    "mdm_outbox_pending",
    "mdm_outbox_oldest_seconds",
    "mdm_outbox_published_total",
    "mdm_consumer_lag_records",
    "mdm_consumer_lag_seconds",
    "mdm_source_silence_seconds",
    "mdm_source_retired",
    "mdm_freshness_seconds",
    "mdm_late_events_total",
    "mdm_lateness_seconds",
    "mdm_feed_paused",
    "mdm_worker_retries_total",
    "mdm_workers_alive",
    "mdm_db_pool_in_use",
    "mdm_db_tx_retries_total",
    "http_server_request_duration_seconds",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Labels have few values: never ids, never values of master data."""

    kind: Kind
    labels: tuple[str, ...]
    #: What it says, and what to do when it moves.
    meaning: str
    #: Upper bounds of a histogram's buckets, in seconds.
    buckets: tuple[float, ...] = ()
