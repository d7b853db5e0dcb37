"""Fixtures for every test. The database is always a real PostgreSQL, started once for the whole run.

A test that needs a database takes `engine`: a fresh copy of a migrated template, dropped afterwards. Copying takes some
20 ms, so tests share nothing and may run in any order. Tests that take none of these fixtures start no server.

`@pytest.mark.sample_world` says that a test's database has taken in the sample world already: a copy of one that did.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import as_file, files
from itertools import count
from pathlib import Path
from shutil import disk_usage, rmtree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from sqlalchemy import Engine, text

from api.console import beside
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from mdm.store import migrate
from mdm.store.embedded import EmbeddedServer
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain

# A machine may be busy; how long an example takes says nothing about the law.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_IN_MEMORY, _ROOM, _PREFIX = Path("/dev/shm"), 8 << 30, "mdm-tests-"
_TEMPLATE = "mdm_template"
_WORLD = "mdm_world_template"
_numbers = count(1)


@pytest.fixture(autouse=True)
def patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of tests wait for their figures: a machine that runs tests may be busy."""
    monkeypatch.setattr(beside, "_PATIENCE", 30.0)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """An embedded server of this test run, without care for power cuts."""
    options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with ExitStack() as stack:
        in_memory = _folder_in_memory()
        folder = Path(stack.enter_context(in_memory)) if in_memory else tmp_path_factory.mktemp("postgres")
        yield stack.enter_context(EmbeddedServer(folder / "pg", options=options))


def _folder_in_memory() -> TemporaryDirectory[str] | None:
    """A folder for this process in the file system that lives in memory, where there is one with room for it.

    A database is a thousand files, and most tests make one: on a busy disk that takes ten times as long.
    """
    if not os.access(_IN_MEMORY, os.W_OK) or disk_usage(_IN_MEMORY).free < _ROOM:
        return None
    for left in _IN_MEMORY.glob(f"{_PREFIX}*-*"):
        # What a run left that was killed is in nobody's way, but in memory.
        if not Path("/proc", left.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            rmtree(left, ignore_errors=True)
    return TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=_IN_MEMORY, ignore_cleanup_errors=True)


@pytest.fixture(scope="session")
def database_url(postgres_server: EmbeddedServer) -> str:
    """URL of the server's maintenance database, in which databases can be created."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedServer) -> str:
    """Name of a database that has the schema and no rows."""
    postgres_server.create_database(_TEMPLATE)
    engine = make_engine(postgres_server.url(_TEMPLATE))
    migrate.upgrade(engine)
    engine.dispose()
    return _TEMPLATE


@pytest.fixture(scope="session")
def world_template(postgres_server: EmbeddedServer, migrated_template: str) -> str:
    """Name of a database that holds the sample world as the live path leaves it."""
    _copy(postgres_server, migrated_template, _WORLD)
    engine = make_engine(postgres_server.url(_WORLD))
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    with as_file(files("mdm.demo") / "world") as world:
        drain(pipeline, FileFeed(world / "events"), batch_size=2000, dead_letter_limit=100)
    engine.dispose()
    return _WORLD


@pytest.fixture
def world_url(postgres_server: EmbeddedServer, world_template: str) -> Iterator[str]:
    """URL of a fresh database that holds the sample world."""
    yield from copied(postgres_server, world_template)


@pytest.fixture
def world_engine(world_url: str) -> Iterator[Engine]:
    """An engine on a fresh database that holds the sample world."""
    engine = make_engine(world_url)
    yield engine
    engine.dispose()


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedServer) -> Iterator[str]:
    """URL of a fresh database without a schema."""
    yield from copied(postgres_server, "template1")


@pytest.fixture
def fresh_database_url(
    request: pytest.FixtureRequest, postgres_server: EmbeddedServer, migrated_template: str
) -> Iterator[str]:
    """URL of a fresh database with the schema, for tests that run commands (`MDM_DATABASE_URL`)."""
    loaded = request.node.get_closest_marker("sample_world") is not None
    yield from copied(postgres_server, request.getfixturevalue("world_template") if loaded else migrated_template)


@pytest.fixture
def engine(fresh_database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database with the schema."""
    engine = make_engine(fresh_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def new_engine(postgres_server: EmbeddedServer, migrated_template: str) -> Iterator[Callable[[], Engine]]:
    """Makes engines on further fresh databases with the schema, for tests that compare two hubs."""
    with ExitStack() as stack:

        def make() -> Engine:
            engine = make_engine(stack.enter_context(contextmanager(copied)(postgres_server, migrated_template)))
            stack.callback(engine.dispose)
            return engine

        yield make


@pytest.fixture
def empty_engine(empty_database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database without a schema."""
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def copied(server: EmbeddedServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _copy(server, template, name)
    yield server.url(name)
    _maintain(server, f"drop database {name} with (force)")


def _copy(server: EmbeddedServer, template: str, name: str) -> None:
    """Copy a database, to which nobody may be connected."""
    _maintain(server, f'create database {name} template "{template}" strategy file_copy')


def _maintain(server: EmbeddedServer, statement: str) -> None:
    maintenance = make_engine(server.url()).execution_options(isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.execute(text(statement))
    maintenance.dispose()
