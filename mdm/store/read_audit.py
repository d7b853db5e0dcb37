"""The audit as a list: the newest first, narrowed by who, what and about what."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from mdm.store.read_trace import WITH_REMARKS, AuditLine

# From one action to the next by the index: as many steps as there are actions, however long the audit is.
_ACTIONS = """
with recursive found(action) as (
  (select action from audit order by action limit 1)
  union all
  select (select a.action from audit a where a.action > found.action order by a.action limit 1)
  from found where found.action is not null
)
select action from found where action is not null
"""
_LINES = f"select seq, at, actor, action, subject, {WITH_REMARKS} from audit"
# Only conditions that are asked for are written down, so that each combination is planned for what it is.
_CONDITIONS = {
    "before": "seq < :before",
    "oldest": "seq >= :oldest",
    "actor": "actor = :actor",
    "action": "action = :action",
    "subject": "strpos(subject, :subject) > 0",
}


class AuditFilters(NamedTuple):
    """Conditions that must all hold; `subject` may be a part of it."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None


def newest_entry(connection: Connection) -> int:
    """The number of the newest entry; 0 when there is none."""
    return int(connection.scalar(text("select max(seq) from audit")) or 0)


def read_audit(
    connection: Connection, filters: AuditFilters, before: int | None, limit: int, oldest: int | None = None
) -> Sequence[AuditLine]:
    """Up to `limit` entries older than `before`, but not older than `oldest`."""
    bounds = (("before", before), ("oldest", oldest))
    asked = {name: value for name, value in (*filters._asdict().items(), *bounds) if value is not None}
    where = " and ".join(_CONDITIONS[name] for name in asked) or "true"
    rows = connection.execute(text(f"{_LINES} where {where} order by seq desc limit :limit"), {**asked, "limit": limit})
    return [AuditLine(*row) for row in rows]


def has_acted(connection: Connection, actor: str) -> bool:
    """Whether there is an entry of somebody."""
    query = text("select exists (select from audit where actor = :actor)")
    return bool(connection.scalar(query, {"actor": actor}))


def audit_actions(connection: Connection) -> Sequence[str]:
    """Everything that was ever done, to choose from."""
    return list(connection.scalars(text(_ACTIONS)))
