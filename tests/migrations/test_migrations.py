"""The migrations build exactly the tables of `mdm.store.tables`, and two processes may run them at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Engine, text

from mdm.bootstrap import make_engine
from mdm.errors import OperatorError
from mdm.store import migrate
from mdm.store.tables import metadata

# Everything that PostgreSQL knows about a schema, as it prints it itself.
_CATALOG = """
select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
       || case when a.attnotnull then ' not null' else '' end || ' ' || a.attidentity::text
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  from pg_constraint where connamespace = 'public'::regnamespace
union all
select 'index', tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
"""


def catalog(engine: Engine) -> set[tuple[str, ...]]:
    with engine.connect() as connection:
        rows = {tuple(row) for row in connection.execute(text(_CATALOG))}
    return {row for row in rows if row[1] != "alembic_version"}


def test_the_migrations_build_what_the_tables_say(engine: Engine, empty_engine: Engine) -> None:
    metadata.create_all(empty_engine)

    assert catalog(engine) == catalog(empty_engine), "Run: make migration"


def test_alembic_finds_nothing_left_to_do(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_an_empty_database_has_no_revision(empty_engine: Engine) -> None:
    assert migrate.current(empty_engine) is None


def test_an_upgrade_reaches_the_head_and_a_second_one_changes_nothing(empty_engine: Engine) -> None:
    assert migrate.upgrade(empty_engine) == migrate.head()
    before = catalog(empty_engine)

    assert migrate.upgrade(empty_engine) == migrate.head()
    assert catalog(empty_engine) == before
    assert migrate.current(empty_engine) == migrate.head()


def test_two_processes_that_upgrade_at_once_take_turns(empty_engine: Engine) -> None:
    engines = [make_engine(empty_engine.url) for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(migrate.upgrade, engines)) == [migrate.head()] * 2

    for engine in engines:
        engine.dispose()


def test_a_database_of_a_newer_release_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(OperatorError, match="9999"):
        migrate.upgrade(engine)


def test_a_database_of_an_earlier_development_state_is_told_apart_from_one_without_rights(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("drop table search_term cascade"))
        connection.execute(text("comment on function mdm_fact_in_scope(bigint) is 'other policies'"))

    with pytest.raises(OperatorError, match="lacks what this state of the hub needs") as refused:
        migrate.upgrade(engine)
    assert "empty database" in refused.value.advice


def test_a_column_that_is_not_there_is_told_before_anything_is_done(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("alter table dead_letter drop column likeness cascade"))

    with pytest.raises(OperatorError, match=r"lacks what this state of the hub needs: column dead_letter\.likeness"):
        migrate.upgrade(engine)


def test_the_schema_does_not_go_back(engine: Engine) -> None:
    config = migrate.alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(CommandError, match="only moves forward"):
            command.downgrade(config, "base")


def test_every_migration_gives_up_waiting_for_locks() -> None:
    for revision in migrate.scripts().glob("versions/[0-9]*.py"):
        assert "set local lock_timeout" in revision.read_text(), revision.name
