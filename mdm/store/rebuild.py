"""Copying the facts of the live hub into a scratch schema, and taking the tables that were derived there into use.

Facts - history, judgements, overrides, issued ids, announcements, audit - stay where they are. What is derived from
them is swapped, in one short transaction, and only when nothing was written to the hub meanwhile.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from mdm.errors import Conflict
from mdm.faults import fault_point
from mdm.store import row_security
from mdm.store.scratch import drop_schema, live_schema
from mdm.store.tables import metadata
from mdm.store.unit_of_work import UnitOfWork

#: Derived tables, which are exchanged as a whole.
DERIVED = (
    "source_record", "record_reference", "record_alias", "record_evidence", "block_key", "record_without_key", "link",
    "crosswalk", "crosswalk_history", "golden", "search_term", "placement", "identifier_use", "recycled_identifier",
)  # fmt: skip
#: What deriving reads: facts, and the derived state that keeps ids, links and versions going.
_COPIED = (
    "batch", "entity", "source_record", "record_history", "truncation", "judgement", "golden_override", "echo",
    "identifier_kept", "crosswalk",
    "crosswalk_history", "link", "golden", "steward_task", "placement",
)  # fmt: skip
#: Where the tables go that were in use before, until the next rebuild.
BEFORE = "mdm_before_rebuild"


def copy_facts(work: UnitOfWork, scratch: str) -> int:
    """Copy everything that deriving reads; returns the newest unit of work that is in it."""
    for name in _COPIED:
        columns = ", ".join(f'"{column.name}"' for column in metadata.tables[name].columns)
        work.execute(f'insert into "{scratch}".{name} ({columns}) overriding system value select {columns} from {name}')
        continue_numbers(work, scratch, name)
    rows = work.query("select coalesce(max(batch_id), 0) from batch")
    return int(rows[0][0])


def continue_numbers(work: UnitOfWork, schema: str, table: str) -> None:
    """Let new rows be numbered after the copied ones."""
    for column in metadata.tables[table].columns:
        if column.identity is not None:
            work.query(
                f"""select setval(pg_get_serial_sequence('"{schema}".{table}', '{column.name}'),
                        (select coalesce(max("{column.name}"), 0) + 1 from "{schema}".{table}), false)"""
            )


def distrust_golden(work: UnitOfWork, wrong: Sequence[str]) -> None:
    """Have every lineage written anew, and every golden record of `wrong` consolidated anew."""
    work.execute("update golden set support = '' where known_to is null")
    work.execute("update golden set digest = '' where known_to is null and entity_id = any(%s)", list(wrong))


def swap(engine: Engine, scratch: str, copied: int) -> None:
    """Take the derived tables of the scratch schema into use.

    Args:
        copied: the newest unit of work that was in the copy.

    Raises:
        Conflict: something was written to the hub meanwhile; nothing was exchanged.
    """
    drop_schema(engine, BEFORE)
    with engine.begin() as connection:
        live = live_schema(connection)
        connection.execute(text("set local lock_timeout = '15s'"))
        connection.execute(text("lock table batch in share row exclusive mode"))
        newest = connection.scalar(text("select coalesce(max(batch_id), 0) from batch"))
        if newest != copied:
            raise Conflict(
                "Units of work were committed while the rebuild was under way; nothing was exchanged.",
                action="Let stewards and imports rest, then run it again; feeds are held by the command itself.",
            )
        _append(connection, scratch, copied)
        # What new and changed entities refer to is checked now: tables with checks to come cannot be altered.
        connection.execute(text("set constraints all immediate"))
        connection.execute(text(f'create schema "{BEFORE}"'))
        for name in DERIVED:
            connection.execute(text(f'alter table "{live}".{name} set schema "{BEFORE}"'))
            connection.execute(text(f'alter table "{scratch}".{name} set schema "{live}"'))
        _point_at_live_entities(connection, live)
        row_security.secure(connection)  # policies moved away with the tables that they guarded
        fault_point("rebuild.exchanged")
    fault_point("rebuild.swapped")


def _append(connection: Connection, scratch: str, copied: int) -> None:
    """What the rebuild has added to facts: its units of work, announcements, ids, questions to stewards."""

    def columns(table: str, prefix: str = "") -> str:
        return ", ".join(f'{prefix}"{column.name}"' for column in metadata.tables[table].columns)

    statements = [
        f"""insert into batch ({columns("batch")}) overriding system value
            select {columns("batch")} from "{scratch}".batch where batch_id > :copied""",
        f"""insert into outbox ({columns("outbox")}) select {columns("outbox")} from "{scratch}".outbox""",
        f"""insert into entity ({columns("entity")}) select {columns("entity", "s.")} from "{scratch}".entity s
            where not exists (select 1 from entity e where e.entity_id = s.entity_id)""",
        f"""update entity e set status = s.status, merged_into = s.merged_into, absorbed_by = s.absorbed_by,
                changed_at = s.changed_at
            from "{scratch}".entity s where s.entity_id = e.entity_id
              and (s.status, s.merged_into, s.absorbed_by) is distinct from (e.status, e.merged_into, e.absorbed_by)
              and (s.status, e.status) <> ('retired', 'erased')""",
        f"""insert into steward_task ({columns("steward_task")}) overriding system value
            select {columns("steward_task", "s.")} from "{scratch}".steward_task s
            where not exists (select 1 from steward_task t where t.task_id = s.task_id)""",
        f"""update steward_task t set status = s.status, closed_at = s.closed_at from "{scratch}".steward_task s
            where s.task_id = t.task_id and s.status <> t.status""",
        "delete from task_priority p using steward_task t where t.task_id = p.task_id and t.status <> 'open'",
    ]
    for statement in statements:
        connection.execute(text(statement), {"copied": copied} if ":copied" in statement else {})
    for table, column in (("batch", "batch_id"), ("steward_task", "task_id")):
        connection.execute(
            text(f"select setval(pg_get_serial_sequence('{table}', '{column}'), (select max({column}) from {table}))")
            if table == "batch"
            else text(
                f"select setval(pg_get_serial_sequence('{table}', '{column}'), "
                f"(select coalesce(max({column}), 0) + 1 from {table}), false)"
            )
        )


def _point_at_live_entities(connection: Connection, live: str) -> None:
    """The exchanged tables came with keys to the scratch schema's entities, which are not exchanged."""
    for table in ("crosswalk", "golden"):
        name = f"fk_{table}_entity_id"
        connection.execute(text(f'alter table "{live}".{table} drop constraint {name}'))
        connection.execute(
            text(
                f'alter table "{live}".{table} add constraint {name} foreign key (entity_id) '
                f'references "{live}".entity (entity_id)'
            )
        )
