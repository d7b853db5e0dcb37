"""What somebody does who holds the database: takes the triggers away, changes what may not change, puts them back."""

from sqlalchemy import Engine, text

from mdm.store.append_only import REFUSED
from mdm.store.audit_ends import End, newest_end
from mdm.store.ledger import GENESIS, audit_content, chain_hash
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import UnitOfWork


def tamper(engine: Engine, *statements: str) -> None:
    """Run statements that the database refuses everybody else."""
    with engine.begin() as connection:
        for verb in ("disable", "enable"):
            for table in REFUSED:
                connection.execute(text(f"alter table {table} {verb} trigger user"))
            if verb == "disable":
                for statement in statements:
                    connection.execute(text(statement))


def end_of(engine: Engine) -> End:
    """The newest entry of the audit."""
    with snapshot(engine) as work:
        end = newest_end(work)
    assert end is not None
    return end


def rebuild_chain(engine: Engine) -> None:
    """Give every entry the number and hash that make a chain of what stands there now, and put what the calendar saw
    right as well: in the database nothing is left to be found.
    """
    with snapshot(engine) as work:
        rows = _entries(work)
    statements, previous = ["delete from audit_remark", "delete from audit"], GENESIS
    for seq, (at, actor, action, subject) in enumerate(rows, 1):
        digest = chain_hash(previous, audit_content(seq, f"{at}+00:00", actor, action, subject, {}))
        statements.append(
            f"insert into audit values ({seq}, '{at}+00:00', '{actor}', '{action}', '{subject}', '{{}}', "
            f"'\\x{previous.hex()}', '\\x{digest.hex()}')"
        )
        previous = digest
    statements.append(
        f"update audit_check set end_seq = {len(rows)}, end_hash = '\\x{previous.hex()}' where end_seq is not null"
    )
    tamper(engine, *statements)


def _entries(work: UnitOfWork) -> list[tuple[str, str, str, str]]:
    rows = work.query("select at at time zone 'UTC', actor, action, subject from audit order by seq")
    return [(row[0].isoformat(), row[1], row[2], row[3]) for row in rows]
