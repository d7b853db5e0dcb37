"""The composition root: from settings to a hub that has a database. Knows nothing of the command line or the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from mdm.clock import Clock, system_clock
from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.settings import Settings
from mdm.store.embedded import EmbeddedServer
from mdm.store.idempotency import note_effects
from mdm.store.large_units import remembering_large_units
from mdm.store.process_numbers import counting_retries
from mdm.store.scoped import enforce
from mdm.store.shared_hub import remembering_shared_hub

#: A database whose machine vanished is noticed within half a minute, on both sides, and not after hours.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "connect_timeout": 10,
}

#: Database of the embedded server that holds the hub.
_DATABASE = "mdm"


@dataclass(frozen=True, slots=True)
class Hub:
    """What every use case needs from the outside world."""

    settings: Settings
    engine: Engine
    clock: Clock


@contextmanager
def open_hub(
    settings: Settings,
    clock: Clock = system_clock,
    progress: Callable[[str], None] = lambda _message: None,
    name: str = "mdm",
) -> Iterator[Hub]:
    """A hub on the database of the settings: `database_url`, or the embedded server below `data_dir`.

    The embedded server is started, or joined when another hub process runs it, and given up at the end. The schema is
    not touched; see `mdm.store.migrate`. `progress` hears about long waits. `name` is what the database calls this
    process.

    Raises:
        OperatorError: the database cannot be reached or the embedded server cannot be started.
    """
    if settings.database_url is not None:
        with _hub(settings, database_url(settings.database_url), clock, name) as hub:
            yield hub
        return
    with EmbeddedServer(settings.data_dir / "postgres", progress=progress) as server:
        server.create_database(_DATABASE)
        with _hub(settings, make_url(server.url(_DATABASE)), clock, name) as hub:
            yield hub


def database_url(written: str, where: str = "MDM_DATABASE_URL") -> URL:
    """The URL of a PostgreSQL database as SQLAlchemy needs it; `where` it was written, for the message.

    Raises:
        ConfigurationInvalid: it is not a PostgreSQL URL. The message does not repeat it, for it may hold a password.
    """
    try:
        url = make_url(written)
    except ArgumentError:
        url = URL.create("unreadable")
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ConfigurationInvalid(
            f"{where} must look like postgresql://user:password@host:5432/database.",
            action="Correct MDM_DATABASE_URL, or remove it to use the embedded PostgreSQL."
            if where == "MDM_DATABASE_URL"
            else f"Correct {where}.",
        )
    return url.set(drivername="postgresql+psycopg")


def make_engine(url: URL | str, name: str = "mdm") -> Engine:
    """An engine with the hub's manners: connections are checked before use, JSON keeps integers of any size, and
    transactions begin with the scope of whoever they are for."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        json_serializer=_json_text,
        json_deserializer=msgspec.json.decode,
        connect_args={"application_name": name, **_KEEPALIVE},
        execution_options={**counting_retries(), **remembering_large_units(), **remembering_shared_hub()},
    )
    enforce(engine)
    note_effects(engine)
    return engine


@contextmanager
def _hub(settings: Settings, url: URL, clock: Clock, name: str) -> Iterator[Hub]:
    engine = make_engine(url, name)
    try:
        _check(engine)
        yield Hub(settings=settings, engine=engine, clock=clock)
    finally:
        engine.dispose()


class DatabaseUnreachable(OperatorError):
    """Nobody answers at the database's address, or it is starting. Commands end; workers wait."""

    code = "DATABASE_UNREACHABLE"


#: What PostgreSQL says when it is there and will not have us: waiting does not help.
_REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf", "permission denied")


def _check(engine: Engine) -> None:
    try:
        engine.connect().close()
    except OperationalError as error:
        refused = any(each in str(error.orig) for each in _REFUSALS)
        raise (OperatorError if refused else DatabaseUnreachable)(
            f"The database {engine.url.render_as_string(hide_password=True)} cannot be reached: "
            f"{str(error.orig).strip()}",
            action="Check MDM_DATABASE_URL and that the server runs, or remove it to use the embedded PostgreSQL.",
        ) from error


def _json_text(value: Any) -> str:  # Any: whatever a JSON column holds
    # msgspec, because orjson refuses integers above 64 bits and reads them as floats; sources do have them.
    return msgspec.json.encode(value).decode()
