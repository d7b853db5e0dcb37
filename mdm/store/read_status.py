"""How the hub is doing: what came in, what became of it, what it led to."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from mdm.model.events import Outcome
from mdm.model.ids import Domain

_OUTCOMES = """
select coalesce(o.system, '') as system, coalesce(o.topic, c.topic) as topic, coalesce(c.messages, 0) as consumed,
  o.outcome, o.messages
from (select system, topic, outcome, sum(messages) as messages from outcome_count group by system, topic, outcome) o
full join consumed_count c on c.topic = o.topic
order by 1, 2, 4
"""
_REASONS = """
select outcome, reason, sum(messages) from outcome_count where reason <> ''
group by outcome, reason order by outcome, reason
"""
_DOMAINS = """
select d.domain,
  (select count(*) from source_record r where r.domain = d.domain and not r.deleted) as records,
  (select count(*) from source_record r join crosswalk x on x.rec_id = r.rec_id
   where r.domain = d.domain and not r.deleted) as crosswalks,
  (select count(*) from golden g where g.domain = d.domain and g.known_to is null) as golden,
  (select count(*) from entity e where e.domain = d.domain) as ids_issued,
  (select count(*) from steward_task t where t.domain = d.domain and t.status = 'open') as open_tasks
from unnest(cast(:domains as text[])) as d(domain)
"""
_FACTS = (
    "select kind, count(*) as facts from source_record where domain is null and not deleted group by kind order by kind"
)
_MATTERS = """
select
  (select count(*) from dead_letter where status = 'open') as dead_letters,
  (select count(*) from exception where status = 'open') as exceptions,
  (select count(*) from outbox where published_at is null) as unpublished
"""
_LAST = "select batch_id, committed_at from batch order by batch_id desc limit 1"
_VITALS = """
select
  (select coalesce(sum(messages), 0) from consumed_count) as consumed,
  (select count(*) from (select from steward_task where status = 'open' limit :most) t) as open_tasks,
  (select count(*) from (select from dead_letter where status = 'open' limit :most) d) as dead_letters,
  (select count(*) from (select from exception where status = 'open' limit :most) e) as exceptions,
  (select count(*) from (select from outbox where published_at is null limit :most) o) as unpublished,
  (select extract(epoch from committed_at) from batch order by batch_id desc limit 1) as last_commit
"""


class Vitals(NamedTuple):
    """What is watched all the time; every part is read from a small table or a partial index."""

    consumed: int
    open_tasks: int
    dead_letters: int
    exceptions: int
    unpublished: int
    #: Seconds since 1970, None before the first unit of work.
    last_commit: float | None


def status_summary(connection: Connection) -> dict[str, Any]:
    """A JSON object: `messages` with outcomes in total and per topic, `domains`, `facts`, and what is open.

    `messages.add_up` says whether every consumed message has exactly one outcome: messages consumed and outcomes are
    counted apart, and are compared here topic by topic. It counts every record of the hub, which takes seconds where
    there are millions: pages that people wait for ask `message_account`.
    """
    domains = connection.execute(text(_DOMAINS), {"domains": [domain.value for domain in Domain]})
    matters = connection.execute(text(_MATTERS)).one()
    return {
        "messages": message_account(connection),
        "domains": {
            row.domain: {name: value for name, value in row._mapping.items() if name != "domain"} for row in domains
        },
        "facts": {row.kind: row.facts for row in connection.execute(text(_FACTS))},
        "open": {
            "dead_letters": matters.dead_letters,
            "exceptions": matters.exceptions,
            "unpublished": matters.unpublished,
        },
        "last_batch": last_batch(connection),
    }


def message_account(connection: Connection) -> dict[str, Any]:
    """The `messages` of `status_summary`: from counts that every unit of work keeps, so it never grows with them."""
    topics: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(text(_OUTCOMES)):
        topic = topics.setdefault(
            (row.system, row.topic),
            {"system": row.system, "topic": row.topic, "consumed": int(row.consumed)}
            | {each.value: 0 for each in Outcome},
        )
        if row.outcome is not None:
            topic[row.outcome] = int(row.messages)
    per_topic = list(topics.values())
    reasons: dict[str, dict[str, int]] = {}
    for outcome, reason, messages in connection.execute(text(_REASONS)):
        reasons.setdefault(outcome, {})[reason] = int(messages)
    return {
        "consumed": sum(topic["consumed"] for topic in per_topic),
        "outcomes": {each.value: sum(topic[each.value] for topic in per_topic) for each in Outcome},
        "reasons": reasons,
        "add_up": all(topic["consumed"] == sum(topic[each.value] for each in Outcome) for topic in per_topic),
        "topics": per_topic,
    }


def last_batch(connection: Connection) -> dict[str, Any] | None:
    """Number and time of the newest unit of work; None before the first."""
    row = connection.execute(text(_LAST)).one_or_none()
    return None if row is None else {"batch": row.batch_id, "committed_at": row.committed_at.isoformat()}


def vitals(connection: Connection, most: int | None = None) -> Vitals:
    """One cheap query for gauges, asked at every scrape. Pages need no more than that there are more than `most`: what
    is open is counted up to so many."""
    row = connection.execute(text(_VITALS), {"most": most}).one()
    last = None if row.last_commit is None else float(row.last_commit)
    return Vitals(int(row.consumed), row.open_tasks, row.dead_letters, row.exceptions, row.unpublished, last)
