"""Every metric of the hub: its name, what it counts, and what to do when it moves. Nothing else makes metrics."""

from mdm.observability.metric import Kind, Metric, MetricName

__all__ = ["METRICS", "Kind", "Metric", "MetricName"]

#: From a batch of a few records to one that a large group of linked records slows down.
_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: From a quiet system to a connector that was down over the weekend.
_FRESHNESS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
#: From partitions read at different speeds to an old topic that is read again.
_LATENESS_BUCKETS = (1.0, 10.0, 60.0, 600.0, 3600.0, 86400.0, 604800.0)
#: From one dead letter to a thousand rows whose customers are all linked.
_REPLAY_BUCKETS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)
#: In bits, from what only a rule asks about to what nobody doubts.
_SCORE_BUCKETS = (-10.0, -5.0, 0.0, 1.5, 3.0, 5.0, 8.0, 12.0, 16.0, 24.0)
#: From a colleague at the next desk to the days after which proposals expire.
_WAIT_BUCKETS = (60.0, 600.0, 3600.0, 14400.0, 86400.0, 259200.0, 604800.0, 1209600.0)
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

METRICS: dict[MetricName, Metric] = {
    "mdm_events_total": Metric(
        Kind.COUNTER,
        ("system", "outcome"),
        "Messages consumed, by what became of them: applied, duplicate, stale, ignored, quarantined. "
        "A growing share of quarantined ones means that a source has changed: see the dead letters.",
    ),
    "mdm_stage_duration_seconds": Metric(
        Kind.HISTOGRAM,
        ("stage",),
        "Seconds that one batch spends in a stage. The one that grows is to be looked at when ingest falls behind.",
        _STAGE_BUCKETS,
    ),
    "mdm_golden_records": Metric(
        Kind.GAUGE,
        ("domain",),
        "Live golden records. A sudden drop follows a mass merge or mass delete: compare with the sources.",
    ),
    "mdm_tasks_open": Metric(
        Kind.GAUGE,
        ("domain", "kind"),
        "Questions that wait for a steward. When it only grows, there are too few stewards or the rules ask too much.",
    ),
    "mdm_review_oldest_seconds": Metric(
        Kind.GAUGE,
        ("domain", "kind"),
        "Age of the oldest question that waits for a steward. When it only grows, the hardest are left: hand them on.",
    ),
    "mdm_review_decisions_total": Metric(
        Kind.TOTAL,
        ("domain", "decision"),
        "Decisions of stewards: same, not_same, unsure, merge, split, override, ... Many splits: the rules join "
        "too much; many unsure ones, that the page shows too little.",
    ),
    "mdm_review_overturned_total": Metric(
        Kind.TOTAL,
        ("domain", "decision"),
        "Decisions that somebody took back. When their share grows, look together at what was undone.",
    ),
    "mdm_match_quality": Metric(
        Kind.GAUGE,
        ("domain", "system", "measure", "bound"),
        "What the last closed blind sample of a domain told: precision, auto_recall (joined), recall (joined or asked "
        "about), each with its value and the low and high end of its interval, of pairs with a record of a platform or "
        "of all; agreement and kappa of people. A high end below its budget is no chance: look at the "
        "pairs that people saw otherwise (console Quality).",
    ),
    "mdm_match_quality_timestamp_seconds": Metric(
        Kind.GAUGE,
        ("domain",),
        "When the last blind sample that told something was closed; nothing where there was none. It "
        "speaks of the matching of that day: draw another one each quarter, and after each release of a model.",
    ),
    "mdm_blind_sample_open_seconds": Metric(
        Kind.GAUGE,
        ("domain",),
        "Age of the blind sample that is open. When it only grows, nobody judges its pairs: ask two people to, or "
        "close it with what there is.",
    ),
    "mdm_match_candidates_total": Metric(
        Kind.COUNTER,
        ("entity",),
        "Pairs that ingest compared. When it grows faster than messages, a value came to be shared by too many.",
    ),
    "mdm_match_decisions_total": Metric(
        Kind.COUNTER,
        ("entity", "decision"),
        "What became of compared pairs: match, review (asked about), veto (a rule kept them from joining), no_match. "
        "The share of match among match and review is the rate of automatic merges; when it falls, sources got worse.",
    ),
    "mdm_match_score": Metric(
        Kind.HISTOGRAM,
        ("entity", "decision"),
        "Weights of linked pairs in bits. When the middle moves without a release, sources state something else.",
        _SCORE_BUCKETS,
    ),
    "mdm_match_blocks_above_cap": Metric(
        Kind.GAUGE,
        ("entity", "cap"),
        "Keys that more records share than their cap, as the calendar counted them last (once a day): they find nobody "
        "partners. When it grows faster than the records, names or a value came to be shared by many: "
        "`mdm match blocks` tells by rule.",
    ),
    "mdm_match_records_above_cap": Metric(
        Kind.GAUGE,
        ("entity", "cap"),
        "Records that have at least one such key. Their other keys find them; of those that have none a steward is "
        "asked, and of pairs that nothing compares and the model would link (exception PAIRS_UNCOMPARED).",
    ),
    "mdm_golden_changes_total": Metric(
        Kind.COUNTER,
        ("entity", "cause"),
        "Golden versions that ingest wrote, by cause: founded, source, merge, split. Those of stewards and releases "
        "are counted with decisions and replays. A burst of merge or split is a rule or a source that changed.",
    ),
    "mdm_survivorship_conflicts_total": Metric(
        Kind.COUNTER,
        ("entity", "attribute"),
        "Golden versions that ingest wrote although members state different values of an attribute. An attribute that "
        "grows: two platforms disagree, and one of them should be put right.",
    ),
    "mdm_unmerge_total": Metric(
        Kind.TOTAL,
        ("domain", "reason"),
        "Merges that people took apart: split, or undone. Beside merges they are the sign that too much is joined.",
    ),
    "mdm_approval_wait_seconds": Metric(
        Kind.TALLY,
        ("kind",),
        "Seconds from a proposal to what a second person decided. When they grow, too few may approve.",
        _WAIT_BUCKETS,
    ),
    "mdm_audit_chain_ok": Metric(
        Kind.GAUGE,
        (),
        "1 while the audit chain holds as far as the calendar has verified it, 0 once it found a break or that newest "
        "entries are gone: `mdm audit verify` names the place. Nobody should write before it is known who did what.",
    ),
    "mdm_audit_last_verified_timestamp_seconds": Metric(
        Kind.GAUGE, (), "When the calendar last verified a part of the audit chain. It stands still: no calendar runs."
    ),
    "mdm_audit_last_anchored_timestamp_seconds": Metric(
        Kind.GAUGE, (), "When the audit chain was last anchored. Days old: the calendar's log says why."
    ),
    "mdm_rule_release_info": Metric(
        Kind.GAUGE,
        ("kind", "domain", "version", "fingerprint"),
        "1 for each release of rules in force; rules that ship with the hub have none. Tells what changed when.",
    ),
    "mdm_idempotency_hits_total": Metric(
        Kind.COUNTER,
        ("route",),
        "Writes that were sent again under their name, and answered as the first time. Many: a client gives up early.",
    ),
    "mdm_ratelimit_rejections_total": Metric(
        Kind.COUNTER,
        ("route",),
        "Requests refused because their key sends too many. Ask whose it is; the log names the key.",
    ),
    "mdm_authz_denials_total": Metric(
        Kind.COUNTER,
        ("route",),
        "Requests refused because of who sent them: role, scope, or their own second person. A burst is a client with "
        "the wrong key, or somebody who tries doors.",
    ),
    "mdm_approvals_open": Metric(
        Kind.GAUGE,
        ("risk",),
        "Proposals that wait for a second person, by what is at stake. When they only grow, too few may approve.",
    ),
    "mdm_approvals_oldest_seconds": Metric(
        Kind.GAUGE,
        (),
        "Age of the oldest proposal that waits for a second person. It expires by itself: approve or reject it before.",
    ),
    "mdm_onboarding_verdicts": Metric(
        Kind.GAUGE,
        ("erp", "decision"),
        "Customers by their last verdict for an ERP, as the calendar worker drew it. When needs_review or unverifiable "
        "grows, look which code it is under Onboarding.",
    ),
    "mdm_recon_breaks": Metric(
        Kind.GAUGE,
        ("rule", "severity"),
        "Findings of reconciliation, by rule, as this process looked last; nothing before it has. A rule that jumps is "
        "an interface that failed: `mdm reconcile --rule` lists both sides.",
    ),
    "mdm_close_open_points": Metric(
        Kind.GAUGE,
        ("month",),
        "Points of the checklist of the month that is being closed that are open, as this process looked last; none "
        "once two persons have signed. When it is not falling towards the due day, `mdm close show` says who must act.",
    ),
    "mdm_close_days_left": Metric(
        Kind.GAUGE,
        ("month",),
        "Days until the close of that month is due.",
    ),
    "mdm_transactions_stuck": Metric(
        Kind.GAUGE,
        ("stage",),
        "Business transactions that stand still at a step for longer than the policy allows. When one stage grows, the "
        "hand-over behind it is broken: `mdm reconcile stuck` names them and whose move it is.",
    ),
    "mdm_transactions_stuck_days": Metric(
        Kind.GAUGE,
        ("stage",),
        "Days for which the longest of them has stood still. When it only grows, nobody feels responsible.",
    ),
    "mdm_recon_break_amount": Metric(
        Kind.GAUGE,
        ("rule", "currency"),
        "What findings of reconciliation are worth, whatever the sign. It must be explained before the month closes.",
    ),
    "mdm_dlq_items": Metric(
        Kind.GAUGE,
        ("system", "code"),
        "Dead letters that nobody has dealt with. Should be zero; each one names its owner and what to do.",
    ),
    "mdm_dlq_tier_items": Metric(
        Kind.GAUGE,
        ("tier", "state"),
        "Open dead letters by the tier of their table: refused, or held behind a refused one of their row. In tier "
        "1 rows stand still until somebody deals with the refused one.",
    ),
    "mdm_dlq_oldest_seconds": Metric(
        Kind.GAUGE,
        ("system",),
        "Age of the oldest open dead letter. When it only grows, nobody feels responsible: ask the owner it names.",
    ),
    "mdm_dlq_in_total": Metric(
        Kind.TOTAL,
        ("system", "code"),
        "Messages that became dead letters. A burst of one code is a source that has changed.",
    ),
    "mdm_dlq_out_total": Metric(
        Kind.TOTAL,
        ("system", "action"),
        "Dead letters that were replayed or discarded. Many discarded ones: the source sends worthless messages.",
    ),
    "mdm_exceptions_open": Metric(
        Kind.GAUGE,
        ("kind", "code"),
        "Open exceptions: drift of a table from its contract, signs that a feed has lost something. Each has an owner.",
    ),
    "mdm_exception_age_seconds": Metric(
        Kind.GAUGE,
        ("kind",),
        "Age of the oldest open exception. Gaps cannot wait: what is missing does not come by itself.",
    ),
    "mdm_exceptions_resolved_total": Metric(
        Kind.TOTAL,
        ("kind", "status"),
        "Exceptions closed: resolved, or accepted to stay as they are. Compare with those that open.",
    ),
    "mdm_exception_sla_breaches_total": Metric(
        Kind.TOTAL,
        ("kind", "severity", "team"),
        "Exceptions and dead letters that were not closed in time, closed since or still open, by owner (label team): "
        "a day for gaps, three for dead letters, a week otherwise. A team that gathers them needs help or a "
        "substitute.",
    ),
    "mdm_contract_violations_total": Metric(
        Kind.TOTAL,
        ("system", "contract", "rule", "severity"),
        "Messages that broke the contract of their table (label contract), by rule. Severity quarantined: refused; "
        "recorded: taken in. Grows with every message until the contract or the source is changed.",
    ),
    "mdm_schema_drift_total": Metric(
        Kind.TOTAL,
        ("system", "change"),
        "Differences of a table's shape from its contract, once per column however many messages show it. Ask the "
        "owner for a new contract version.",
    ),
    "mdm_replay_records_total": Metric(
        Kind.TOTAL,
        ("job_kind", "outcome"),
        "What replays took in again: stored rows folded anew, dead letters by what became of them. A rise without a "
        "plan is somebody repairing something.",
    ),
    "mdm_replay_effects_total": Metric(
        Kind.TOTAL,
        ("job_kind",),
        "Golden records that replays have changed. A replay that changes many repaired something: ask what.",
    ),
    "mdm_replay_duration_seconds": Metric(
        Kind.TALLY,
        ("job_kind",),
        "Seconds that a replay's units of work took. When they grow, give the replay a throttle or a quieter hour.",
        _REPLAY_BUCKETS,
    ),
    "mdm_unaccounted_events": Metric(
        Kind.GAUGE,
        (),
        "Messages consumed less messages with an outcome. Anything but zero is a defect of the hub: run `mdm status`.",
    ),
    "mdm_outbox_pending": Metric(
        Kind.GAUGE,
        (),
        "Announcements not yet published. When it grows, the relay is down or the broker refuses.",
    ),
    "mdm_outbox_oldest_seconds": Metric(
        Kind.GAUGE,
        (),
        "Age of the oldest announcement not yet published. Beyond its budget, consumers work with old master data.",
    ),
    "mdm_outbox_published_total": Metric(
        Kind.COUNTER,
        ("topic",),
        "Announcements that the broker has acknowledged. When it stands still while mdm_outbox_pending grows, see the "
        "relay's log.",
    ),
    "mdm_consumer_lag_records": Metric(
        Kind.GAUGE,
        ("system", "topic", "partition"),
        "Messages between this worker and the end of a partition. When it only grows, add workers to the group.",
    ),
    "mdm_consumer_lag_seconds": Metric(
        Kind.GAUGE,
        ("system", "topic"),
        "How old the oldest message is that this worker has not processed, by the broker's time. Page on the budget.",
    ),
    "mdm_source_silence_seconds": Metric(
        Kind.GAUGE,
        ("system",),
        "Seconds since the last message of a platform, heartbeats included. Growing means that its connector is down.",
    ),
    "mdm_source_retired": Metric(
        Kind.GAUGE,
        ("system", "state"),
        "1 while a source is out of service (retired), or on its way (retiring, restoring). One that stays on its way "
        "was interrupted: call `mdm sources retire` or `restore` again.",
    ),
    "mdm_freshness_seconds": Metric(
        Kind.HISTOGRAM,
        ("system", "entity"),
        "Seconds from the commit in the source to the commit of the golden records it changed, by platform and table. "
        "When the tail grows and the lag does not, the connector is slow; when both grow, the hub is.",
        _FRESHNESS_BUCKETS,
    ),
    "mdm_late_events_total": Metric(
        Kind.COUNTER,
        ("system", "entity"),
        "Changes that came after a newer one of their row. They take their place in its history and do not rule; many "
        "of them mean that partitions are read at different speeds or that a source sends old changes again.",
    ),
    "mdm_lateness_seconds": Metric(
        Kind.HISTOGRAM,
        ("system", "entity"),
        "How old a late change was when it was taken in, by the source's time.",
        _LATENESS_BUCKETS,
    ),
    "mdm_feed_paused": Metric(
        Kind.GAUGE,
        ("feed",),
        "1 while an operator holds the feed. See `mdm feeds list` for who and why.",
    ),
    "mdm_worker_retries_total": Metric(
        Kind.COUNTER,
        ("worker", "code"),
        "Attempts that failed for now and are made again. A burst is a restart of database or broker; a steady rate "
        "is a network to be looked at.",
    ),
    "mdm_workers_alive": Metric(
        Kind.GAUGE,
        ("worker",),
        "Workers of a kind that are connected to the hub's database: ingest, relay, calendar. When one that ran is "
        "gone, start it again; its log says why it ended.",
    ),
    "mdm_db_pool_in_use": Metric(
        Kind.READING,
        (),
        "Database connections of the pool that this process has in use now; an API process queues requests above 15. "
        "When it stays there, look for slow requests, then start another process.",
    ),
    "mdm_db_tx_retries_total": Metric(
        Kind.READ_TOTAL,
        (),
        "Units of work of this process that met another one at work on the same and began again. Some are normal "
        "beside other workers; a steady rate means that many change the same entities: fewer workers get more done.",
    ),
    "http_server_request_duration_seconds": Metric(
        Kind.HISTOGRAM,
        ("method", "route", "status"),
        "Seconds per API request, by route pattern. Slow searches show here first.",
        _REQUEST_BUCKETS,
    ),
}
