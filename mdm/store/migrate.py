"""Bring a database to the schema of this release. The revisions themselves live in the package `migrations`."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from mdm.errors import OperatorError
from mdm.store import append_only, duties, row_security
from mdm.store.failures import told
from mdm.store.tables import metadata

#: Two processes that upgrade the same database at once take turns on this advisory lock ("mdm" and a number).
_LOCK = 0x6D646D01

#: SQLSTATEs of a table and of a column that does not exist.
_NOT_THERE = ("42P01", "42703")


def upgrade(engine: Engine) -> str:
    """Apply all revisions that are missing, each in a transaction of its own, and return the revision reached.

    Raises:
        OperatorError: the database was upgraded by a newer release than this one, or set up by an earlier development
            state.
    """
    with engine.connect() as connection, _one_at_a_time(connection):
        config = alembic_config()
        _refuse_newer(ScriptDirectory.from_config(config), current_of(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        if lacking := _lacking(connection):
            raise _of_another_state(f"column {lacking}")
        if not row_security.secured(connection):
            _secure(connection)
        if not duties.kept(connection):
            duties.keep(connection)
        if not append_only.kept(connection):
            append_only.keep(connection)
        connection.commit()
        return head()


def current(engine: Engine) -> str | None:
    """The revision of the database; None when it has no schema yet."""
    with engine.connect() as connection:
        return current_of(connection)


def current_of(connection: Connection) -> str | None:
    """`current`, on an open connection."""
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def head() -> str:
    """The revision that this release needs."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if revision is None:
        raise OperatorError("This installation has no database migrations.", action="Install the package again.")
    return revision


def scripts() -> Path:
    """The folder of the revisions, wherever the package was installed."""
    package = find_spec("migrations")
    if package is None or package.origin is None:
        raise OperatorError("The package migrations is not installed.", action="Install the hub again.")
    return Path(package.origin).parent


def alembic_config() -> Config:
    """What alembic needs to know: where the revisions are."""
    config = Config()
    # alembic's configuration treats % as the start of a placeholder.
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(known: ScriptDirectory, revision: str | None) -> None:
    if revision is not None and revision not in {script.revision for script in known.walk_revisions()}:
        raise OperatorError(
            f"The database is at revision {revision}, which this release does not know.",
            action="Install the newer release that upgraded it.",
        )


def _lacking(connection: Connection) -> str | None:
    """A column that the tables of this release have and those of the database do not."""
    wanted = [(table.name, column.name) for table in metadata.tables.values() for column in table.columns]
    statement = text(
        """select t || '.' || c from unnest(cast(:tables as text[]), cast(:columns as text[])) as w(t, c)
           where not exists (select from pg_attribute a
             where a.attrelid = to_regclass(quote_ident(t)) and a.attname = c and not a.attisdropped) limit 1"""
    )
    tables, columns = map(list, zip(*wanted, strict=True))
    found: str | None = connection.scalar(statement, {"tables": tables, "columns": columns})
    connection.rollback()
    return found


def _of_another_state(lacking: str) -> OperatorError:
    return OperatorError(
        f"The database lacks what this state of the hub needs: {lacking}.",
        action="An earlier development state set it up; before the first release none of these is upgraded. "
        "Start with an empty database (another MDM_DATA_DIR or MDM_DATABASE_URL) and take the feeds in again.",
    )


def _secure(connection: Connection) -> None:
    """Write the policies of row security, waiting for nobody for long."""
    connection.execute(text("set local lock_timeout = '15s'"))
    try:
        row_security.secure(connection)
    except DBAPIError as error:
        connection.rollback()
        if getattr(error.orig, "sqlstate", None) in _NOT_THERE:
            raise _of_another_state(told(error)) from error
        raise OperatorError(
            f"Row security cannot be set up: {str(error.orig).strip()}",
            action=f"Let an administrator run `create role {row_security.ROLE} nologin noinherit; "
            f"grant {row_security.ROLE} to <user of MDM_DATABASE_URL>;`, then try again.",
        ) from error


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    # The lock belongs to the session, not the transaction, because every revision commits.
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()
