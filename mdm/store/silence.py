"""When each platform was heard last, and the exceptions about those that were not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from mdm.store.reading import transient_failures
from mdm.store.unit_of_work import UnitOfWork

CODE = "SOURCE_SILENT"


@dataclass(frozen=True, slots=True)
class Heard:
    """A platform, when something of it was last taken in (heartbeats too), and whether its silence is an exception."""

    system: str
    heard_at: datetime
    told: bool


def heard(engine: Engine) -> Sequence[Heard]:
    """Every platform that was ever heard and is in service, by name.

    Raises:
        TransientError: the database cannot be reached now.
    """
    query = text(
        """select p.system, max(p.committed_at), bool_or(e.exception_id is not null)
           from source_progress p
           left join exception e on e.question = 'silence:' || p.system and e.status in ('open', 'accepted')
           where not exists (select from source_retirement r where r.system = p.system and r.state <> 'restored')
           group by p.system order by p.system"""
    )
    with transient_failures(), engine.connect() as connection:
        return [Heard(*row) for row in connection.execute(query)]


def tell(work: UnitOfWork, silent: Sequence[Heard], limit: timedelta, owner_of: Callable[[str], str]) -> None:
    """Raise the exceptions; one that was closed before opens again."""
    for each in silent:
        detail = (
            f"Nothing came from {each.system} since {each.heard_at:%Y-%m-%d %H:%M} UTC, no change and no heartbeat, "
            f"for more than {limit}. Look at its connector and at the replication slot."
        )
        work.execute(
            """insert into exception as e (question, kind, code, system, detail, owner, place, first_seen, last_seen)
               values ('silence:' || %s, 'gap', %s, %s, %s, %s, '', %s, %s)
               on conflict (question) do update set seen = e.seen + 1, last_seen = excluded.last_seen,
                   detail = excluded.detail, status = 'open', closed_at = null, closed_by = null,
                   closed_reason = null""",
            each.system, CODE, each.system, detail, owner_of(each.system), work.now, work.now,
        )  # fmt: skip


def close(work: UnitOfWork, heard_again: Sequence[Heard]) -> None:
    """The platforms are heard again."""
    if heard_again:
        work.execute(
            """update exception set status = 'resolved', closed_at = %s, closed_by = 'hub',
                   closed_reason = 'heard again'
               where status in ('open', 'accepted') and question = any (%s::text[])""",
            work.now,
            [f"silence:{each.system}" for each in heard_again],
        )
