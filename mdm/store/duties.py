"""Separation of duties in the database: who wrote, asked, approved or released something is written once.

CHECK constraints of the tables say that nobody is their own second or third person. They would be worth little if the
first name could be rewritten afterwards, so a trigger keeps each name from the moment it is there. It holds for
everybody who writes: use cases, administrators, SQL by hand as the owner of the tables.
"""

import hashlib

from sqlalchemy import Connection, text

#: Columns that name a person, by table. Once written they stay.
KEPT: dict[str, tuple[str, ...]] = {
    "rule_release": ("author", "approver", "releaser"),
    "proposal": ("author", "decided_by"),
    "decision": ("actor", "approved_by"),
    "erasure": ("requested_by", "decided_by"),
    "delegation": ("owner", "delegate"),
    "waiver": ("actor", "approved_by"),
    "contract_proposal": ("author", "decider"),
}

#: What else stays, as a condition on the rows before and after: a document that somebody approved.
_ALSO: dict[str, str] = {
    "rule_release": "(old.approver is not null and (new.document, new.fingerprint) is distinct from "
    "(old.document, old.fingerprint))",
    "contract_proposal": "(new.document, new.fingerprint, new.system) is distinct from "
    "(old.document, old.fingerprint, old.system)",
}

_FUNCTION = """
create or replace function mdm_keep_names() returns trigger language plpgsql as $body$
begin
  raise exception using message = 'who did what is written once in ' || tg_table_name,
    errcode = 'check_violation', constraint = 'names_are_kept', table = tg_table_name;
end $body$
"""


def kept(connection: Connection) -> bool:
    """Whether the database carries these triggers."""
    told = connection.scalar(text("select obj_description(to_regprocedure('mdm_keep_names()'), 'pg_proc')"))
    return bool(told == _mark())


def keep(connection: Connection) -> None:
    """Write the triggers anew; harmless when repeated. Needs the owner of the tables. The caller commits."""
    connection.exec_driver_sql(_FUNCTION)
    for table, columns in KEPT.items():
        changes = [f"(old.{name} is not null and new.{name} is distinct from old.{name})" for name in columns]
        changed = " or ".join(changes + ([_ALSO[table]] if table in _ALSO else []))
        connection.exec_driver_sql(
            f"create or replace trigger names_are_kept before update on {table} for each row "
            f"when ({changed}) execute function mdm_keep_names()"
        )
    connection.exec_driver_sql(f"comment on function mdm_keep_names() is '{_mark()}'")


def _mark() -> str:
    return f"names {hashlib.sha256(repr((sorted(KEPT.items()), _ALSO, _FUNCTION)).encode()).hexdigest()[:16]}"
