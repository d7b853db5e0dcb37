"""Reads for stewards: decisions by person and entity, overrides of an entity, what people did, what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.model.stewardship import Override
from mdm.store.neighbourhood import overrides_at
from mdm.store.stewardship import DECISION, StoredDecision, decision_of, keys_of
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions; conditions that are given must all hold."""

    actor: str | None = None
    entity_id: str | None = None


def decisions(work: UnitOfWork, wanted: DecisionFilter, before: int | None, limit: int) -> Sequence[StoredDecision]:
    """Up to `limit` decisions older than `before`, the newest first."""
    conditions, parameters = ["true"], []
    if wanted.actor is not None:
        conditions.append("actor = %s")
        parameters.append(wanted.actor)
    if wanted.entity_id is not None:
        conditions.append("entities @> array[%s]")
        parameters.append(wanted.entity_id)
    if before is not None:
        conditions.append("decision_id < %s::bigint")
        parameters.append(str(before))
    rows = work.query(
        f"select {DECISION} from decision where {' and '.join(conditions)} order by decision_id desc limit %s",
        *parameters,
        limit,
    )
    return [decision_of(row) for row in rows]


@dataclass(frozen=True, slots=True)
class HeldOverride:
    """A live override, the entity it holds for, what it overruled, and the open task that challenges it."""

    override: Override
    entity_id: EntityId
    overruled: tuple[tuple[CrosswalkKey, Any], ...]  # Any: the JSON form of the attribute
    task_id: int | None


def overrides_of(work: UnitOfWork, entity_id: EntityId) -> Sequence[HeldOverride]:
    """Live overrides that hold for an entity, the oldest first."""
    members = [RecordId(row[0]) for row in work.query("select rec_id from crosswalk where entity_id = %s", entity_id)]
    found = sorted(
        (override for overrides in overrides_at(work, members).values() for override in overrides),
        key=lambda each: each.override_id,
    )
    records = {rec for override in found for rec in override.overruled}
    keys = keys_of(work, records)
    questions = [f"override:{override.override_id}" for override in found]
    tasks = dict(
        work.query("select question, task_id from steward_task where status = 'open' and question = any(%s)", questions)
    )
    return [
        HeldOverride(
            override,
            entity_id,
            tuple((keys[rec], value) for rec, value in sorted(override.overruled.items()) if rec in keys),
            tasks.get(question),
        )
        for override, question in zip(found, questions, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class StewardNumbers:
    """What one person did in a period.

    `median_seconds` is from the moment a task was taken (or opened, when nobody took it) to its decision.
    `undone` are their decisions that were taken back, by whomever; `proposed` are those that needed a second person.
    """

    actor: str
    decisions: int
    by_kind: dict[str, int]
    undone: int
    proposed: int
    approved: int
    rejected: int
    median_seconds: float | None


def decisions_by_day(
    work: UnitOfWork, actors: Sequence[str], since: datetime, days: int
) -> Mapping[str, Sequence[int]]:
    """What some people decided, day after day from an instant on; quiet days are 0."""
    counts = {actor: [0] * days for actor in actors}
    for actor, day, number in work.query(
        """select d.actor, floor(extract(epoch from d.at - %s) / 86400)::int, count(*) from decision d
           where d.at >= %s and d.at < %s and d.kind not in ('undo', 'expire') and d.actor = any(%s) group by 1, 2""",
        since, since, since + timedelta(days=days), list(actors),
    ):  # fmt: skip
        counts[actor][day] = number
    return counts


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """The open tasks of one domain and kind; ages in days."""

    domain: str
    kind: str
    open: int
    unassigned: int
    snoozed: int
    unsure: int
    oldest_days: float
    median_days: float


def steward_numbers(work: UnitOfWork, since: datetime, until: datetime) -> Sequence[StewardNumbers]:
    """Everybody who decided or approved something in a period, the busiest first."""
    made = work.query(
        """select d.actor, d.kind, count(*), count(d.undone_by), count(d.approved_by) from decision d
           where d.at >= %s and d.at < %s and d.kind not in ('undo', 'expire') group by d.actor, d.kind""",
        since,
        until,
    )
    speeds = dict(
        work.query(
            """select d.actor, percentile_cont(0.5) within group (
                   order by extract(epoch from d.at - greatest(t.opened_at, coalesce(w.assigned_at, t.opened_at))))
               from decision d join steward_task t using (task_id) left join task_work w using (task_id)
               where d.at >= %s and d.at < %s and d.kind not in ('undo', 'expire')
                 and (w.assigned_at is null or w.assigned_at <= d.at) group by d.actor""",
            since,
            until,
        )
    )
    approvals: dict[str, dict[str, int]] = {}
    for actor, status, number in work.query(
        """select decided_by, status, count(*) from proposal where decided_at >= %s and decided_at < %s
           and status in ('approved', 'rejected') group by decided_by, status""",
        since,
        until,
    ):
        approvals.setdefault(actor, {})[status] = number
    numbers = []
    for actor in {row[0] for row in made} | approvals.keys():
        mine = [row for row in made if row[0] == actor]
        speed = speeds.get(actor)
        numbers.append(
            StewardNumbers(
                actor=actor,
                decisions=sum(row[2] for row in mine),
                by_kind={row[1]: row[2] for row in sorted(mine)},
                undone=sum(row[3] for row in mine),
                proposed=sum(row[4] for row in mine),
                approved=approvals.get(actor, {}).get("approved", 0),
                rejected=approvals.get(actor, {}).get("rejected", 0),
                median_seconds=None if speed is None else round(float(speed), 1),
            )
        )
    return sorted(numbers, key=lambda each: (-each.decisions, each.actor))


def queue_numbers(work: UnitOfWork, now: datetime) -> Sequence[QueueNumbers]:
    """Open tasks by domain and kind."""
    rows = work.query(
        """select t.domain, t.kind, count(*), count(*) filter (where w.assignee is null),
               count(*) filter (where w.snoozed_until > %s), count(j.judgement_id),
               max(extract(epoch from %s - t.opened_at)) / 86400,
               percentile_cont(0.5) within group (order by extract(epoch from %s - t.opened_at)) / 86400
           from steward_task t left join task_work w using (task_id)
           left join judgement j on j.a = t.a and j.b = t.b and j.superseded_at is null and j.verdict = 'unsure'
           where t.status = 'open' group by t.domain, t.kind order by t.domain, t.kind""",
        now,
        now,
        now,
    )
    return [
        QueueNumbers(row[0], row[1], row[2], row[3], row[4], row[5], round(float(row[6]), 2), round(float(row[7]), 2))
        for row in rows
    ]
