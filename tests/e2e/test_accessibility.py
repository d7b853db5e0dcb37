"""axe-core on every screen in light and dark: no violation of WCAG 2.2 A or AA. And nothing wider than the screen."""

import json
import os
from dataclasses import replace
from datetime import date
from typing import Literal

import orjson
import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from api.console.screens import ROUTERS
from mdm.access import FORMER_STEWARD, Role, Scope
from mdm.clock import system_clock
from mdm.core.four_eyes import Policy
from mdm.hub import blind, contract_proposals, erase, releases, steward
from mdm.hub.exceptions import Selection, to_discard
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.hub.replay_jobs import run_replay, start_replay
from mdm.hub.steward import NO_POLICY, Actor, Answer
from mdm.intake.catalogue import SHIPPED_SOURCES, load_catalogue
from mdm.model.events import Message, Place
from mdm.model.hierarchy import RelationKind
from mdm.model.ids import Domain, EntityId
from mdm.model.releases import RuleKind
from mdm.model.stewardship import Discard, JudgeTask, Pin, Relate, Verdict
from mdm.store import api_keys, export_jobs
from mdm.store.export_jobs import ExportJob, Piece
from mdm.store.reading import snapshot
from mdm.store.refold import EventRange
from tests.e2e.conftest import SignIn
from tests.e2e.screens import screens
from tests.e2e.test_reviewing import rows
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.rows import take_in
from tests.integration.hub.test_oversize import overflow

#: All screens are looked at by `make browser-tests`; the suite of every day takes those where work is done.
_EVERY = os.environ.get("MDM_ALL_SCREENS") == "1"
_DAILY = ("home", "reviews", "review", "customer", "refused-message", "proposal")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def busy(engine: Engine, looker: str = "user:ben") -> None:
    """Something on every screen: a refused message, a decision, a remark, a proposal, jobs of `looker`."""
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    place = Place("crm.public.account", 0, 10**9)
    process(pipeline, "test", [Message(place, 1, (), b'{"id": "x"}', b'{"op": "u", "source": {"sequence": "broken"}}')])
    ada = Actor("user:ada", FORMER_STEWARD)
    _refused(pipeline, ada)
    tasks = [row.task_id for row in rows(engine, "select task_id from steward_task where status = 'open' order by 1")]
    steward.comment(pipeline, ada, f"task:{tasks[0]}", "Asked the register; they answer on Monday.")
    steward.claim(pipeline, ada, tasks[0])
    _release(pipeline, ada)
    erase.request(
        engine, system_clock, _someone(engine), [], {"erp.business_partner.tax_number": "tax law"}, ada.name, "4711"
    )
    proposed = False
    for task_id in tasks[1:]:
        decided = steward.decide(pipeline, ada, JudgeTask(task_id, Verdict.SAME, "one VAT number on both invoices"))
        proposed = proposed or not decided.done
        if proposed and decided.done:
            break
    _relate(engine, pipeline, ada)
    _many(engine, pipeline, looker)
    _override(engine, pipeline, looker)
    _contracts(pipeline, looker)
    blind.draw(pipeline, Domain.CUSTOMER, blind.LEAST, ada.name)
    take_in(pipeline, overflow(), first=10**9)  # rows that only their own names find


def _override(engine: Engine, pipeline: Pipeline, looker: str) -> None:
    """A value of a customer that `looker` would pin: it waits for somebody else."""
    last = "select max(entity_id) from golden where domain = 'customer' and known_to is null"
    pin = Pin(EntityId(rows(engine, last)[0][0]), "payment_terms", "NT90", reason="as agreed by telephone")
    steward.decide(pipeline, Actor(looker, FORMER_STEWARD), pin)


def _contracts(pipeline: Pipeline, looker: str) -> None:
    """What the vendor of the CRM would no longer send, and a platform that `looker` would connect."""
    crm = (SHIPPED_SOURCES / "crm" / "contract.odcs.yaml").read_text("utf-8")
    gone = "".join(line for line in crm.splitlines(keepends=True) if "name: segment__c" not in line)
    gone = gone.replace("version: 1.0.0", "version: 2.0.0", 1)
    with pipeline.engine.begin() as connection:
        key = api_keys.issue_key(connection, Role.VENDOR, "maker of the CRM", Scope(sources=frozenset({"crm"})))
    vendor = Actor(key.split("_")[1], Role.VENDOR)
    contract_proposals.propose(pipeline, vendor, pipeline.catalogue, "Segments move to another product", gone)
    new = crm.replace("crm", "support").replace("CRM", "Support").replace("role, value: support", "role, value: crm")
    own = Actor(looker, FORMER_STEWARD)
    contract_proposals.propose(pipeline, own, pipeline.catalogue, "Connect the support desk", new)


def _refused(pipeline: Pipeline, actor: Actor) -> None:
    """Three refused changes of customers who owe something, and the proposal to discard two of them."""
    accounts = {each.key: each for each in world_messages() if each.place.topic == "crm.public.account"}
    for number, message in enumerate(list(accounts.values())[:3], 1):
        value = orjson.loads(message.value or b"{}")
        value["after"]["number_of_employees"] = "many"
        place = Place(message.place.topic, 0, 10**9 + number)
        process(pipeline, "test", [replace(message, place=place, value=orjson.dumps(value))])
    meant = to_discard(pipeline.engine, Selection(code="VALUE_TYPE"), "rows of a test of the importer")
    steward.decide(pipeline, actor, Discard(meant.letters[:2], meant.reason))


def _relate(engine: Engine, pipeline: Pipeline, actor: Actor) -> None:
    """A steward's word in the hierarchy that the screens show: somebody new below the child."""
    child, other = (
        rows(engine, query)[0][0]
        for query in (
            """select x.entity_id from record_reference f join crosswalk x using (rec_id) where f.role = 'parent'
               order by 1 limit 1""",
            """select g.entity_id from golden g where g.domain = 'customer' and g.known_to is null
               and g."values"->'parent' is null
               and not exists (select from crosswalk x join source_record r using (rec_id)
                               join record_reference f using (system, type, key)
                               where x.entity_id = g.entity_id and f.role = 'parent')
               order by g.entity_id desc limit 1""",
        )
    )
    word = Relate(other, RelationKind.LEGAL_PARENT, child, date(2026, 1, 1), None, "annual report 2025, page 12")
    steward.decide(pipeline, actor, word)


def _many(engine: Engine, pipeline: Pipeline, looker: str) -> None:
    """Looks at many answers, one of them stopped; one that was carried out; a replay; an export that broke off."""
    with engine.begin() as connection:
        job_id = export_jobs.begin(connection, looker, "audit", "actor=user%3Aada", 24_000, system_clock())
    job = ExportJob(job_id, looker, "audit", "", "", 0, 0, 24_000, "", system_clock(), system_clock())
    pieces = iter([Piece("", 12_000, 12_000, "12001"), Piece("", 0, 0, "")])
    broken = export_jobs.followed(engine, system_clock, job, pieces)
    next(broken)
    next(broken)
    broken.close()
    open_ = [
        row.task_id
        for row in rows(engine, "select task_id from steward_task where status = 'open' order by task_id desc limit 5")
    ]
    with snapshot(engine) as work:
        tokens = steward.task_tokens(work, open_)
    ben = Actor(looker, FORMER_STEWARD)
    for answer in (Answer(Verdict.NOT_SAME), Answer(Verdict.SAME)):
        steward.run_look(pipeline, steward.start_look(pipeline, ben, tokens, answer))
    steward.stop_bulk(pipeline, ben, steward.start_look(pipeline, ben, tokens, Answer(Verdict.UNSURE)))
    job_id = steward.start_bulk(pipeline, ben, tokens, Answer(Verdict.UNSURE, "waiting for the register"))
    steward.run_bulk(pipeline, job_id, NO_POLICY)
    meant = EventRange(system="crm", type="account", key=_some_key(engine))
    run_replay(pipeline, start_replay(pipeline, ben, meant))
    last = rows(engine, "select max(task_id) as task_id from steward_task where status = 'open'")[0].task_id
    steward.claim(pipeline, ben, last)
    steward.comment(pipeline, ben, f"task:{last}", "Their register answers by post.")


def _some_key(engine: Engine) -> str:
    found: str = rows(engine, "select min(key) from source_record where system = 'crm' and type = 'account'")[0][0]
    return found


def _someone(engine: Engine) -> str:
    """A customer whose tax number ERP may hold, which a law keeps."""
    known = """select min(x.entity_id) from crosswalk x join source_record r using (rec_id)
               where r.system = 'erp' and r.type = 'business_partner'"""
    found: str = rows(engine, known)[0][0]
    return found


def _release(pipeline: Pipeline, author: Actor) -> None:
    """A simulated release of customer rules."""
    ruleset = pipeline.rules.rulesets[Domain.CUSTOMER]
    document = ruleset.document.replace("rank: [{best_supported: name}", "rank: [most_recent, {best_supported: name}")
    made = releases.draft(
        pipeline, author, RuleKind.SURVIVORSHIP, Domain.CUSTOMER, "The newest name survives", document
    )
    releases.simulate(pipeline, author, made.release_id)


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


#: A small notebook, a tablet lying and standing, and a sheet of A4 between its margins.
_WINDOWS = ((1280, 800, "screen"), (1024, 768, "screen"), (820, 1180, "screen"), (718, 1000, "print"))
_OVER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_HIDDEN = (
    "() => Math.max(0, ...[...document.querySelectorAll('.scroll')].map(each => each.scrollWidth - each.clientWidth))"
)
#: Whatever else may scroll in a frame of its own: what is decided from must be seen whole.
_WHOLE = ("reviews", "approvals", "exceptions", "home")


def test_no_screen_is_wider_than_its_window_or_the_paper(signed_in: SignIn, world: Engine) -> None:
    busy(world)
    page = signed_in("Ben").page
    wide = {}
    for name, address in looked_at(world).items():
        page.goto(address)
        for width, height, media in _WINDOWS:
            page.emulate_media(media=media)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": height})
            over = page.evaluate(_OVER) or (page.evaluate(_HIDDEN) if name in _WHOLE else 0)
            if over > 0:
                wide[name, width] = over
        page.emulate_media(media="screen")

    assert wide == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_neither_does_the_sign_in(chromium: Browser, address: str, axe: str, theme: Literal["light", "dark"]) -> None:
    context = chromium.new_context(base_url=address, color_scheme=theme, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto("/console/sign-in")
    found = violations(page, axe)
    page.locator("#username").fill("nobody")
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    found += violations(page, axe)
    context.close()

    assert found == []


def test_no_page_of_the_console_is_forgotten(world: Engine) -> None:
    busy(world)
    paths = [address.partition("?")[0] for address in screens(world).values()]
    pages = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    downloads = {
        "/console/privacy/{erasure_id:int}/proof",
        "/console/reconciliation/export.csv",
        "/console/audit/export.csv",
        "/console/governance/report.html",
        "/console/governance/report.json",
    }
    forgotten = [
        route.path
        for route in pages
        if "GET" in (route.methods or ())
        and route.path not in downloads
        and not any(map(route.path_regex.match, paths))
    ]

    assert forgotten == []


def test_every_screen_answers_with_scripting_off(signed_in: SignIn, world: Engine) -> None:
    busy(world)
    page = signed_in("Ben").page
    for name, address in screens(world).items():
        answer = page.request.get(address)
        assert answer.status == (404 if name == "problem" else 200), name
        assert "<h1" in answer.text(), name
