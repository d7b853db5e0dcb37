"""What somebody looked at, as a short token: a decision made on anything older is refused.

A task's token covers its own state and the golden versions of both entities, so that an event which changes one of
them between look and decision is noticed too.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mdm.errors import Stale
from mdm.model.ids import EntityId
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller may have looked at: tokens of the task, and golden versions by entity; one of them has to be the
    one of now. Nothing is checked that is absent."""

    tasks: frozenset[str] | None = None
    versions: Mapping[EntityId, frozenset[int]] = field(default_factory=dict)

    @staticmethod
    def task(token: str | None) -> "Expected":
        """The task as it was under this token; None for whatever it is by now."""
        return Expected(tasks=frozenset({token.strip('"')}) if token else None)

    @staticmethod
    def version(entity_id: EntityId, version: int | None) -> "Expected":
        """A golden record at this version; None for whatever it is by now."""
        return Expected(versions={entity_id: frozenset({version})} if version is not None else {})


_STATE = """
select t.task_id, t.status, coalesce(w.version, 0), ca.entity_id, ga.version, cb.entity_id, gb.version
from steward_task t left join task_work w using (task_id)
left join crosswalk ca on ca.rec_id = t.a left join golden ga on ga.entity_id = ca.entity_id and ga.known_to is null
left join crosswalk cb on cb.rec_id = t.b left join golden gb on gb.entity_id = cb.entity_id and gb.known_to is null
where t.task_id = any(%s)
"""


def task_tokens(work: UnitOfWork, tasks: Sequence[int]) -> dict[int, str]:
    """The current token of each of these tasks that exists."""
    return {row[0]: _token(row) for row in work.query(_STATE, list(tasks))}


def check_task(work: UnitOfWork, task_id: int, expected: Expected) -> None:
    """Raises Stale when the task, or one of its entities, is not what the caller looked at."""
    if expected.tasks is None:
        return
    if task_tokens(work, [task_id]).get(task_id) not in expected.tasks:
        raise Stale(
            f"Task {task_id}, or one of its two golden records, has changed since you looked at it.",
            action="Read the task again and decide anew.",
        )


def check_versions(work: UnitOfWork, expected: Expected) -> None:
    """Raises Stale when a golden record is not at the version that the caller looked at."""
    if not expected.versions:
        return
    rows = work.query(
        "select entity_id, version from golden where known_to is null and entity_id = any(%s)",
        list(expected.versions),
    )
    current = {EntityId(row[0]): row[1] for row in rows}
    for entity_id, versions in expected.versions.items():
        if current.get(entity_id) not in versions:
            now = f"is at version {current[entity_id]} now" if entity_id in current else "is not active any more"
            raise Stale(f"{entity_id} {now}, not as you looked at it.", action="Read the record again and decide anew.")


def _token(row: Sequence[object]) -> str:
    return hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:16]
