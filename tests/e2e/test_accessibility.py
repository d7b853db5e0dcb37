"""axe-core on every screen in light and dark: no violation of WCAG 2.2 A or AA. And nothing wider than the screen."""

import json
import os

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from mdm.access import Role
from mdm.clock import system_clock
from mdm.core.four_eyes import Policy
from mdm.hub import steward
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor
from mdm.intake.catalogue import load_catalogue
from mdm.model.events import Message, Place
from mdm.model.stewardship import JudgeTask, Verdict
from tests.e2e.conftest import SignIn
from tests.e2e.screens import screens
from tests.e2e.test_reviewing import rows

#: All screens are looked at by `make browser-tests`; the suite of every day takes those where work is done.
_EVERY = os.environ.get("MDM_ALL_SCREENS") == "1"
_DAILY = ("home", "reviews", "review", "customer", "refused-message", "proposal")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def busy(engine: Engine) -> None:
    """Something on every screen: a refused message, a decision, a remark, a proposal."""
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    place = Place("crm.public.account", 0, 10**9)
    process(pipeline, "test", [Message(place, 1, (), b'{"id": "x"}', b'{"op": "u", "source": {"sequence": "broken"}}')])
    ada = Actor("user:ada", Role.STEWARD)
    tasks = [row.task_id for row in rows(engine, "select task_id from steward_task where status = 'open' order by 1")]
    steward.comment(pipeline, ada, f"task:{tasks[0]}", "Asked the register; they answer on Monday.")
    steward.claim(pipeline, ada, tasks[0])
    proposed = False
    for task_id in tasks[1:]:
        decided = steward.decide(pipeline, ada, JudgeTask(task_id, Verdict.SAME, "one VAT number on both invoices"))
        proposed = proposed or not decided.done
        if proposed and decided.done:
            break


@pytest.fixture
def policy() -> Policy | None:
    return None


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds on the page that is open, one line each."""
    # Run in an isolated world of the browser, for the page itself lets no foreign script in.
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": axe, "contextId": world})
    options = json.dumps({"runOnly": {"type": "tag", "values": _TAGS}})
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": f"axe.run(document, {options}).then(found => JSON.stringify(found.violations))",
            "contextId": world, "awaitPromise": True, "returnByValue": True,
        },
    )  # fmt: skip
    session.detach()
    found = json.loads(answer["result"]["value"])
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def looked_at(engine: Engine) -> dict[str, str]:
    """The screens of this run."""
    return {name: address for name, address in screens(engine).items() if _EVERY or name in _DAILY}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_screen_violates_wcag(signed_in: SignIn, world: Engine, axe: str, theme: str) -> None:
    busy(world)
    page = signed_in("Ben", theme=theme).page  # type: ignore[call-arg]
    broken = {}
    for name, address in looked_at(world).items():
        page.goto(address)
        found = violations(page, axe)
        if found:
            broken[name] = found

    assert broken == {}


@pytest.mark.parametrize("width", [1280, 820])
def test_no_screen_is_wider_than_its_window(signed_in: SignIn, world: Engine, width: int) -> None:
    busy(world)
    page = signed_in("Ben").page
    page.set_viewport_size({"width": width, "height": 800})
    wide = {}
    for name, address in looked_at(world).items():
        page.goto(address)
        over = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide[name] = over

    assert wide == {}


def test_every_screen_answers_with_scripting_off(signed_in: SignIn, world: Engine) -> None:
    busy(world)
    page = signed_in("Ben").page
    for name, address in screens(world).items():
        answer = page.request.get(address)
        assert answer.status == (404 if name == "problem" else 200), name
        assert "<h1" in answer.text(), name
