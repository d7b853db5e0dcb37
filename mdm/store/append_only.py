"""Tables that are only ever added to: the database refuses to change or delete their rows, whoever asks.

It holds for use cases, administrators and SQL by hand alike. The ways that must remain are named here: an erasure
empties a remark of the audit and forgets versions of the subject's rows (it says so in a setting of its transaction);
whole schemas (scratch, a rebuild's tables) are dropped. A migration that must rewrite such rows disables the trigger
in its transaction and says why. Whoever owns the tables can take a trigger away; then what finds a change is the chain
itself, the entry that the calendar remembers, and the anchors outside (`mdm.hub.audit_anchor`).
"""

import hashlib

from sqlalchemy import Connection, text

from mdm.privacy.traces import ERASED
from mdm.store.unit_of_work import UnitOfWork

#: A setting of the transaction in which an erasure runs.
_ERASING = "mdm.erasing"

#: Per table, what refuses: the events of a trigger, each with rows or statements it is asked for, and a condition.
REFUSED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "audit": (("update or delete or truncate", "statement", ""),),
    "audit_remark": (
        ("delete or truncate", "statement", ""),
        (
            "update",
            "row",
            f"(new.seq, new.name, new.text) is distinct from (old.seq, old.name, '{ERASED}') or new.salt is not null",
        ),
    ),
    "record_history": (
        ("update or truncate", "statement", ""),
        ("delete", "statement", f"current_setting('{_ERASING}', true) is distinct from 'on'"),
    ),
    "decision": (("delete or truncate", "statement", ""),),
}

_FUNCTION = """
create or replace function mdm_append_only() returns trigger language plpgsql as $body$
begin
  raise exception using message = tg_table_name || ' is only ever added to: ' || lower(tg_op) || ' is refused',
    hint = 'What was written stays. Correct it by what is written next.',
    errcode = 'check_violation', constraint = 'append_only', table = tg_table_name;
end $body$
"""


def kept(connection: Connection) -> bool:
    """Whether the database carries these triggers."""
    told = connection.scalar(text("select obj_description(to_regprocedure('mdm_append_only()'), 'pg_proc')"))
    return bool(told == _mark())


def keep(connection: Connection) -> None:
    """Write the triggers anew; harmless when repeated. Needs the owner of the tables. The caller commits."""
    connection.exec_driver_sql("set local lock_timeout = '15s'")
    connection.exec_driver_sql(_FUNCTION)
    for table, refused in REFUSED.items():
        for number, (events, each, condition) in enumerate(refused, 1):
            connection.exec_driver_sql(
                f"create or replace trigger append_only_{number} before {events} on {table} for each {each} "
                f"{f'when ({condition}) ' if condition else ''}execute function mdm_append_only()"
            )
    connection.exec_driver_sql(f"comment on function mdm_append_only() is '{_mark()}'")


def let_erasure(work: UnitOfWork) -> None:
    """Let this transaction forget versions of rows: an erasure does."""
    work.query("select set_config(%s, 'on', true)", _ERASING)


def _mark() -> str:
    return f"append only {hashlib.sha256(repr((sorted(REFUSED.items()), _FUNCTION)).encode()).hexdigest()[:16]}"
