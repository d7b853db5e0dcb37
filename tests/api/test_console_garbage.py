"""What people mistype, and what others make them send, ends at a page that says what is wrong; nothing breaks."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.afterwards import afterwards
from api.matrix import permissions_by_route
from mdm.access import FORMER_STEWARD, Role
from mdm.errors import Conflict
from mdm.model.ids import Domain
from mdm.store import accounts
from tests.api.rows import ACME, CRM_ACME, HubRows
from tests.api.test_console import form_token, sign_in


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ("weight_from=many", "Weight from"),
        ("weight_to=nan", "Weight to"),
        ("amount_from=a%20lot", "Amount from"),
        ("amount_from=inf", "Amount from"),
        ("amount_from=1e400", "Amount from"),
        ("who=somebody", "Who"),
    ],
)
def test_a_filter_that_is_no_filter_is_named_with_the_way_on(steward: TestClient, filters: str, named: str) -> None:
    answer = steward.get(f"/console/reviews?{filters}")

    assert answer.status_code == 422
    assert f"<strong>{named}</strong>" in answer.text
    assert '<a href="/console/reviews" data-swap>' in answer.text


def test_what_is_wrong_with_a_filter_is_said_without_words_of_a_library(steward: TestClient) -> None:
    said = [
        ("/console/reviews?weight_from=many", "is no number"),
        ("/console/customers?limit=3", "is not known here"),
        ("/console/customers/cus_1/history?known_at=yesterday", "is no date or time, as 2026-03-31T12:00:00Z"),
    ]
    for address, words in said:
        assert f"</strong>: {words}</li>" in steward.get(address).text, address


@pytest.mark.parametrize("asked", ["a=1&b=9", "a=9&b=1", "a=9", "b=9", "a=8&b=9"])
def test_a_version_that_never_was_is_said_beside_those_that_are(rows: HubRows, steward: TestClient, asked: str) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    answer = steward.get(f"/console/customers/{acme}/history?{asked}")

    assert answer.status_code == 200
    assert "There is no version" in answer.text
    assert "version 9" in answer.text


def test_who_may_not_is_told_of_roles_and_not_of_keys(app: FastAPI, keys: dict[Role, str]) -> None:
    browser = TestClient(app)
    sign_in(browser, keys[Role.STEWARD])

    answer = browser.get("/console/admin?tab=people")

    assert answer.status_code == 403
    assert "Your role does not include it." in answer.text
    assert "key" not in answer.text.partition("<main")[2].partition("Trace id")[0].replace("accounts and keys", "")


def test_an_address_of_no_page_is_not_found(steward: TestClient) -> None:
    assert steward.get("/console/nowhere").status_code == 404


@pytest.mark.parametrize("address", ["/console/approvals", "/console/exceptions"])
def test_no_link_makes_the_hub_say_what_it_does_not_say(steward: TestClient, address: str) -> None:
    assert "Call 555" not in steward.get(f"{address}?done=Call 555 at once").text


@pytest.mark.parametrize("clock", ["valid_at", "known_at"])
def test_there_is_no_time_before_all_times(rows: HubRows, steward: TestClient, clock: str) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    answer = steward.get(f"/console/customers/{acme}/history", params={clock: "0001-01-01T00:00:00+14:00"})

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("/approvals/delegations", {"to": "ben", "until": "-1", "reason": "away"}, 409),
        ("/customers/{acme}/restore", {"version": "0", "current": "0", "reason": "looked again"}, 409),
        ("/customers/{acme}/merge", {"other": "cus_\0"}, 400),
        ("/customers/{acme}/split", {"until": "2026-02-30", "leave": "crm:account:1"}, 409),
        ("/customers/{acme}/readiness/unwaive", {"code": "\0", "path": ""}, 400),
        ("/reviews/1/decide", {"verdict": "perhaps"}, 422),
        ("/reviews/1/decide", {"verdict": "not_same", "until": "soon"}, 422),
        ("/reviews/1/snooze", {"until": "10000-01-01"}, 409),
    ],
)
def test_a_form_with_garbage_changes_nothing(
    rows: HubRows, engine: Engine, steward: TestClient, action: str, fields: dict[str, str], status: int
) -> None:
    erp = CRM_ACME._replace(system="erp", type="business_partner")
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.golden(Domain.CUSTOMER, erp, ACME)
    rows.task(CRM_ACME, erp, 3.0)
    csrf = form_token(steward.get("/console/help").text)

    answer = steward.post(f"/console{action.format(acme=acme)}", data={"csrf": csrf, **fields})

    assert answer.status_code == status
    assert "<h1" in answer.text
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from decision")) == 0


def test_a_date_that_is_none_is_told_and_what_was_typed_is_given_back(rows: HubRows, steward: TestClient) -> None:
    erp = CRM_ACME._replace(system="erp", type="business_partner")
    for key in (CRM_ACME, erp):
        rows.golden(Domain.CUSTOMER, key, ACME)
    rows.task(CRM_ACME, erp, 3.0)
    csrf = form_token(steward.get("/console/help").text)

    page = steward.post(
        "/console/reviews/1/decide",
        data={"csrf": csrf, "verdict": "not_same", "until": "soon", "reason": "two branches"},
    ).text

    assert "The date is not understood." in page
    assert 'value="two branches"' in page


@pytest.mark.sample_world
def test_who_comes_too_late_is_told_by_whom_and_when_it_was_answered(app: FastAPI, engine: Engine) -> None:
    steward = TestClient(app, follow_redirects=False)
    with engine.begin() as connection:
        password = accounts.create_account(connection, "ann", "Ann", FORMER_STEWARD)
    sign_in(steward, "", username="ann", password=password)
    with engine.connect() as connection:
        task = connection.scalar(text("select min(task_id) from steward_task where status = 'open'"))
    for verdict in ("not_same", "same"):
        csrf = form_token(steward.get("/console/help").text)
        answer = steward.post(f"/console/reviews/{task}/decide", data={"csrf": csrf, "verdict": verdict})

    assert answer.status_code == 409
    assert re.search(r"[ >]ann answered not same at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", answer.text)


def test_a_command_in_a_notice_is_set_as_one(rows: HubRows, steward: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    here = f"/console/customers/{acme}/readiness"
    said = {"code": "NOWHERE", "path": "", "reason": "x", "until": "2999-01-01"}

    answer = steward.post(f"{here}/waive", data={"csrf": form_token(steward.get(here).text)} | said)

    assert "<code>mdm onboarding codes</code> lists all codes" in answer.text


_LONG = "x" * 5000
_WRONG = (
    "?cursor=-1", "?cursor=%00", "?cursor=WyJ4IiwtMV0", "?before=-5", "?before=99999999999999999999", "?page=1e9",
    "?nobody=knows&this=either", "?q=%07%1b%e2%80%ae", f"?q={_LONG}", "?a=0&b=-1", "?done=1e9", "?%ff=%ff",
    "?valid_at=yesterday&known_at=9999-99-99", "?kind=%27%3B--",
)  # fmt: skip
_IDS = ("0", "-1", "99999999999999999999", "cus_nobody", "%00", "%F0%9F%92%A9", "..%2F..", _LONG)


def test_whatever_an_address_holds_a_page_says_what_is_wrong(
    rows: HubRows, app: FastAPI, keys: dict[Role, str]
) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    browser = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
    sign_in(browser, keys[Role.ADMIN])
    csrf = form_token(browser.get("/console/help").text)
    named = [name.partition(" ") for name in permissions_by_route(app.routes)]
    ways = [(method, path) for methods, _, path in named for method in methods.split(",") if "/sign-" not in path]
    wrong, asked = [], 0
    for method, path in ways:
        place = re.search(r"{[^}]+}", path)
        if not path.startswith("/console/") or "static" in path or (method == "POST" and place is None):
            continue
        filled = [path.replace(place.group(), each) for each in _IDS] if place else [path + each for each in _WRONG]
        for address in (re.sub(r"{[^}]+}", "1", each) for each in filled[: None if method == "GET" else 4]):
            answer = browser.request(method, address, data={"csrf": csrf, "what": "x"} if method == "POST" else None)
            asked += 1
            page = answer.headers.get("content-type") == "text/html; charset=utf-8"
            explained = answer.status_code < 400 or (page and "<h1" in answer.text)
            if answer.status_code >= 500 or not explained or "Traceback" in answer.text:
                wrong.append((method, address[:120], answer.status_code))
    assert wrong == []
    assert asked > 400


def carried_out(later: BackgroundTasks) -> None:
    """In a thread of its own: browser tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, later()).result()


def test_long_work_that_cannot_go_on_breaks_nothing_and_a_defect_is_heard_of() -> None:
    later, done = BackgroundTasks(), []

    def taken() -> None:
        done.append("taken")
        raise Conflict("Somebody is at work on it.")

    def broken() -> None:
        raise AssertionError("It is broken.")

    afterwards(later, taken)
    carried_out(later)
    assert done == ["taken"]

    afterwards(later, broken)
    with pytest.raises(AssertionError):
        carried_out(later)
