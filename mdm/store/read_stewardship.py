"""Lists for stewards: decisions by person and entity, overrides of an entity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.model.stewardship import Override
from mdm.store.neighbourhood import overrides_at
from mdm.store.stewardship import DECISION, StoredDecision, decision_of
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
    records = sorted({rec for override in found for rec in override.overruled})
    keys = {
        row[0]: CrosswalkKey(*row[1:])
        for row in work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", records)
    }
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
