"""Open dead letters in groups of a kind, kept as rows: how many there are, since when, whose, and the newest of them.

Whoever opens, closes, moves or gives away dead letters tells it here, in the same unit of work: what was open among
them before, and what is after (`regrouping`). The rows are written in the last step of the unit, for which units take
turns, so two that meet the same kind never wait for each other before. A page of groups is then one walk along an
index, however many letters there are (`mdm.store.read_letter_groups`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mdm.store.unit_of_work import UnitOfWork

#: Parts of a kind that can be listed by themselves; `OF` is what one person looks after.
ALL, FREE, TAKEN, OF = "all", "free", "taken", "of"


@dataclass(frozen=True, slots=True)
class Open:
    """Open dead letters of one kind with one person (None: nobody)."""

    likeness: str
    assignee: str | None
    letters: int
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """How much more there is of a part of a kind; `last_seen` is None where nothing was seen anew."""

    likeness: str
    share: str
    person: str
    letters: int
    last_seen: datetime | None


_AMONG = """
select likeness, assignee, count(*), max(last_seen) from dead_letter
where dead_letter_id = any(%s) and status = 'open' group by likeness, assignee
"""
# Whoever ranks groups passes over those that are held here, and holds the row of all before any other of a kind.
_HOLD = """
select from dead_letter_group where likeness = any(%s) order by likeness, share, person for update
"""
_CHANGE = """
    unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[])
        as c(likeness, share, person, letters, last_seen)"""
_END = f"""
with gone as (
  delete from dead_letter_group g using {_CHANGE}
  where (g.likeness, g.share, g.person) = (c.likeness, c.share, c.person) and g.letters + c.letters <= 0
  returning g.likeness, g.share)
delete from dead_letter_rank r using gone where gone.share = 'all' and r.likeness = gone.likeness
"""


def _end(order: str) -> str:
    """The first letter of each part in an order, by the index of that part."""
    of_part = {
        ALL: "true",
        FREE: "d.assignee is null",
        TAKEN: "d.assignee is not null",
        OF: "d.assignee is not null and d.assignee = c.person",
    }
    return " union all ".join(
        f"""(select d.dead_letter_id, d.first_seen, d.topic, d.code, d.owner from dead_letter d
             where c.share = '{share}' and d.status = 'open' and d.likeness = c.likeness and {condition}
             order by d.first_seen {order}, d.dead_letter_id {order} limit 1)"""
        for share, condition in of_part.items()
    )


# A part may be empty already while only the first of several changes of it is written: then a later one ends its row.
_COUNT = f"""
update dead_letter_group g set letters = g.letters + c.letters, last_seen = greatest(g.last_seen, c.last_seen),
  first_seen = coalesce(o.first_seen, g.first_seen), newest_id = coalesce(n.dead_letter_id, g.newest_id),
  version = %s, changed = true
from {_CHANGE} left join lateral ({_end("desc")}) n on true left join lateral ({_end("asc")}) o on true
where (g.likeness, g.share, g.person) = (c.likeness, c.share, c.person)
"""
_BEGIN = f"""
insert into dead_letter_group (likeness, share, person, topic, code, owner, letters, first_seen, last_seen, newest_id,
  rank, times_much, version)
select c.likeness, c.share, c.person, n.topic, n.code, n.owner, c.letters, o.first_seen, c.last_seen, n.dead_letter_id,
  coalesce(r.rank, {{unranked}}), coalesce(r.times_much, 0), %s
from {_CHANGE} cross join lateral ({_end("desc")}) n cross join lateral ({_end("asc")}) o
left join dead_letter_rank r on r.likeness = c.likeness
where c.letters > 0 and not exists (
  select from dead_letter_group g where (g.likeness, g.share, g.person) = (c.likeness, c.share, c.person))
"""
#: The place of a kind that was not ranked yet: behind all that were.
UNRANKED = -1e9
#: What the rows say by the letters themselves; also an invariant.
TOLD = """
select d.likeness, s.share, s.person, min(d.topic) as topic, min(d.code) as code, min(d.owner) as owner,
  count(*) as letters, min(d.first_seen) as first_seen, max(d.last_seen) as last_seen,
  (array_agg(d.dead_letter_id order by d.first_seen desc, d.dead_letter_id desc))[1] as newest_id
from dead_letter d cross join lateral (
  values ('all', ''), (case when d.assignee is null then 'free' else 'taken' end, ''), ('of', d.assignee)
) s(share, person)
where d.status = 'open' and s.person is not null group by d.likeness, s.share, s.person
"""
_RECOUNT = f"""
insert into dead_letter_group (likeness, share, person, topic, code, owner, letters, first_seen, last_seen, newest_id,
  rank, times_much, version)
select t.likeness, t.share, t.person, t.topic, t.code, t.owner, t.letters, t.first_seen, t.last_seen, t.newest_id,
  coalesce(r.rank, {UNRANKED}), coalesce(r.times_much, 0), %s
from ({TOLD}) t left join dead_letter_rank r using (likeness)
"""


@contextmanager
def regrouping(work: UnitOfWork, ids: Sequence[int]) -> Iterator[None]:
    """The block changes these dead letters and no others, none of which it adds; afterwards their groups know."""
    before = open_among(work, ids, held=True)
    yield
    tell(work, before, open_among(work, ids))


def open_among(work: UnitOfWork, ids: Sequence[int], *, held: bool = False) -> list[Open]:
    """What is open of these dead letters; `held`: they stay as they are until this unit of work changes them."""
    if not ids:
        return []
    if held:
        work.query(
            "select from dead_letter where dead_letter_id = any(%s) order by dead_letter_id for update", list(ids)
        )
    return [Open(*row) for row in work.query(_AMONG, list(ids))]


def tell(work: UnitOfWork, before: Iterable[Open], after: Iterable[Open]) -> None:
    """Groups are what they were with `after` instead of `before`, once this unit of work publishes."""
    if found := changes(before, after):
        work.defer(partial(_write, work, found))


def changes(before: Iterable[Open], after: Iterable[Open]) -> list[Change]:
    """What changes of which parts of kinds, in the order in which their rows are held."""
    letters: dict[tuple[str, str, str], int] = {}
    seen: dict[tuple[str, str, str], datetime] = {}
    for sign, some in ((-1, before), (1, after)):
        for each in some:
            for share, person in _shares(each.assignee):
                part = each.likeness, share, person
                letters[part] = letters.get(part, 0) + sign * each.letters
                if sign > 0:
                    seen[part] = max(each.last_seen, seen.get(part, each.last_seen))
    return [Change(*part, letters[part], seen.get(part)) for part in sorted(letters)]


def recount(work: UnitOfWork) -> None:
    """Write all groups anew from the letters, once this unit of work publishes; their ranks are made again."""

    def write() -> None:
        # In the order of all who hold groups, or this and whoever ranks them wait for each other.
        work.query("select from dead_letter_group where share = 'all' order by likeness for update")
        work.execute("delete from dead_letter_group")
        work.execute(_RECOUNT, work.publication())
        work.execute(
            """delete from dead_letter_rank r where not exists (
                   select from dead_letter_group g where g.likeness = r.likeness)"""
        )

    work.defer(write)


def _shares(assignee: str | None) -> Sequence[tuple[str, str]]:
    return ((ALL, ""), (FREE, "")) if assignee is None else ((ALL, ""), (OF, assignee), (TAKEN, ""))


def _write(work: UnitOfWork, found: Sequence[Change]) -> None:
    work.query(_HOLD, sorted({each.likeness for each in found}))
    columns: Mapping[str, list[object]] = {
        name: [getattr(each, name) for each in found] for name in Change.__dataclass_fields__
    }
    work.execute(_END, *columns.values())
    for statement in (_COUNT, _BEGIN.format(unranked=UNRANKED)):
        work.execute(statement, work.publication(), *columns.values())
