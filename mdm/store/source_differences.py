"""Exceptions about tables of which the mirror and the source hold different rows."""

from mdm.store.unit_of_work import UnitOfWork

CODE = "SOURCE_DIFFERS"


def tell(work: UnitOfWork, system: str, table: str, detail: str, owner: str) -> None:
    """Raise the exception, or tell it anew; one that was resolved opens again, one that was accepted stays so."""
    work.execute(
        """insert into exception as e (question, kind, code, system, type, detail, owner, place, first_seen, last_seen)
           values (%s, 'gap', %s, %s, %s, %s, %s, '', %s, %s)
           on conflict (question) do update set seen = e.seen + 1, last_seen = excluded.last_seen,
               detail = excluded.detail,
               status = case when e.status = 'accepted' then e.status else 'open' end""",
        _question(system, table), CODE, system, table, detail, owner, work.now, work.now,
    )  # fmt: skip


def close(work: UnitOfWork, system: str, table: str) -> None:
    """The two hold the same again."""
    work.execute(
        """update exception set status = 'resolved', closed_at = %s, closed_by = 'hub',
               closed_reason = 'the mirror holds what the source holds'
           where status in ('open', 'accepted') and question = %s""",
        work.now, _question(system, table),
    )  # fmt: skip


def _question(system: str, table: str) -> str:
    return f"source:{system}.{table}"
