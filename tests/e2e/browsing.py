"""What browser tests stand on: the hub behind a real server, Chromium where it is installed, axe-core where npm is.

Nothing is downloaded by a test run but axe-core, from the package registry; `make browser` fetches it and Chromium.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import ApiOptions, create_app
from mdm.clock import Clock, system_clock
from mdm.core.four_eyes import Policy

#: Where axe-core is kept between runs; inside the environment, so that nothing of it is committed.
AXE = Path(__file__).parents[2] / ".venv" / "axe-core"
_AXE_VERSION = "4.11.0"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The browser's program: `MDM_CHROMIUM`, or one of the usual names."""
    return os.environ.get("MDM_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


def axe_script() -> str | None:
    """The text of axe-core, fetched once by npm; None where that is not possible."""
    script = AXE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        npm = shutil.which("npm")
        if npm is None:
            return None
        AXE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", f"axe-core@{_AXE_VERSION}"],
            cwd=AXE, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
    return script.read_text("utf-8") if script.is_file() else None


@dataclass(frozen=True, slots=True)
class ServedHub:
    """What the application needs of a hub."""

    engine: Any
    clock: Clock = system_clock


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application behind a real server on a free port of this machine; yields its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def application(engine: Any, clock: Clock = system_clock, policy: Policy | None = None) -> FastAPI:
    """The service on a database, without log lines; with the shipped policy if none is given."""
    options = ApiOptions(log=lambda event, **facts: None, remember_keys_seconds=0, policy=policy)
    return create_app(ServedHub(engine, clock), options)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        # Containers give a browser no user namespace to build its sandbox in; it visits nothing but ourselves.
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


class Keyboard:
    """Somebody who only has a keyboard: presses keys, counts them, and waits for what the page does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, *keys: str) -> None:
        """Press keys one after the other and wait until the page has answered."""
        for key in keys:
            self.presses += 1
            self.page.keyboard.press(key)
        self.settle()

    def type(self, text: str) -> None:
        """Write into the field that has the focus."""
        self.page.keyboard.type(text)

    def settle(self) -> None:
        """Wait until no partial update is under way."""
        self.page.locator("html:not(.busy)").wait_for(state="attached")
        self.page.wait_for_load_state("load")

    def reach(self, name: str, most: int = 80) -> None:
        """Press Tab until the element with this accessible name or text has the focus."""
        for _ in range(most):
            self.presses += 1
            self.page.keyboard.press("Tab")
            shown = self.page.evaluate(
                "(document.activeElement.getAttribute('aria-label') || document.activeElement.labels?.[0]?.innerText"
                " || document.activeElement.innerText || document.activeElement.name || '').trim()"
            )
            if shown.startswith(name):
                return
        raise AssertionError(f"{name!r} was not reached with {most} presses of Tab; the focus is at {shown!r}.")


def sign_in(page: Page, address: str, username: str, password: str) -> None:
    """Open a session, by keyboard."""
    page.goto(f"{address}/console/sign-in")
    page.locator("#username").focus()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
