"""The sample world in a database of its own for each test, served, and a browser signed in to its console."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from mdm.access import FORMER_STEWARD, Role
from mdm.core.four_eyes import Policy
from mdm.hub.steward import NO_POLICY
from mdm.store import accounts
from tests.e2e import browsing
from tests.e2e.browsing import Keyboard


@pytest.fixture
def world(world_engine: Engine) -> Engine:
    """A copy of the sample world."""
    return world_engine


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
