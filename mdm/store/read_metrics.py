"""The hub's state as gauges: what is asked at every scrape, from small tables and partial indexes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from mdm.observability.metrics import METRICS, MetricName


class Sample(NamedTuple):
    """One value of a gauge, with the values of its labels in their order."""

    labels: tuple[str, ...]
    value: float


_AGE = "extract(epoch from now() - min(first_seen))"
#: Gauge to the query of its samples: the labels in the order of the catalogue, then the value.
_QUERIES: Mapping[MetricName, str] = {
    "mdm_golden_records": "select domain, count(*) from golden where known_to is null group by domain",
    "mdm_tasks_open": "select domain, kind, count(*) from steward_task where status = 'open' group by domain, kind",
    "mdm_dead_letters_open": """
        select coalesce(system, ''), code, count(*) from dead_letter where status = 'open' group by system, code""",
    "mdm_dead_letters_oldest_seconds": f"""
        select coalesce(system, ''), {_AGE} from dead_letter where status = 'open' group by system""",
    "mdm_dead_letters_closed": """
        select coalesce(system, ''), status, count(*) from dead_letter where status in ('replayed', 'discarded')
        group by system, status""",
    "mdm_exceptions_open": "select kind, code, count(*) from exception where status = 'open' group by kind, code",
    "mdm_exceptions_oldest_seconds": f"select kind, {_AGE} from exception where status = 'open' group by kind",
    "mdm_contract_drift_events": """
        select coalesce(system, ''), code, sum(seen) from exception where kind = 'contract_drift'
        group by system, code""",
    "mdm_replays": "select subject, count(*) from audit where action = 'replay' group by subject",
    "mdm_replay_rows": """
        select subject, sum((detail ->> 'rows')::bigint) from audit
        where action = 'replay' and detail ->> 'rows' is not null group by subject""",
    "mdm_replay_effects": """
        select subject, sum((detail ->> 'effects')::bigint) from audit
        where action = 'replay' and detail ->> 'effects' is not null group by subject""",
    "mdm_unaccounted_messages": """
        select (select coalesce(sum(messages), 0) from consumed_count)
            - (select coalesce(sum(messages), 0) from outcome_count)""",
    "mdm_outbox_pending": "select count(*) from outbox where published_at is null",
    "mdm_outbox_oldest_seconds": """
        select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox where published_at is null""",
}

#: The gauges that `hub_state` gives.
STATE_METRICS: tuple[MetricName, ...] = tuple(_QUERIES)


def hub_state(connection: Connection) -> dict[MetricName, Sequence[Sample]]:
    """Every gauge with its samples; one that has none now has an empty list."""
    state: dict[MetricName, Sequence[Sample]] = {}
    for name, query in _QUERIES.items():
        labels = len(METRICS[name].labels)
        rows = connection.execute(text(query))
        state[name] = [Sample(tuple(map(str, row[:labels])), float(row[labels])) for row in rows]
    return state
