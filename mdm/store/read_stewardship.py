"""Lists for stewards: decisions by person and entity."""

from collections.abc import Sequence
from dataclasses import dataclass

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
