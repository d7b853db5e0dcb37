"""Sources that were taken out of service: when, by whom, why, and whether their rows have followed.

A retired table stands as if it had been truncated after everything that its source can ever say. So whatever folds
rows (a batch, a replay, a rebuild, a proof) leaves them out, and nothing of their history is touched.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from mdm.model.delta import Recall
from mdm.model.events import SourcePosition
from mdm.model.ids import CrosswalkKey, EntityId, RecordId
from mdm.store.unit_of_work import UnitOfWork

#: Behind everything that a log can say.
END: Final = SourcePosition(2**63 - 1, 2**63 - 1, 2**63 - 1, 1)

_SELECT = """
select retirement_id, system, state, reason, retired_by, retired_at, restored_by, restored_at, restored_reason
from source_retirement
"""


@dataclass(frozen=True, slots=True)
class Retirement:
    """A source out of service. `state` is `retiring` until all its rows are out, `restoring` until all are back."""

    retirement_id: int
    system: str
    state: str
    reason: str
    retired_by: str
    retired_at: datetime
    restored_by: str | None = None
    restored_at: datetime | None = None
    restored_reason: str | None = None


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A platform, with how many rows and golden records of it live now."""

    system: str
    tables: int
    rows: int
    golden: int


def of_system(work: UnitOfWork, system: str) -> Retirement | None:
    """The retirement of a source that is not over, if there is one."""
    rows = work.query(f"{_SELECT} where system = %s and state <> 'restored'", system)
    return Retirement(*rows[0]) if rows else None


def all_retirements(connection: Connection) -> list[Retirement]:
    """Every retirement, the newest first, those that are over too."""
    return [Retirement(*row) for row in connection.execute(text(f"{_SELECT} order by retirement_id desc"))]


def retired_systems(connection: Connection) -> frozenset[str]:
    """The sources that are out of service now."""
    return frozenset(connection.scalars(text("select system from source_retirement where state <> 'restored'")))


def known_sources(connection: Connection) -> list[KnownSource]:
    """Every platform that rows are known of."""
    rows = connection.execute(
        text(
            """select r.system, count(distinct r.type), count(*) filter (where not r.deleted),
                   count(distinct x.entity_id)
               from source_record r left join crosswalk x on x.rec_id = r.rec_id group by r.system order by r.system"""
        )
    )
    return [KnownSource(*row) for row in rows]


def begin(work: UnitOfWork, system: str, actor: str, reason: str) -> int:
    """Note that a source is taken out of service; returns the number of its retirement."""
    rows = work.query(
        """insert into source_retirement (system, state, reason, retired_by, retired_at)
           values (%s, 'retiring', %s, %s, %s) returning retirement_id""",
        system, reason, actor, work.now,
    )  # fmt: skip
    return int(rows[0][0])


def close_tables(work: UnitOfWork, retirement: int, system: str, tables: Collection[str]) -> None:
    """Put the end of these tables, and of all others that rows are known of, behind everything they say."""
    work.execute(
        """insert into truncation (system, type, pos_major, pos_minor, pos_order, pos_rank, place, event_time)
           select %s, t.type, %s, %s, %s, %s, 'retired.' || %s || '.' || t.type || '/0/' || %s, %s
           from (select unnest(%s::text[]) as type union select distinct type from source_record where system = %s) t
           on conflict do nothing""",
        system, *END, system, str(retirement), work.now, sorted(tables), system,
    )  # fmt: skip


def open_tables(work: UnitOfWork, system: str) -> None:
    """Take that end away again."""
    work.execute(
        "delete from truncation where system = %s and pos_major = %s and pos_minor = %s", system, END.major, END.minor
    )


def carry_closed_tables(work: UnitOfWork, scratch: str) -> None:
    """Let a scratch hub know which tables are closed, before it reads anything."""
    work.execute(f'insert into "{scratch}".truncation select * from truncation where pos_major = %s', END.major)


def set_state(
    work: UnitOfWork, retirement: int, state: str, actor: str | None = None, reason: str | None = None
) -> None:
    """How far a retirement is; with `actor`, who takes it back and why."""
    work.execute(
        """update source_retirement set state = %s, restored_by = coalesce(%s, restored_by),
               restored_reason = coalesce(%s, restored_reason),
               restored_at = case when %s::text is null then restored_at else %s end
           where retirement_id = %s""",
        state, actor, reason, actor, work.now, retirement,
    )  # fmt: skip


def close_silence(work: UnitOfWork, system: str) -> None:
    """Nobody waits for a source that is out of service."""
    work.execute(
        """update exception set status = 'resolved', closed_at = %s, closed_by = 'hub', closed_reason = 'source retired'
           where status in ('open', 'accepted') and question = 'silence:' || %s""",
        work.now, system,
    )  # fmt: skip


def rows_after(
    work: UnitOfWork, system: str, after: int, most: int, *, live: bool
) -> tuple[int, Sequence[CrosswalkKey]]:
    """The next rows of a source by number, only live ones if asked; returns where they end as well."""
    rows = work.query(
        """select rec_id, system, type, key from source_record
           where system = %s and rec_id > %s and (not %s or not deleted) order by rec_id limit %s""",
        system, after, live, most,
    )  # fmt: skip
    return (rows[-1][0] if rows else after), [CrosswalkKey(*row[1:]) for row in rows]


def before_it(work: UnitOfWork, retirement: int) -> Recall:
    """The ids that records had when this retirement began, and whom ids that it brought back had been absorbed by."""
    homes = work.query(
        """select distinct on (h.rec_id) h.rec_id, h.entity_id
           from source_retirement r join batch b on b.cause = 'retire' and b.committed_at >= r.retired_at
           join crosswalk_history h on h.batch_id = b.batch_id
           where r.retirement_id = %s order by h.rec_id, h.batch_id""",
        retirement,
    )
    absorbers = work.query(
        """select e.entity_id, e.absorbed_by from source_retirement r join entity e on e.changed_at >= r.retired_at
           where r.retirement_id = %s and e.status = 'active' and e.absorbed_by is not null""",
        retirement,
    )
    return Recall(
        {RecordId(row[0]): EntityId(row[1]) for row in homes}, {EntityId(row[0]): EntityId(row[1]) for row in absorbers}
    )


def live_rows(work: UnitOfWork, system: str) -> int:
    """How many rows of a source are alive."""
    return int(work.query("select count(*) from source_record where system = %s and not deleted", system)[0][0])
