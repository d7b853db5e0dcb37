"""Writes the Grafana dashboards beside this file: `make dashboards`. A panel is a line here, not a page of JSON.

Every name in an expression is a metric that an API process or a worker serves; a test holds the files against both.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph or number: title, expressions with their legends, unit, and what to do when it moves."""

    title: str
    expressions: tuple[tuple[str, str], ...]
    unit: str
    help: str
    stat: bool = False


DASHBOARDS: dict[str, tuple[str, Sequence[Panel]]] = {
    "feeds": (
        "MDM: feeds and freshness",
        (
            Panel("Messages per second by outcome", (("sum by (outcome) (rate(mdm_events_total[5m]))", "{{outcome}}"),),
                  "ops", "A growing share of quarantined ones: see the dead letters."),
            Panel("Messages per second by platform", (("sum by (system) (rate(mdm_events_total[5m]))", "{{system}}"),),
                  "ops", "A platform at zero is silent, or its connector is down."),
            Panel("Freshness: source commit to visible, p50 and p99",
                  (("histogram_quantile(0.5, sum by (le, system) (rate(mdm_freshness_seconds_bucket[5m])))",
                    "p50 {{system}}"),
                   ("histogram_quantile(0.99, sum by (le, system) (rate(mdm_freshness_seconds_bucket[5m])))",
                    "p99 {{system}}")),
                  "s", "When it grows while the lag does not, the connector is late, not the hub."),
            Panel("Lag in records", (("sum by (system, topic) (mdm_consumer_lag_records)", "{{topic}}"),), "short",
                  "When it grows steadily, start another worker."),
            Panel("Lag in seconds", (("max by (system) (mdm_consumer_lag_seconds)", "{{system}}"),), "s",
                  "The age of the oldest message that waits."),
            Panel("Silence", (("max by (system) (mdm_source_silence_seconds)", "{{system}}"),), "s",
                  "Longer than a heartbeat: look at the connector and at the replication slot."),
            Panel("Sources out of service",
                  (("max by (system, state) (mdm_source_retired)", "{{system}} {{state}}"),), "short",
                  "One that stays on its way was interrupted.", stat=True),
            Panel("Seconds since the newest unit of work",
                  (("time() - max(mdm_last_commit_timestamp_seconds)", "ago"),), "s",
                  "Beside lag: when it grows while messages wait, nothing is taken in."),
            Panel("Seconds per stage, p95",
                  (("histogram_quantile(0.95, sum by (le, stage) (rate(mdm_stage_duration_seconds_bucket[5m])))",
                    "{{stage}}"),), "s", "The stage that grows is to be looked at when ingest falls behind."),
            Panel("Late changes",
                  (("sum by (system, entity) (rate(mdm_late_events_total[15m]))", "{{system}} {{entity}}"),), "ops",
                  "Many: partitions are read at different speeds, or a source sends old changes again."),
            Panel("How late late changes are, p95",
                  (("histogram_quantile(0.95, sum by (le, system) (rate(mdm_lateness_seconds_bucket[1h])))",
                    "{{system}}"),), "s", "Days: an old topic is read again; seconds: partitions at different speeds."),
            Panel("Retries", (("sum by (worker, code) (rate(mdm_worker_retries_total[5m]))", "{{worker}} {{code}}"),),
                  "ops", "Short peaks are a restart of database or broker; steady ones are a fault."),
            Panel("Workers alive", (("max by (worker) (mdm_workers_alive)", "{{worker}}"),), "short",
                  "One that is gone has said why in its log."),
            Panel("Database: connections in use", (("mdm_db_pool_in_use", "{{job}} {{instance}}"),), "short",
                  "An API process has fifteen at most: look for slow requests, then start another process."),
            Panel("Database: units of work begun again",
                  (("rate(mdm_db_tx_retries_total[5m])", "{{job}} {{instance}}"),), "ops",
                  "A steady rate: many change the same entities; fewer workers get more done."),
            Panel("Feeds held by an operator", (("max by (feed) (mdm_feed_paused)", "{{feed}}"),), "short",
                  "`mdm feeds` says who holds it and why.", stat=True),
            Panel("Messages without an outcome", (("max(mdm_unaccounted_events)", "messages"),), "short",
                  "Must be zero: run `mdm status`.", stat=True),
        ),
    ),
    "exceptions": (
        "MDM: dead letters, drift and gaps",
        (
            Panel("Open dead letters", (("sum by (system, code) (max by (system, code) (mdm_dlq_items))",
                                         "{{system}} {{code}}"),), "short", "`mdm exceptions list` groups them."),
            Panel("Age of the oldest dead letter",
                  (("max by (system) (mdm_dlq_oldest_seconds)", "{{system}}"),), "s",
                  "When it only grows, nobody feels responsible."),
            Panel("Dead letters in and out per hour",
                  (("sum by (system, code) (max by (system, code) (increase(mdm_dlq_in_total[1h])))",
                    "in {{system}} {{code}}"),
                   ("max by (system, action) (increase(mdm_dlq_out_total[1h]))", "{{action}} {{system}}")), "short",
                  "Many discarded ones: the source sends worthless messages."),
            Panel("Open exceptions", (("max by (kind, code) (mdm_exceptions_open)", "{{kind}} {{code}}"),), "short",
                  "Kind gap: something is missing. Kind contract_drift: a platform changed without a word."),
            Panel("Refused and waiting messages by tier",
                  (("max by (tier, state) (mdm_dlq_tier_items)", "tier {{tier}} {{state}}"),), "short",
                  "In tier 1 rows stand still until somebody deals with the refused one."),
            Panel("Identity that a person must look at",
                  (('max by (kind, code) (mdm_exceptions_open{kind=~"recycled|oversize"})', "{{code}}"),), "short",
                  "Numbers given to another company, and records or pairs that too much is shared by to be compared."),
            Panel("Age of the oldest exception", (("max by (kind) (mdm_exception_age_seconds)", "{{kind}}"),), "s",
                  "Gaps cannot wait."),
            Panel("Exceptions closed",
                  (("max by (kind, status) (mdm_exceptions_resolved_total)", "{{kind}} {{status}}"),),
                  "short", "Compare with those that open."),
            Panel("Exceptions and dead letters that missed their deadline, per week",
                  (("max by (kind, team) (increase(mdm_exception_sla_breaches_total[7d]))",
                    "{{kind}} {{team}}"),), "short", "One team that gathers them needs help or a substitute."),
            Panel("Messages that broke their contract, per hour",
                  (("max by (system, contract, rule, severity) (increase(mdm_contract_violations_total[1h]))",
                    "{{system}}.{{contract}} {{rule}} {{severity}}"),), "short",
                  "Release a new contract version; `mdm contracts diff` says how large a step it is."),
            Panel("Columns that differ from their contract",
                  (("max by (system, change) (mdm_schema_drift_total)", "{{system}} {{change}}"),), "short",
                  "A platform changed a table without a word."),
            Panel("Replayed per hour, by outcome",
                  (("max by (job_kind, outcome) (increase(mdm_replay_records_total[1h]))",
                    "{{job_kind}} {{outcome}}"),), "short", "Who replayed what is in the audit."),
            Panel("Golden records that replays changed",
                  (("max by (job_kind) (mdm_replay_effects_total)", "{{job_kind}}"),), "short",
                  "A replay that changes many repaired something: ask what."),
            Panel("Seconds per unit of work of a replay, p95",
                  (("histogram_quantile(0.95, max by (le, job_kind) (rate(mdm_replay_duration_seconds_bucket[1h])))",
                    "{{job_kind}}"),), "s", "When it grows, give the replay a throttle or a quieter hour."),
        ),
    ),
    "golden": (
        "MDM: golden records, stewards and interfaces",
        (
            Panel("Golden records", (("max by (domain) (mdm_golden_records)", "{{domain}}"),), "short",
                  "A sudden drop follows a mass merge or mass delete."),
            Panel("Open questions to stewards", (("max by (domain, kind) (mdm_tasks_open)", "{{domain}} {{kind}}"),),
                  "short", "When it only grows, there are too few stewards or the rules ask too much."),
            Panel("Automatic merges among merges and questions",
                  (('sum by (entity) (rate(mdm_match_decisions_total{decision="match"}[1h])) / sum by (entity) '
                    '(rate(mdm_match_decisions_total{decision=~"match|review"}[1h]))', "{{entity}}"),), "percentunit",
                  "When it falls without a release, sources state less or something else."),
            Panel("Pairs compared per message",
                  (("sum by (entity) (rate(mdm_match_candidates_total[1h])) / scalar(sum(rate(mdm_events_total[1h])))",
                    "{{entity}}"),), "short", "When it grows, a value came to be shared by too many."),
            Panel("Keys that too many share, and records that have one",
                  (("max by (entity) (mdm_match_blocks_above_cap)", "keys {{entity}}"),
                   ("max by (entity) (mdm_match_records_above_cap)", "records {{entity}}")), "short",
                  "When they grow faster than the records: `mdm match blocks` tells by rule."),
            Panel("Weights of linked pairs, median",
                  (("histogram_quantile(0.5, sum by (le, entity) (rate(mdm_match_score_bucket[1h])))", "{{entity}}"),),
                  "short", "In bits. When it moves without a release, sources state something else."),
            Panel("Golden versions per second, by cause",
                  (("sum by (entity, cause) (rate(mdm_golden_changes_total[5m]))", "{{entity}} {{cause}}"),), "ops",
                  "A burst of merge or split is a rule or a source that changed."),
            Panel("Attributes about which members disagree",
                  (("topk(10, sum by (entity, attribute) (rate(mdm_survivorship_conflicts_total[1h])))",
                    "{{entity}} {{attribute}}"),), "ops", "Two platforms disagree: put one of them right."),
            Panel("Rules in force", (("max by (kind, domain, version) (mdm_rule_release_info)",
                                      "{{kind}} {{domain}} {{version}}"),), "short", "None: as shipped."),
            Panel("Requests refused, and writes sent again, per second",
                  (("sum by (route) (rate(mdm_authz_denials_total[5m]))", "denied {{route}}"),
                   ("sum by (route) (rate(mdm_ratelimit_rejections_total[5m]))", "too many {{route}}"),
                   ("sum by (route) (rate(mdm_idempotency_hits_total[5m]))", "again {{route}}")), "ops",
                  "A burst of denied ones is a client with the wrong key, or somebody who tries doors."),
            Panel("Announcements not yet published", (("max(mdm_outbox_pending)", "pending"),), "short",
                  "When it grows, the relay is down or the broker refuses."),
            Panel("Age of the oldest announcement", (("max(mdm_outbox_oldest_seconds)", "oldest"),), "s",
                  "Beyond its budget, consumers work with old master data."),
            Panel("Announcements published per second", (("sum(rate(mdm_outbox_published_total[5m]))", "published"),),
                  "ops", "Follows the changes of golden records."),
            Panel("Requests per second", (("sum by (route) (rate(http_server_request_duration_seconds_count[5m]))",
                                           "{{route}}"),), "ops", "By route pattern."),
            Panel("Seconds per request, p99",
                  (("histogram_quantile(0.99, sum by (le, route) "
                    "(rate(http_server_request_duration_seconds_bucket[5m])))", "{{route}}"),), "s",
                  "Slow searches show here first."),
            Panel("Share of failed requests",
                  (('sum(rate(http_server_request_duration_seconds_count{status=~"5.."}[5m])) / '
                    "sum(rate(http_server_request_duration_seconds_count[5m]))", "5xx"),), "percentunit",
                  "Anything above zero has a cause in the log."),
        ),
    ),
    "stewardship": (
        "MDM: stewardship, onboarding and money",
        (
            Panel("Findings of reconciliation by rule",
                  (("max by (rule, severity) (mdm_recon_breaks)", "{{rule}} ({{severity}})"),), "short",
                  "A rule that jumps is an interface that failed: `mdm reconcile --rule` lists both sides."),
            Panel("What findings are worth, by currency", (("sum by (currency) (max by (rule, currency) "
                                                            "(mdm_recon_break_amount))", "{{currency}}"),), "short",
                  "To be explained before the month closes; the hub holds no exchange rates."),
            Panel("Transactions that stand still, by step",
                  (("max by (stage) (mdm_transactions_stuck)", "{{stage}}"),), "short",
                  "A step that grows is a hand-over that failed: `mdm reconcile stuck` names what waits."),
            Panel("Days of the longest standstill, by step",
                  (("max by (stage) (mdm_transactions_stuck_days)", "{{stage}}"),), "short",
                  "When it only grows, nobody feels responsible."),
            Panel("Age of the oldest question",
                  (("max by (domain, kind) (mdm_review_oldest_seconds)", "{{domain}} {{kind}}"),), "s",
                  "When it only grows, the hardest are left: hand them over."),
            Panel("Decisions per day", (("max by (domain, decision) (increase(mdm_review_decisions_total[1d]))",
                                         "{{domain}} {{decision}}"),), "short",
                  "Many splits: the rules join too much."),
            Panel("Decisions taken back, per week",
                  (("max by (domain, decision) (increase(mdm_review_overturned_total[7d]))",
                    "{{domain}} {{decision}}"),), "short", "Look together at what was undone."),
            Panel("Precision and recall by the last blind samples",
                  (('max by (domain, measure) (mdm_match_quality{measure=~"precision|recall",bound="value",system=""})',
                    "{{domain}} {{measure}}"),
                   ('max by (domain, measure) (mdm_match_quality{measure=~"precision|recall",bound="low",system=""})',
                    "{{domain}} {{measure}}, at least")), "percentunit",
                  "When even the high end is below its budget, look at the pairs that people saw otherwise."),
            Panel("Age of blind samples: the last that was closed, the one that is open",
                  (("time() - max by (domain) (mdm_match_quality_timestamp_seconds)", "closed {{domain}}"),
                   ("max by (domain) (mdm_blind_sample_open_seconds)", "open {{domain}}")), "s",
                  "Precision and recall speak of the day of the last one: draw another each quarter."),
            Panel("Merges taken apart, per week", (("max by (domain, reason) (increase(mdm_unmerge_total[7d]))",
                                                    "{{domain}} {{reason}}"),), "short", "Too much is joined."),
            Panel("Seconds until a second person decided, p95",
                  (("histogram_quantile(0.95, max by (le, kind) (rate(mdm_approval_wait_seconds_bucket[1d])))",
                    "{{kind}}"),), "s", "When it grows, too few may approve."),
            Panel("Audit chain", (("min(mdm_audit_chain_ok)", "holds"),
                                  ("time() - max(mdm_audit_last_verified_timestamp_seconds)", "seconds since"),
                                  ("time() - max(mdm_audit_last_anchored_timestamp_seconds)", "since anchored")),
                  "short", "0: `mdm audit verify` names the entry that was changed.", stat=True),
            Panel("Proposals that wait for a second person", (("max by (risk) (mdm_approvals_open)", "{{risk}}"),),
                  "short", "When they only grow, too few may approve."),
            Panel("Age of the oldest proposal", (("max(mdm_approvals_oldest_seconds)", "oldest"),), "s",
                  "It expires by itself after the days of the policy."),
            Panel("Customers by their last verdict",
                  (("max by (erp, decision) (mdm_onboarding_verdicts)", "{{erp}} {{decision}}"),), "short",
                  "Drawn by the calendar worker; `mdm onboarding codes` says what a code means."),
        ),
    ),
}  # fmt: skip


def dashboard(name: str) -> dict[str, Any]:
    """One dashboard as Grafana reads it."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"mdm-{name}",
        "title": title,
        "tags": ["mdm"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    column, line = number % 2, number // 2
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.help,
        "type": "stat" if panel.stat else "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"h": 8, "w": 12, "x": 12 * column, "y": 8 * line},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(panel.expressions)
        ],
    }


def text_of(name: str) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard(name), indent=2) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (HERE / f"{each}.json").write_text(text_of(each), "utf-8")
