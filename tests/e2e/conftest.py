"""The sample world in a database of its own for each test, served, and a browser signed in to its console."""

from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from itertools import count

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine, text

from mdm.access import FORMER_STEWARD, Role
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.core.four_eyes import Policy
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.steward import NO_POLICY
from mdm.intake.catalogue import load_catalogue
from mdm.store import accounts, migrate
from mdm.store.embedded import EmbeddedServer
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain
from tests.e2e import browsing
from tests.e2e.browsing import Keyboard

_WORLD = "mdm_world_template"
_numbers = count(1)


@pytest.fixture(scope="session")
def world_template(postgres_server: EmbeddedServer) -> str:
    """Name of a database that holds the sample world as the live path leaves it."""
    postgres_server.create_database(_WORLD)
    engine = make_engine(postgres_server.url(_WORLD))
    migrate.upgrade(engine)
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    with as_file(files("mdm.demo") / "world") as world:
        drain(pipeline, FileFeed(world / "events"), batch_size=5000, dead_letter_limit=100)
    engine.dispose()
    return _WORLD


@pytest.fixture
def world(postgres_server: EmbeddedServer, world_template: str) -> Iterator[Engine]:
    """A copy of the sample world."""
    name = f"world_{next(_numbers)}"
    maintenance = make_engine(postgres_server.url()).execution_options(isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.execute(text(f'create database {name} template "{world_template}"'))
    engine = make_engine(postgres_server.url(name))
    yield engine
    engine.dispose()
    with maintenance.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    maintenance.dispose()


@pytest.fixture
def policy() -> Policy | None:
    """No second person is needed; tests of approvals say otherwise."""
    return NO_POLICY


@pytest.fixture
def address(world: Engine, policy: Policy | None) -> Iterator[str]:
    """Where the service on the sample world listens."""
    with browsing.serving(browsing.application(world, policy=policy)) as served:
        yield served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if browsing.chromium() is None:
        pytest.skip("Chromium is not installed; `make browser` installs it where it can.")
    with browsing.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def axe() -> str:
    script = browsing.axe_script()
    if script is None:
        pytest.skip("axe-core cannot be fetched: there is no npm, or it reaches no registry.")
    return script


#: Signs somebody in to a browser of their own, under this name.
SignIn = Callable[[str], Keyboard]


@pytest.fixture
def signed_in(chromium: Browser, world: Engine, address: str) -> Iterator[SignIn]:
    contexts = []

    def sign_in(label: str, role: Role = FORMER_STEWARD, theme: str = "light") -> Keyboard:
        with world.begin() as connection:
            password = accounts.create_account(connection, label, label, role)
        context = chromium.new_context(
            viewport={"width": 1280, "height": 800},
            base_url=address,
            color_scheme=theme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"A script failed: {error}"))
        browsing.sign_in(page, address, label, password)
        return Keyboard(page)

    yield sign_in
    for context in contexts:
        context.close()


@pytest.fixture
def ada(signed_in: SignIn) -> Keyboard:
    """A steward with nothing but a keyboard."""
    return signed_in("Ada")


@pytest.fixture
def page(ada: Keyboard) -> Page:
    return ada.page
