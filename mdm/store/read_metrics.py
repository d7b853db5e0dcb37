"""The hub's state as gauges: what is asked at every scrape, from small tables and partial indexes."""

import os
import socket
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from mdm.observability.catalogue import METRICS, MetricName
from mdm.observability.metrics import Sample, Tally
from mdm.store.waiting import waits

_AGE = "extract(epoch from now() - min(first_seen))"
#: Refusals by what a contract says: a value, a column, a version, a truncate that it does not let through.
_CONTRACT_CODES = "('VALUE_TYPE', 'CONTRACT_VIOLATION', 'CONTRACT_NOT_ACTIVE', 'TRUNCATE_HELD', 'KEY_DIFFERS')"
#: Severity and seconds within which an exception of a kind should be closed. What is missing does not come by itself,
#: so gaps have a day; the others are what their alerts wait for. Refused messages are due as their tier says.
_DUE: Mapping[str, tuple[str, int]] = {
    "gap": ("page", 86_400),
    "contract_drift": ("ticket", 7 * 86_400),
    "oversize": ("ticket", 7 * 86_400),
    "recycled": ("ticket", 3 * 86_400),
    "erp_change": ("ticket", 7 * 86_400),
}
_DUE_VALUES = ", ".join(f"('{kind}', '{severity}', {seconds})" for kind, (severity, seconds) in _DUE.items())
_WORKERS = ("ingest", "relay", "calendar")
_WORKER_VALUES = ", ".join(f"('{worker}')" for worker in _WORKERS)
#: Gauge to the query of its samples: the labels in the order of the catalogue, then the value.
_QUERIES: Mapping[MetricName, str] = {
    "mdm_golden_records": "select domain, count(*) from golden where known_to is null group by domain",
    "mdm_tasks_open": "select domain, kind, count(*) from steward_task where status = 'open' group by domain, kind",
    "mdm_review_oldest_seconds": """
        select domain, kind, extract(epoch from now() - min(opened_at)) from steward_task where status = 'open'
        group by domain, kind""",
    "mdm_review_decisions_total": """
        select coalesce(domain, ''), kind, count(*) from decision group by domain, kind""",
    "mdm_review_overturned_total": """
        select coalesce(domain, ''), kind, count(undone_by) from decision group by domain, kind""",
    "mdm_match_quality": """
        select s.domain, f ->> 0, f ->> 1, f ->> 2, (f ->> 3)::double precision
        from (select distinct on (domain) domain, figures from blind_sample where figures is not null
              order by domain, sample_id desc) s cross join jsonb_array_elements(s.figures) f""",
    "mdm_match_quality_timestamp_seconds": """
        select domain, extract(epoch from max(closed_at)) from blind_sample where figures is not null
        group by domain""",
    "mdm_blind_sample_open_seconds": """
        select domain, extract(epoch from now() - drawn_at) from blind_sample where closed_at is null""",
    "mdm_source_retired": "select system, state, 1 from source_retirement where state <> 'restored'",
    "mdm_unmerge_total": """
        select domain, 'split', count(*) from decision where kind = 'split' and undone_by is null group by domain
        union all
        select domain, 'undone', count(*) from decision where kind in ('same', 'merge') and undone_by is not null
        group by domain""",
    "mdm_audit_chain_ok": """
        select case when broken_at is null and broken_before is null then 1 else 0 end from audit_check""",
    "mdm_audit_last_verified_timestamp_seconds": "select extract(epoch from verified_at) from audit_check",
    "mdm_rule_release_info": """
        select f.kind, f.domain, r.version, f.fingerprint, 1
        from rules_in_force f join rule_release r using (release_id)""",
    "mdm_approvals_open": f"""
        select case risk when 1 then 'normal' when 2 then 'elevated' else 'high' end, count(*) from proposal
        where {waits(now="now()")} group by risk""",
    "mdm_approvals_oldest_seconds": f"""
        select coalesce(extract(epoch from now() - min(proposed_at)), 0) from proposal where {waits(now="now()")}""",
    "mdm_onboarding_verdicts": "select erp, decision, count(*) from verdict group by erp, decision",
    "mdm_dlq_items": """
        select coalesce(system, ''), code, count(*) from dead_letter where status = 'open' group by system, code""",
    "mdm_dlq_oldest_seconds": f"""
        select coalesce(system, ''), {_AGE} from dead_letter where status = 'open' group by system""",
    "mdm_dlq_in_total": "select coalesce(system, ''), code, count(*) from dead_letter group by system, code",
    "mdm_dlq_out_total": """
        select coalesce(system, ''), status, count(*) from dead_letter where status in ('replayed', 'discarded')
        group by system, status""",
    "mdm_exceptions_open": "select kind, code, count(*) from exception where status = 'open' group by kind, code",
    "mdm_exception_age_seconds": f"select kind, {_AGE} from exception where status = 'open' group by kind",
    "mdm_exceptions_resolved_total": """
        select kind, status, count(*) from exception where status in ('resolved', 'accepted') group by kind, status""",
    # Zero is told as well: Prometheus sees no increase in a series that begins with its first breach.
    "mdm_exception_sla_breaches_total": f"""
        select d.kind, d.severity, e.owner, count(*) filter (where extract(epoch from
            case when e.status = 'open' then now() else e.closed_at end - e.first_seen) > d.seconds)
        from (values {_DUE_VALUES}) d (kind, severity, seconds) join exception e using (kind)
        group by d.kind, d.severity, e.owner
        union all
        select 'dead_letter', case tier when 1 then 'page' else 'ticket' end, owner,
            count(*) filter (where case when status = 'open' then now() else closed_at end > due_at)
        from dead_letter group by 2, 3""",
    "mdm_dlq_tier_items": """
        select tier, case when behind is null then 'refused' else 'held' end, count(*) from dead_letter
        where status = 'open' group by 1, 2""",
    # By connections, not by reports: one that was killed is gone at once, and the embedded server knows as well.
    "mdm_workers_alive": f"""
        select w.worker, count(distinct a.application_name)
        from (values {_WORKER_VALUES}) w (worker) left join pg_stat_activity a
            on a.datname = current_database() and a.application_name like 'mdm ' || w.worker || ' %'
        group by w.worker""",
    "mdm_contract_violations_total": f"""
        select system, type, code, 'quarantined', count(*) from dead_letter
        where system is not null and type is not null and code in {_CONTRACT_CODES} group by system, type, code
        union all
        select system, coalesce(type, ''), code, 'recorded', sum(seen) from exception
        where kind = 'contract_drift' and system is not null group by system, type, code""",
    "mdm_schema_drift_total": """
        select coalesce(system, ''), code, count(*) from exception where kind = 'contract_drift'
        group by system, code""",
    "mdm_replay_records_total": """
        select subject, 'folded', sum((detail ->> 'rows')::bigint) from audit
        where action = 'replay' and detail ->> 'rows' is not null group by subject
        union all
        select a.subject, o.outcome, sum(o.messages::bigint)
        from audit a, jsonb_each_text((a.detail -> 'outcomes')::jsonb) o (outcome, messages)
        where a.action = 'replay' and a.detail ->> 'outcomes' is not null group by a.subject, o.outcome""",
    "mdm_replay_effects_total": """
        select subject, sum((detail ->> 'effects')::bigint) from audit
        where action = 'replay' and detail ->> 'effects' is not null group by subject""",
    "mdm_unaccounted_events": """
        select (select coalesce(sum(messages), 0) from consumed_count)
            - (select coalesce(sum(messages), 0) from outcome_count)""",
    "mdm_outbox_pending": "select count(*) from outbox where published_at is null",
    "mdm_outbox_oldest_seconds": """
        select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox where published_at is null""",
}

#: Histograms to the query of what they count: the labels, then the seconds.
_DURATIONS: Mapping[MetricName, str] = {
    "mdm_approval_wait_seconds": """
        select kind, extract(epoch from decided_at - proposed_at)::double precision from proposal
        where status in ('approved', 'rejected')""",
    "mdm_replay_duration_seconds": """
        select subject, (detail ->> 'seconds')::double precision from audit
        where action = 'replay' and detail ->> 'seconds' is not null""",
}

#: The metrics that `hub_state` gives.
STATE_METRICS: tuple[MetricName, ...] = (*_QUERIES, *_DURATIONS)


def worker_name(worker: str) -> str:
    """What a worker process calls itself to the database, so that it can be counted: one name per process."""
    # PostgreSQL keeps 63 bytes of a name. The end of a machine's name is what tells pods of one kind apart.
    return f"mdm {worker} {os.getpid()}@{socket.gethostname()[-40:]}"


def hub_state(connection: Connection) -> dict[MetricName, Sequence[Sample | Tally]]:
    """Every metric of the hub's tables with its values; one that has none now has an empty list."""
    state: dict[MetricName, Sequence[Sample | Tally]] = {}
    for name, query in _QUERIES.items():
        labels = len(METRICS[name].labels)
        rows = connection.execute(text(query))
        state[name] = [Sample(tuple(map(str, row[:labels])), float(row[labels])) for row in rows]
    for name, query in _DURATIONS.items():
        state[name] = _tallies(connection, name, query)
    return state


def _tallies(connection: Connection, name: MetricName, query: str) -> Sequence[Tally]:
    """Counted by the database: the labels are its first columns, `seconds` the last."""
    labels, buckets = METRICS[name].labels, METRICS[name].buckets
    columns = ", ".join(labels)
    counts = ", ".join(f"count(*) filter (where seconds <= {bound})" for bound in buckets)
    rows = connection.execute(
        text(
            f"""select {columns}, count(*), sum(seconds), {counts} from ({query}) as d ({columns}, seconds)
                group by {columns}"""
        )
    )
    width = len(labels)
    return [
        Tally(tuple(map(str, row[:width])), tuple(map(int, row[width + 2 :])), int(row[width]), float(row[width + 1]))
        for row in rows
    ]
