"""Refused messages in groups of a kind: how many, what hangs on them, since when, whose, and what to do.

What is open is kept in groups (`mdm.store.letter_groups`), so a page of them is one walk along an index. Of everything
else - what is closed, or about one row - the messages themselves are read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from mdm.store.letter_groups import ALL, FREE, OF, TAKEN
from mdm.store.read_exceptions import CONDITION, Selection


class GroupOrder(StrEnum):
    """What comes first in a list of groups of dead letters. By priority and by money, groups that were not ranked
    (`mdm.hub.worklist.rank_refused`) come last."""

    PRIORITY = "priority"
    MONEY = "money"
    MESSAGES = "messages"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class _Way:
    """How the rows of an order are walked: `place` names where a page ended, `behind` finds what comes after."""

    place: str
    behind: str
    order: str


_WAYS = {
    GroupOrder.PRIORITY: _Way(
        "g.rank", "(g.rank, g.newest_id) < (:behind, :behind_id)", "g.rank desc, g.newest_id desc"
    ),
    GroupOrder.MONEY: _Way(
        "g.times_much", "(g.times_much, g.newest_id) < (:behind, :behind_id)", "g.times_much desc, g.newest_id desc"
    ),
    GroupOrder.MESSAGES: _Way(
        "g.letters::double precision",
        "(g.letters, g.newest_id) < (cast(:behind as bigint), :behind_id)",
        "g.letters desc, g.newest_id desc",
    ),
    GroupOrder.AGE: _Way(
        "-extract(epoch from g.first_seen)::double precision",
        "(g.first_seen, g.newest_id) > (to_timestamp(-cast(:behind as double precision)), :behind_id)",
        "g.first_seen, g.newest_id",
    ),
}  # fmt: skip
#: Conditions on groups: what all letters of a kind have in common.
_COMMON = {
    "code": "g.code = :code",
    "topic": "g.topic = :topic",
    "owner": "g.owner = :owner",
    "like": "g.likeness = (select d.likeness from dead_letter d where d.dead_letter_id = :like)",
}
_PAGE = """
select g.topic, g.code, g.owner, g.letters, g.first_seen, g.last_seen, g.newest_id, %(place)s as place, r.rank, r.parts,
  r.impact, least(coalesce(g.rows, g.letters), g.letters) as rows, n.reason, n.action,
  coalesce(r.amounts, '{}') as amounts, coalesce(r.known, 0) as known,
  case g.share when 'of' then array[g.person] when 'free' then '{}' else
    array(select o.person from dead_letter_group o where o.likeness = g.likeness and o.share = 'of' order by o.person)
  end as assignees
from (select * from dead_letter_group g where g.share = :share and g.person = :person %(conditions)s
      order by %(order)s limit :limit) g
join dead_letter n on n.dead_letter_id = g.newest_id
left join dead_letter_rank r on r.likeness = g.likeness
order by %(order)s
"""
_READ = f"""
with told as (
  select d.likeness, count(*) as letters, count(distinct d.row_key) as rows, min(d.first_seen) as first_seen,
    max(d.last_seen) as last_seen,
    (array_agg(d.dead_letter_id order by d.first_seen desc, d.dead_letter_id desc))[1] as newest_id,
    array_remove(array_agg(distinct d.assignee), null) as assignees
  from dead_letter d where d.status = :status and {CONDITION} group by d.likeness),
g as (
  select t.*, coalesce(r.rank, -1e9) as rank, coalesce(r.times_much, 0) as times_much, r.rank as ranked, r.parts,
    r.impact, r.amounts, r.known
  from told t left join dead_letter_rank r on r.likeness = t.likeness and :status = 'open')
select n.topic, n.code, n.owner, g.letters, g.first_seen, g.last_seen, g.newest_id, %(place)s as place,
  g.ranked as rank, g.parts, g.impact, g.rows, n.reason, n.action, coalesce(g.amounts, '{{}}') as amounts,
  coalesce(g.known, 0) as known, g.assignees
from g join dead_letter n on n.dead_letter_id = g.newest_id
where true %(conditions)s order by %(order)s limit :limit
"""


def _aged(*conditions: str) -> str:
    """Groups of one age: each is written out, so that the planner knows how many there are and walks no further."""
    among = "".join(f" and {each}" for each in conditions)
    return f"""select count(*) as groups, coalesce(sum(letters), 0) as letters
        from (select letters from dead_letter_group where share = 'all' and person = ''{among}
              order by first_seen limit :most) g"""


_AGES = " union all ".join(
    (
        _aged("first_seen > :today"),
        _aged("first_seen <= :today", "first_seen > :three"),
        _aged("first_seen <= :three", "first_seen > :week"),
        _aged("first_seen <= :week"),
    )
)


def dead_letter_groups(
    connection: Connection,
    selection: Selection | None = None,
    *,
    status: str = "open",
    limit: int = 50,
    order: GroupOrder = GroupOrder.MESSAGES,
    after: tuple[float, int] | None = None,
) -> list[dict[str, Any]]:
    """Dead letters of one kind together: how many, of how many rows, since when, whose, why, and what to do.

    A kind is a topic, a code, an owner and a reason apart from its numbers. `newest_id` names one of them, by which the
    others can be selected (`Selection(like=...)`); `assignees` are those who look after it. `amounts`, `known`, `rank`
    with its `parts` and `impact` are of the whole kind, whatever the selection, and tell what hangs on its rows
    (`mdm.model.refused`); they and the number of rows are as they were when the kind was ranked last. `after` is
    `place` and `newest_id` of the last group of the page before, in the same order.
    """
    meant = selection or Selection()
    behind, behind_id = after or (None, None)
    parameters = meant.parameters() | {"limit": limit, "status": status, "behind": behind, "behind_id": behind_id}
    way = _WAYS[order]
    conditions = [way.behind] if after is not None else []
    share = _share(meant) if status == "open" else None
    if share is None:
        query = _READ
    elif not share:
        return []
    else:
        query = _PAGE
        parameters |= {"share": share, "person": meant.assignee or ""}
        conditions += [each for name, each in _COMMON.items() if getattr(meant, name) is not None]
    told = "".join(f" and {each}" for each in conditions)
    statement = text(query % {"place": way.place, "order": way.order, "conditions": told})
    return [dict(row) for row in connection.execute(statement, parameters).mappings()]


def _share(meant: Selection) -> str | None:
    """The part of each kind that is meant, empty for no part; None where that is told by the messages only."""
    kept = {*_COMMON, "assignee", "taken"}
    if any(getattr(meant, name) not in (None, ()) for name in Selection.__dataclass_fields__ if name not in kept):
        return None
    if meant.assignee is not None:
        return "" if meant.taken is False or not meant.assignee else OF
    return {None: ALL, True: TAKEN, False: FREE}[meant.taken]


@dataclass(frozen=True, slots=True)
class OpenLetters:
    """Open dead letters as a whole: how many, in how many groups, and how old these are."""

    letters: int
    today: int
    three: int
    week: int
    older: int

    @property
    def groups(self) -> int:
        return self.today + self.three + self.week + self.older


def open_letters(connection: Connection, now: datetime, most: int) -> OpenLetters:
    """All of them, and groups by whether the first of their kind came within a day, three days, a week, or before. Of
    each age `most` groups are counted, and the letters of those."""
    moments = {name: now - timedelta(days=days) for name, days in (("today", 1), ("three", 3), ("week", 7))}
    rows = connection.execute(text(_AGES), {**moments, "most": most}).all()
    return OpenLetters(int(sum(row.letters for row in rows)), *(row.groups for row in rows))
