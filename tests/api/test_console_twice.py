"""A form that is sent twice - a double click, the page before, an answer that got lost - has one effect, and is
answered the second time as it was the first."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.console.forms import own_form
from api.console.once import FormRoute
from mdm.access import FORMER_STEWARD, Role
from mdm.clock import system_clock
from mdm.hub import checkpoints
from mdm.hub.checkpoints import may_waive
from mdm.model.ids import Domain, EntityId
from mdm.onboarding.checkpoint import CheckpointName
from mdm.onboarding.ruleset import shipped_ruleset
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.test_console import sign_in
from tests.api.test_console_pages import refused

#: What the hub notes by itself beside what somebody does.
_ASIDE = frozenset({"idempotency_key", "console_session", "batch", "record_access", "list_access"})


@pytest.fixture
def kept(engine: Engine) -> Callable[[], Mapping[str, int]]:
    """How many rows each table has."""

    def count() -> Mapping[str, int]:
        with engine.connect() as connection:
            names = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
            parts = [f"select '{name}', count(*) from {name}" for name in names if name not in _ASIDE]
            return {row[0]: row[1] for row in connection.execute(text(" union all ".join(parts)))}

    return count


class Desk:
    """A browser that sends each form twice."""

    def __init__(self, app: FastAPI, key: str, kept: Callable[[], Mapping[str, int]], engine: Engine) -> None:
        self.browser = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        sign_in(self.browser, key)
        self.app, self.kept, self.engine = app, kept, engine

    def page(self, address: str) -> str:
        return self.browser.get(address).text

    def field(self, page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page(page))
        assert found is not None, (page, name)
        return found.group(1)

    def twice(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """Sends the form one time after the other: the second says what the first said, and changes nothing."""
        sent = {"csrf": self.field(page, "csrf"), **fields}
        first = self.browser.post(action, data=sent)
        before = self.kept()
        second = self.browser.post(action, data=sent)

        assert first.status_code in (200, 303), (action, first.text[:3000])
        assert self.kept() == before, action
        if first.status_code == 303:
            assert (second.status_code, second.headers["location"]) == (303, first.headers["location"]), action
        else:
            assert second.status_code == 409
            assert "This very form was sent before" in second.text
        return first

    def at_once(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """Sends the form from two windows in the same moment."""
        sent = {"csrf": self.field(page, "csrf"), **fields}
        before = self.audit()
        windows = [TestClient(self.app, follow_redirects=False, cookies=dict(self.browser.cookies)) for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda window: window.post(action, data=sent), windows))

        assert {each.status_code for each in answers} == {303}, (action, [each.text[:2000] for each in answers])
        assert len({each.headers["location"] for each in answers}) == 1, action
        new = self.audit() - before
        assert new, action
        assert set(new.values()) == {1}, (action, new)
        return answers[0]

    def audit(self) -> Counter[tuple[str, str]]:
        with self.engine.connect() as connection:
            return Counter((row[0], row[1]) for row in connection.execute(text("select action, subject from audit")))

    def ids(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.scalars(text(query)))


@pytest.fixture
def desk(app: FastAPI, keys: dict[Role, str], kept: Callable[[], Mapping[str, int]], engine: Engine) -> Desk:
    return Desk(app, keys[FORMER_STEWARD], kept, engine)


def test_every_form_of_the_console_is_carried_out_once(app: FastAPI) -> None:
    forms = [
        route
        for route in (each.original_route for each in iter_route_contexts(app.routes))
        if isinstance(route, APIRoute) and any(each.call is own_form for each in route.dependant.dependencies)
    ]

    assert len(forms) > 50
    assert [route.path for route in forms if not isinstance(route, FormRoute)] == []


@pytest.mark.sample_world
def test_what_stewards_decide_is_decided_once(desk: Desk) -> None:
    unsure, apart, later, put_off, noted, *rest = desk.ids(
        "select task_id from steward_task where status = 'open' and kind = 'possible_match' order by weight, task_id"
    )
    page = "/console/reviews/{}"

    def decide(send: Callable[..., httpx.Response], task: int, verdict: str) -> httpx.Response:
        here = page.format(task)
        return send(here, f"{here}/decide", verdict=verdict, token=desk.field(here, "token"), reason="looked")

    decide(desk.twice, unsure, "unsure")
    decide(desk.twice, apart, "not_same")
    decide(desk.at_once, later, "not_same")
    desk.twice(page.format(noted), "/console/decisions/last/undo")
    assert desk.ids("select count(*) from decision where undone_by is not null") == [1]
    desk.twice(page.format(noted), f"{page.format(noted)}/comment", text="asked them by phone")
    desk.at_once(page.format(noted), f"{page.format(noted)}/comment", text="they called back")
    assert desk.ids("select text from comment order by comment_id") == ["asked them by phone", "they called back"]
    for what, fields in (("snooze", {"until": "3"}), ("claim", {}), ("release", {}), ("assign", {"assignee": "ben"})):
        desk.twice(page.format(put_off), f"{page.format(put_off)}/{what}", **fields)
    assert desk.ids(f"select assignee from task_work where task_id = {put_off}") == ["user:ben"]
    # "Undo last" names no step: a double click takes one back, not two.
    desk.twice(page.format(rest[0]), "/console/decisions/last/undo")
    assert desk.ids(f"select assignee from task_work where task_id = {put_off}") == [None]
    desk.twice("/console/reviews?country=DE", "/console/views", name="Germany", query="country=DE")
    (view,) = desk.ids("select view_id from console_view")
    desk.twice("/console/reviews", f"/console/views/{view}/delete")

    several = {"task": [str(each) for each in rest[:3]]}
    desk.twice("/console/reviews", "/console/reviews/bulk", what="claim", **several)
    look = desk.twice("/console/reviews", "/console/reviews/bulk", what="unsure", **several).headers["location"]
    number = look.rpartition("/")[2]
    job = desk.twice(look, "/console/bulk", look=number, reason="three of a kind").headers["location"]
    anew = desk.browser.post("/console/bulk", data={"csrf": desk.field("/console/help", "csrf"), "look": number})
    assert anew.headers["location"] == job, "also from another page: what was looked at is carried out once"
    assert f'carried out: <a href="{job}"' in desk.browser.get(look).text
    assert 'name="look"' not in desk.browser.get(look).text
    desk.at_once(job, f"{job}/undo")
    assert desk.ids("select purpose from bulk_job order by job_id") == ["look", "answer", "take_back"]


@pytest.mark.sample_world
def test_records_are_merged_split_pinned_and_restored_once(desk: Desk) -> None:
    many, two, parent = desk.ids(
        """select entity_id from crosswalk join source_record using (rec_id) where domain = 'customer'
           group by entity_id having count(*) >= 2 order by count(*) desc, entity_id limit 3"""
    )
    leave = desk.ids(
        f"""select system || ':' || type || ':' || key from source_record join crosswalk using (rec_id)
            where entity_id = '{many}' order by rec_id desc limit 1"""
    )
    here = f"/console/customers/{many}"
    form = f"{here}/override/industry"
    desk.twice(form, form, value="Anvils", reason="seen on their door", version=desk.field(form, "version"))
    (override,) = desk.ids("select override_id from golden_override")
    desk.twice(here, f"/console/overrides/{override}/clear", reason="not any more", back=here)
    history = f"{here}/history?a=2"
    desk.twice(history, f"{here}/restore", version="2", current=desk.field(history, "current"), reason="it was right")
    desk.twice(f"{here}/graph", f"{here}/split", leave=leave, reason="another company", what="split")
    desk.at_once(f"{here}/graph", f"{here}/merge", other=two, reason="the same after all", what="merge")
    said = {"kind": "legal", "parent": parent, "valid_from": "2025-01-01", "reason": "annual report"}
    desk.twice(f"{here}/hierarchy", f"{here}/hierarchy", **said)
    ready = f"{here}/readiness"
    for what, fields in (
        ("confirm", {"checkpoint": "legal_entity_validated", "reason": "register looked up"}),
        ("withdraw", {"checkpoint": "legal_entity_validated", "reason": "the wrong one"}),
        ("return", {"reason": "no address"}),
        ("take-up", {"reason": "there is one"}),
    ):
        desk.twice(ready, f"{ready}/{what}", **fields)
    code = next(code for code, rule in shipped_ruleset().rules.items() if may_waive(FORMER_STEWARD, rule))
    finding = {"code": code, "path": ""}
    desk.at_once(ready, f"{ready}/waive", reason="agreed with finance", until="2999-01-01", **finding)
    desk.twice(ready, f"{ready}/unwaive", reason="not any more", **finding)


def test_what_was_said_about_onboarding_is_taken_back_by_the_key_with_its_reason_written(
    desk: Desk, rows: HubRows
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    ready = f"/console/customers/{acme}/readiness"
    failing = re.search(r'/readiness/waive".*?name="code" value="(.+?)".*?name="path" value="(.*?)"', desk.page(ready))
    assert failing is not None
    said: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("confirm", "withdraw", {"checkpoint": "legal_entity_validated", "reason": "register looked up"}),
        ("waive", "unwaive", {"code": failing[1], "path": failing[2], "reason": "agreed", "until": "2999-01-01"}),
        ("return", "take-up", {"reason": "no address"}),
    )
    for what, back, fields in said:
        sent = {"csrf": desk.field(ready, "csrf"), **fields}
        told = desk.browser.post(f"{ready}/{what}", data=sent).headers["location"]
        # The page says what was done, and so does the key wherever it is pressed.
        anywhere = desk.browser.post("/console/decisions/last/undo", data={"csrf": desk.field("/console/help", "csrf")})
        assert anywhere.headers["location"] == told
        shown = desk.page(told)
        form = re.search(rf'<form class="card line" action="({ready}/{back})"(.*?)</form>', shown, re.S)
        assert form is not None, what
        assert 'data-key="z"' in form.group(2)
        filled = dict(re.findall(r'name="([a-z]+)"[^>]* value="([^"]*)"', form.group(2)))
        assert filled["reason"], "it is written already, and may be written over"
        desk.browser.post(form.group(1), data=filled)
        assert 'data-key="z"' not in desk.page(told).partition("<main")[2], "it does not hold any more"

    assert desk.ids("select action from audit where subject like 'cus_%' order by seq") == [
        "checkpoint_confirmed", "checkpoint_withdrawn", "finding_waived", "waiver_withdrawn", "onboarding_returned",
        "onboarding_taken_up",
    ]  # fmt: skip
    assert desk.page("/console/steps").count("Taken back.") == len(said)


def test_what_somebody_else_ended_is_told_by_the_key_before_any_page_is_opened(
    desk: Desk, rows: HubRows, engine: Engine
) -> None:
    acme = EntityId(rows.golden(Domain.CUSTOMER, CRM_ACME, ACME))
    ready = f"/console/customers/{acme}/readiness"
    failing = re.search(r'/readiness/waive".*?name="code" value="(.+?)".*?name="path" value="(.*?)"', desk.page(ready))
    assert failing is not None
    code, path = failing[1], failing[2]
    checkpoint = CheckpointName.LEGAL_ENTITY_VALIDATED
    bens = (engine, system_clock, acme)
    ways: tuple[tuple[str, dict[str, str], Callable[[], object], str], ...] = (
        (
            "confirm",
            {"checkpoint": checkpoint.value, "reason": "register looked up"},
            lambda: checkpoints.withdraw(*bens, checkpoint, "user:ben", "another register"),
            "ben took it back",
        ),
        (
            "confirm",
            {"checkpoint": checkpoint.value, "reason": "register looked up"},
            lambda: checkpoints.confirm(*bens, checkpoint, "user:ben", "seen by me"),
            "ben confirmed it anew",
        ),
        (
            "waive",
            {"code": code, "path": path, "reason": "agreed", "until": "2999-01-01"},
            lambda: checkpoints.unwaive(*bens, code, path, "user:ben", "not agreed"),
            "ben ended it",
        ),
        ("return", {"reason": "no address"}, lambda: checkpoints.take_up(*bens, "user:ben", "it is there"), "ben took"),
    )
    for what, fields, ended, told in ways:
        sent = {"csrf": desk.field(ready, "csrf"), **fields}
        where = desk.browser.post(f"{ready}/{what}", data=sent).headers["location"]
        ended()

        pressed = desk.browser.post("/console/decisions/last/undo", data={"csrf": desk.field("/console/help", "csrf")})
        shown = desk.page(pressed.headers["location"])

        assert pressed.headers["location"].startswith("/console/steps?stays=")
        notice = re.search(r"<div class=\"notice warn.*?</div>", shown, re.S)
        assert notice is not None
        assert "Nothing was taken back" in notice.group()
        assert told in notice.group()
        assert "nothing is left to take back" in notice.group()
        assert 'data-key="z"' not in shown.partition("<main")[2], "no older step is taken back in its place"
        assert told in desk.page(where).partition("<main")[2].partition("<h1")[0], "and so says the customer's page"


def test_refused_messages_approvals_and_everything_else_happen_once(
    desk: Desk, app: FastAPI, keys: dict[Role, str], engine: Engine, kept: Callable[[], Mapping[str, int]]
) -> None:
    for number in range(8):
        refused(engine, number, reason=f"no key {number // 2}")
    first, second, *groups = desk.ids("select dead_letter_id from dead_letter order by 1")
    exceptions = "/console/exceptions"
    here = f"{exceptions}/letters/{first}"
    desk.twice(here, f"{here}/fix", value='{"op": "u"}', reason="the key is there")
    assert desk.ids("select count(*) from dead_letter_fix") == [1]
    here = f"{exceptions}/letters/{second}"
    desk.twice(here, f"{here}/discard", reason="a test row")
    desk.twice(here, f"{here}/reopen", reason="or not")
    for group, what, send in ((groups[0], "discard", desk.at_once), (groups[2], "discard", desk.twice)):
        send(f"{exceptions}/groups/{group}", f"{exceptions}/groups/{group}/{what}", reason="test rows")
    desk.twice(f"{exceptions}/groups/{groups[4]}", f"{exceptions}/groups/{groups[4]}/take")
    desk.twice(f"{exceptions}/groups/{groups[4]}", f"{exceptions}/groups/{groups[4]}/replay")
    desk.twice("/console/replay", "/console/replay", letters=f"D{groups[4]}", what="start")
    desk.at_once("/console/replay", "/console/replay", letters=str(groups[5]), what="start")
    assert len(desk.ids("select job_id from replay_job")) == 2

    other = Desk(app, keys[Role.SENIOR_STEWARD], kept, engine)
    agreed, refused_ = desk.ids("select proposal_id from proposal where status = 'open' order by 1 limit 2")
    here = f"/console/approvals/{agreed}"
    other.twice(here, f"{here}/approve", digest=other.field(here, "digest"), comment="they are")
    other.at_once(f"/console/approvals/{refused_}", f"/console/approvals/{refused_}/reject", comment="they are not")
    lent = {"to": "ben", "until": "2999-01-01", "reason": "away"}
    other.twice("/console/approvals", "/console/approvals/delegations", **lent)
    (number,) = desk.ids("select delegation_id from delegation")
    other.twice("/console/approvals", "/console/approvals/delegations", end=str(number))

    admin = Desk(app, keys[Role.ADMIN], kept, engine)
    admin.twice("/console/admin?tab=people", "/console/admin/create", username="cy", name="Cy", role="steward")
    admin.twice("/console/admin?tab=clients", "/console/admin/issue", label="a shop", role="reader")
    admin.twice("/console/pipeline", "/console/pipeline/pause", feed="file:x", reason="repair")


def test_what_was_refused_is_looked_at_anew_and_a_form_of_another_page_is_another_form(desk: Desk) -> None:
    sent = {"csrf": desk.field("/console/reviews?country=DE", "csrf"), "name": "", "query": "country=DE"}
    assert [desk.browser.post("/console/views", data=sent).status_code for _ in range(2)] == [422, 422]
    for _ in range(2):  # each from a page of its own
        token = desk.field("/console/help", "csrf")
        sent = {"csrf": token, "theme": "dark", "keys": "on"}
        assert desk.browser.post("/console/preferences", data=sent).status_code == 303
    bare = token.partition(".")[0]
    assert desk.browser.post("/console/preferences", data=sent | {"csrf": bare}).status_code == 403
