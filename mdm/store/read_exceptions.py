"""What could not be processed, for the people who must act: one by one, and whole.

In groups of a kind: `mdm.store.read_letter_groups`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from mdm.model.advice import ADVICE
from mdm.model.refused import AtStake
from mdm.store.stake import stake_of_letters
from mdm.store.waiting import waits


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; conditions that are given must all hold.

    Attributes:
        like: a dead letter; meant are all of its topic, code and reason (numbers in it aside).
        first_offset, last_offset: with both ends.
        owner: whose move it is by the contract.
        assignee: who has taken it, or was given it.
        taken: by somebody, or by nobody.
    """

    code: str | None = None
    topic: str | None = None
    ids: tuple[int, ...] = ()
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None
    system: str | None = None
    type: str | None = None
    row_key: str | None = None
    owner: str | None = None
    assignee: str | None = None
    taken: bool | None = None
    like: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        """True when no condition is given."""
        return self == Selection()

    def parameters(self) -> dict[str, Any]:
        """Values for `CONDITION`."""
        names = [name for name in Selection.__dataclass_fields__ if name != "ids"]
        return {name: getattr(self, name) for name in names} | {"ids": list(self.ids) or None}


#: A condition on `dead_letter d`; its parameters are those of a selection.
CONDITION = """
    (cast(:code as text) is null or d.code = :code)
    and (cast(:topic as text) is null or d.topic = :topic)
    and (cast(:ids as bigint[]) is null or d.dead_letter_id = any(cast(:ids as bigint[])))
    and (cast(:partition as int) is null or d.partition = :partition)
    and (cast(:first_offset as bigint) is null or d."offset" >= :first_offset)
    and (cast(:last_offset as bigint) is null or d."offset" <= :last_offset)
    and (cast(:system as text) is null or d.system = :system)
    and (cast(:type as text) is null or d.type = :type)
    and (cast(:row_key as text) is null or d.row_key = :row_key)
    and (cast(:owner as text) is null or d.owner = :owner)
    and (cast(:assignee as text) is null or d.assignee = :assignee)
    and (cast(:taken as boolean) is null or (d.assignee is not null) = :taken)
    and (cast(:since as timestamptz) is null or d.last_seen >= :since)
    and (cast(:until as timestamptz) is null or d.first_seen < :until)
    and (cast(:like as bigint) is null
         or d.likeness = (select o.likeness from dead_letter o where o.dead_letter_id = :like))
"""

_DEAD_LETTERS = f"""
select d.dead_letter_id as id, d.topic || '/' || d.partition || '/' || d."offset" as place, d.code, d.reason, d.action,
  d.owner, d.assignee, d.system, d.type, d.row_key, d.status, d.seen, d.first_seen, d.last_seen, d.tier, d.due_at,
  exists (select 1 from dead_letter_fix f where f.dead_letter_id = d.dead_letter_id) as fixed
from dead_letter d
where d.status = :status and (cast(:before as bigint) is null or %(behind)s) and {CONDITION}
order by %(order)s limit :limit
"""
#: The newest first: by number, and of one kind by when they came, for that is how the index of kinds is walked. By
#: number, all messages might be walked until one of this kind comes.
_NEWEST = {"behind": "d.dead_letter_id < :before", "order": "d.dead_letter_id desc"}
_NEWEST_OF_KIND = {
    "behind": """(d.first_seen, d.dead_letter_id) < (
        select b.first_seen, b.dead_letter_id from dead_letter b where b.dead_letter_id = :before)""",
    "order": "d.first_seen desc, d.dead_letter_id desc",
}
_LETTER = """
select d.dead_letter_id as id, d.topic, d.partition, d."offset", d.timestamp_ms, d.headers, d.key, d.value, d.system,
  d.type, d.row_key, d.code, d.reason, d.action, d.owner, d.assignee, d.status, d.seen, d.first_seen, d.last_seen,
  d.closed_at, d.closed_by, d.closed_reason, d.tier, d.due_at, d.behind,
  (select count(*) from dead_letter h where h.behind = d.dead_letter_id and h.status = 'open') as held,
  (select count(*) from dead_letter o where o.likeness = d.likeness and o.status = 'open') as alike_open,
  (select count(*) from source_record r join record_history h using (rec_id)
   where r.system = d.system and r.type = d.type and r.key = d.row_key and h.topic = d.topic
     and h.partition = d.partition and h."offset" > d."offset") as later_events
from dead_letter d where d.dead_letter_id = :id
"""
_PROPOSED = f"""
select p.proposal_id, p.author, jsonb_array_length(p.command->'letters') as letters from proposal p
where {waits(of="p.")} and p.kind = 'discard' and exists (
  select 1 from jsonb_array_elements(p.command->'letters') n(id)
  join dead_letter d on d.dead_letter_id = cast(n.id as bigint) and d.status = 'open' and {CONDITION})
order by p.proposal_id
"""
_FIXES = """
select fix_id as id, headers, key, value, author, reason, created_at from dead_letter_fix
where dead_letter_id = :id order by fix_id
"""
_EXCEPTIONS = """
select exception_id as id, kind, nullif(concat_ws('.', system, type), '') as table, code, detail, owner, assignee,
  status, seen, place, first_seen, last_seen, closed_at, closed_by, closed_reason
from exception where (cast(:id as bigint) is null or exception_id = :id)
  and (cast(:status as text) is null or status = :status)
  and (cast(:code as text) is null or code = :code) and (cast(:owner as text) is null or owner = :owner)
  and (cast(:assignee as text) is null or assignee = :assignee)
  and (cast(:taken as boolean) is null or (assignee is not null) = :taken)
  and (cast(:behind as timestamptz) is null or (last_seen, exception_id) < (:behind, :behind_id))
order by last_seen desc, exception_id desc limit :limit
"""


def dead_letters(
    connection: Connection,
    selection: Selection | None = None,
    *,
    status: str = "open",
    limit: int = 50,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Dead letters without their payload, the newest first, each with what hangs on its row (`stake`); `before` is the
    id where the page before ended."""
    parameters = (selection or Selection()).parameters() | {"status": status, "limit": limit, "before": before}
    statement = text(_DEAD_LETTERS % (_NEWEST if selection is None or selection.like is None else _NEWEST_OF_KIND))
    rows = [dict(row) for row in connection.execute(statement, parameters).mappings()]
    stakes = stake_of_letters(connection, [row["id"] for row in rows])
    return [row | {"stake": stakes.get(row["id"], AtStake())} for row in rows]


def dead_letter(connection: Connection, dead_letter_id: int) -> dict[str, Any] | None:
    """One dead letter whole, or None.

    Beside the message as it came: what hangs on its row (`stake`), `fixes` in their order, how many are open of its
    kind (`alike_open`), how many later events of the same row have been taken in meanwhile (`later_events`), and how
    many wait for it (`held`). `key` and `value` are bytes; they hold master data, so show them only to those who may
    see it.
    """
    row = connection.execute(text(_LETTER), {"id": dead_letter_id}).mappings().one_or_none()
    if row is None:
        return None
    fixes = connection.execute(text(_FIXES), {"id": dead_letter_id}).mappings()
    stake = stake_of_letters(connection, [dead_letter_id]).get(dead_letter_id, AtStake())
    return dict(row) | {"fixes": [dict(fix) for fix in fixes], "stake": stake}


def proposed_discards(connection: Connection, selection: Selection, now: datetime) -> list[tuple[int, str, int]]:
    """Proposals to discard open dead letters of a selection that wait: number, author, and of how many letters."""
    rows = connection.execute(text(_PROPOSED), selection.parameters() | {"now": now})
    return [(row.proposal_id, row.author, row.letters) for row in rows]


def open_dead_letters(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Open dead letters, newest first, without their payload."""
    return dead_letters(connection, limit=limit)


def exceptions(
    connection: Connection,
    *,
    status: str = "open",
    code: str | None = None,
    owner: str | None = None,
    assignee: str | None = None,
    taken: bool | None = None,
    limit: int = 50,
    after: tuple[datetime, int] | None = None,
) -> list[dict[str, Any]]:
    """Contract drift and other matters for an owner, the latest first, each with what to do (`action`).

    `after` is `last_seen` and `id` of the last one of the page before.
    """
    behind, behind_id = after or (None, None)
    parameters = {"status": status, "limit": limit, "id": None, "behind": behind, "behind_id": behind_id}
    return _exceptions(connection, parameters | {"code": code, "owner": owner, "assignee": assignee, "taken": taken})


def exception(connection: Connection, exception_id: int) -> dict[str, Any] | None:
    """One exception, whatever became of it; None when there is none."""
    one = {"status": None, "limit": 1, "id": exception_id, "behind": None, "behind_id": None}
    return next(iter(_exceptions(connection, one | dict.fromkeys(("code", "owner", "assignee", "taken")))), None)


def _exceptions(connection: Connection, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    rows = connection.execute(text(_EXCEPTIONS), parameters).mappings()
    return [{**row, "action": ADVICE.get(row["code"], "")} for row in rows]


def open_exceptions(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Open exceptions, newest first."""
    return exceptions(connection, limit=limit)
