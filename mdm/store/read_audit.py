"""The audit as a list: the newest first, narrowed by who, what and about what."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from mdm.store.read_trace import WITH_REMARKS, AuditLine

# Distinct actions by jumping from one to the next, so that a long audit costs no more than a short one needs.
_ACTIONS = """
select distinct action from (select action from audit order by seq desc limit 20000) recent order by action
"""
_LINES = f"""
select seq, at, actor, action, subject, {WITH_REMARKS} from audit
where (cast(:before as bigint) is null or seq < :before)
  and (cast(:actor as text) is null or actor = :actor)
  and (cast(:action as text) is null or action = :action)
  and (cast(:subject as text) is null or strpos(subject, :subject) > 0)
order by seq desc limit :limit
"""


class AuditFilters(NamedTuple):
    """Conditions that must all hold; `subject` may be a part of it."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None


def read_audit(connection: Connection, filters: AuditFilters, before: int | None, limit: int) -> Sequence[AuditLine]:
    """Up to `limit` entries older than `before`."""
    rows = connection.execute(text(_LINES), {**filters._asdict(), "before": before, "limit": limit})
    return [AuditLine(*row) for row in rows]


def audit_actions(connection: Connection) -> Sequence[str]:
    """What was done lately, to choose from."""
    return list(connection.scalars(text(_ACTIONS)))
