"""Questions about blocks that are too large, kept as exceptions with an owner."""

from collections.abc import Collection, Mapping
from functools import partial
from types import MappingProxyType

from mdm.store.unit_of_work import UnitOfWork

KIND = "oversize"
#: Who closes these questions when what they say is no longer so.
HUB = "hub"

#: question, code, domain, detail, owner, size, sample place
Row = tuple[str, str, str, str, str, int]


def write_oversize(
    work: UnitOfWork, raised: Collection[Row], cleared: Collection[str], grown: Mapping[str, int]
) -> None:
    """Raise, close and count these questions when this unit of work publishes.

    One that a person accepted stays so; one that was closed opens when it comes true again.

    Args:
        grown: by how many records the blocks of questions that may be open have grown.
    """
    if raised or cleared or grown:
        work.defer(partial(write_now, work, list(raised), sorted(cleared), dict(grown)))


def write_now(
    work: UnitOfWork,
    raised: Collection[Row],
    cleared: Collection[str],
    grown: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """The same, for a unit of work that has its turn to publish."""
    if grown:
        work.execute(
            """update exception e set seen = greatest(e.seen + g.growth, 0), last_seen = %s
               from unnest(%s::text[], %s::bigint[]) as g(question, growth)
               where e.question = g.question and e.kind = 'oversize'""",
            work.now,
            list(grown),
            list(grown.values()),
        )
    if cleared:
        work.execute(
            """update exception set status = 'resolved', closed_at = %s, closed_by = %s, closed_reason = %s
               where question = any(%s) and kind = 'oversize'
                 and (status <> 'resolved' or closed_by is distinct from 'hub')""",
            work.now,
            HUB,
            "It is no longer so.",
            sorted(cleared),
        )
    if raised:
        work.stage(
            "stage_oversize",
            "question text, code text, domain text, detail text, owner text, size bigint",
            sorted(raised),
        )
        work.execute(
            """insert into exception as e (question, kind, code, type, detail, owner, place, seen, first_seen,
                   last_seen)
               select question, 'oversize', code, domain, detail, owner, '', size, %s, %s from stage_oversize
               on conflict (question) do update set seen = excluded.seen, last_seen = excluded.last_seen,
                   detail = excluded.detail, owner = excluded.owner,
                   status = case when e.closed_by = 'hub' then 'open' else e.status end,
                   closed_at = case when e.closed_by = 'hub' then null else e.closed_at end,
                   closed_reason = case when e.closed_by = 'hub' then null else e.closed_reason end,
                   closed_by = nullif(e.closed_by, 'hub')""",
            work.now,
            work.now,
        )


def oversize_questions(work: UnitOfWork) -> dict[str, bool]:
    """Questions of this kind that the hub has not closed -> whether they wait for an answer or were accepted."""
    return {row[0]: row[1] != "resolved" for row in work.query(_LIVE)}


def live_questions(work: UnitOfWork, among: Collection[str]) -> set[str]:
    """Those of these questions that the hub has not closed."""
    return set(oversize_sizes(work, among))


def oversize_sizes(work: UnitOfWork, among: Collection[str]) -> dict[str, int]:
    """Those of these questions that the hub has not closed, and how many records each is about."""
    return {row[0]: row[2] for row in work.query(_LIVE + " and question = any(%s)", sorted(among))}


def any_question(work: UnitOfWork, code: str) -> bool:
    """Whether there is a question of this code at all."""
    return bool(work.query(_LIVE + " and code = %s limit 1", code))


def named_questions(work: UnitOfWork, code: str) -> dict[str, tuple[int, str]]:
    """The questions of a code that the hub has not closed -> the number of the exception, and its status."""
    rows = work.query(
        """select question, exception_id, status from exception
           where kind = 'oversize' and closed_by is distinct from 'hub' and code = %s""",
        code,
    )
    return {row[0]: (row[1], row[2]) for row in rows}


_LIVE = "select question, status, seen from exception where kind = 'oversize' and closed_by is distinct from 'hub'"
