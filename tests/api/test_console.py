"""The console: signing in, and pages that show where every value comes from."""

import hashlib
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import create_app
from api.console.sessions import LIFETIME
from mdm.access import FORMER_STEWARD, Role
from mdm.lifecycle.policy import shipped_policy
from mdm.model.ids import CrosswalkKey, Domain
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.store import accounts, api_keys
from tests.api.conftest import Surroundings
from tests.api.rows import ACME, CRM_ACME, ERP_ACME, NOON, HubRows


def form_token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def sign_in(browser: TestClient, key: str, **fields: str) -> tuple[int, str]:
    csrf = form_token(browser.get("/console/sign-in").text)
    answer = browser.post("/console/sign-in", data={"csrf": csrf, "key": key} | fields)
    return answer.status_code, answer.headers.get("location", answer.text)


@pytest.fixture
def browser(app: FastAPI) -> TestClient:
    return TestClient(app, follow_redirects=False)


def test_a_steward_signs_in_and_continues_where_they_wanted_to_go(browser: TestClient, keys: dict[Role, str]) -> None:
    asked = browser.get("/console/search?q=acme%20anvils")
    assert asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fsearch%3Fq%3Dacme%2520anvils"

    status, location = sign_in(browser, keys[Role.STEWARD], next="/console/search?q=acme%20anvils")

    assert (status, location) == (303, "/console/search?q=acme%20anvils")
    assert browser.get("/console/").status_code == 200


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: FastAPI, keys: dict[Role, str]) -> None:
    browser = TestClient(app, follow_redirects=False, base_url="https://hub.example")
    csrf = form_token(browser.get("/console/sign-in").text)

    cookie = browser.post("/console/sign-in", data={"csrf": csrf, "key": keys[Role.ADMIN]}).headers["set-cookie"]

    assert cookie.startswith("__Host-mdm_session=")
    said = set(cookie.split(", ")[0].split("; "))
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= said, "a browser keeps the prefix with just these"
    assert not [each for each in said if each.startswith("Domain")]
    assert keys[Role.ADMIN].split("_")[2] not in cookie
    assert browser.get("/console/").status_code == 200
    browser.post("/console/sign-out", data={"csrf": form_token(browser.get("/console/help").text)})
    assert "__Host-mdm_session" not in browser.cookies, "it is dropped as it was set"


def test_behind_tls_a_cookie_that_another_host_could_have_set_is_not_believed(
    app: FastAPI, steward: TestClient
) -> None:
    session = steward.cookies["mdm_session"]
    browser = TestClient(app, follow_redirects=False, base_url="https://hub.example")

    def asked(name: str) -> int:
        return browser.get("/console/", headers={"Cookie": f"{name}={session}"}).status_code

    assert [asked("mdm_session"), asked("__Host-mdm_session")] == [303, 200]


@pytest.mark.parametrize("role", [Role.ERP_READER])
def test_keys_of_systems_open_no_session(browser: TestClient, keys: dict[Role, str], role: Role) -> None:
    status, page = sign_in(browser, keys[role])

    assert status == 403
    assert "belongs to a system" in page
    assert browser.get("/console/").status_code == 303


@pytest.mark.parametrize("key", ["", "mdm_x", "mdm_0000000000_" + "0" * 40])
def test_an_unknown_key_opens_no_session(browser: TestClient, key: str) -> None:
    status, page = sign_in(browser, key)

    assert (status, 'role="alert"' in page) == (401, True)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/console//evil.example", "/console/\\evil", "/v1/status", ""],
)
def test_signing_in_never_leads_to_another_place(browser: TestClient, keys: dict[Role, str], target: str) -> None:
    assert sign_in(browser, keys[Role.STEWARD], next=target) == (303, "/console/")


def test_a_form_that_another_site_sends_is_refused(browser: TestClient, app: FastAPI, keys: dict[Role, str]) -> None:
    token_of_attacker = form_token(TestClient(app).get("/console/sign-in").text)

    for csrf in ("", "x.y", token_of_attacker):
        answer = browser.post("/console/sign-in", data={"csrf": csrf, "key": keys[Role.STEWARD]})
        assert answer.status_code == 403
    assert browser.get("/console/").status_code == 303


def test_signing_out_needs_the_sessions_own_form(steward: TestClient) -> None:
    steward.follow_redirects = False
    token = form_token(steward.get("/console/").text)

    refused = steward.post("/console/sign-out", data={"csrf": "other"})
    done = steward.post("/console/sign-out", data={"csrf": token})

    assert (refused.status_code, done.status_code) == (403, 303)
    assert steward.get("/console/").status_code == 303


def test_a_session_ends_with_its_key(steward: TestClient, engine: Engine, keys: dict[Role, str]) -> None:
    steward.follow_redirects = False
    with engine.begin() as connection:
        api_keys.revoke(connection, keys[FORMER_STEWARD].split("_")[1])

    assert steward.get("/console/").status_code == 303


def test_a_session_ends_after_its_time(steward: TestClient, surroundings: Surroundings, app: FastAPI) -> None:
    steward.follow_redirects = False
    before = steward.get("/console/").status_code
    app.state.sessions._clock = lambda: surroundings.clock() + LIFETIME  # time passes

    assert (before, steward.get("/console/").status_code) == (200, 303)


def test_help_says_what_to_do_about_every_code_of_the_rules(steward: TestClient) -> None:
    page = steward.get("/console/help").text

    codes = {rule.code for rule in shipped_policy().rules.values()} | set(shipped_ruleset().rules)
    assert len(codes) > 20
    assert all(f">{code}</a>" in page for code in codes)


def test_a_session_outlives_the_process_and_is_known_to_every_other(
    steward: TestClient, surroundings: Surroundings
) -> None:
    another = TestClient(create_app(surroundings), follow_redirects=False, cookies=dict(steward.cookies))

    page = another.get("/console/help")
    done = another.post("/console/preferences", data={"csrf": form_token(page.text), "theme": "dark", "keys": "on"})

    assert (page.status_code, done.status_code) == (200, 303)


def test_a_form_of_one_process_is_taken_by_another(
    browser: TestClient, surroundings: Surroundings, keys: dict[Role, str]
) -> None:
    csrf = form_token(browser.get("/console/sign-in").text)
    another = TestClient(create_app(surroundings), follow_redirects=False, cookies=dict(browser.cookies))

    assert another.post("/console/sign-in", data={"csrf": csrf, "key": keys[Role.STEWARD]}).status_code == 303


def test_the_database_holds_nothing_that_opens_a_session(steward: TestClient, engine: Engine) -> None:
    with engine.connect() as connection:
        kept = connection.execute(text("select * from console_session")).all()

    assert len(kept) == 1
    assert steward.cookies["mdm_session"] not in repr(kept)
    assert hashlib.sha256(steward.cookies["mdm_session"].encode()).digest() == bytes(kept[0].session_hash)


def test_signing_out_everywhere_ends_every_session_of_one_person_only(
    app: FastAPI, steward: TestClient, keys: dict[Role, str]
) -> None:
    second, admin = (TestClient(app, follow_redirects=False) for _ in range(2))
    sign_in(second, keys[FORMER_STEWARD])
    sign_in(admin, keys[Role.ADMIN])
    page = second.get("/console/help").text
    assert page.count("this one") == 1

    second.post("/console/sign-out", data={"csrf": form_token(page), "everywhere": "yes"})

    steward.follow_redirects = False
    assert [each.get("/console/").status_code for each in (steward, second, admin)] == [303, 303, 200]


def test_another_password_ends_the_sessions_of_an_account(app: FastAPI, engine: Engine) -> None:
    with engine.begin() as connection:
        password = accounts.create_account(connection, "ada", "Ada", Role.STEWARD)
    ada = TestClient(app, follow_redirects=False)
    sign_in(ada, "", username="ada", password=password)
    assert ada.get("/console/").status_code == 200

    with engine.begin() as connection:
        accounts.set_password(connection, "ada")

    assert ada.get("/console/").status_code == 303


def test_a_forged_cookie_opens_nothing(browser: TestClient, steward: TestClient) -> None:
    genuine = steward.cookies["mdm_session"]
    for forged in ("", "x", "é", genuine[:-1] + ("0" if genuine[-1] != "0" else "1"), genuine[1:]):
        answer = browser.get("/console/", headers={"Cookie": f"mdm_session={forged}".encode()})
        assert answer.status_code == 303


def test_home_counts_and_offers_a_search(rows: HubRows, steward: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)

    page = steward.get("/console/").text

    assert 'role="search" action="/console/search"' in page
    assert re.search(r"<span>Open questions</span><strong>0</strong>", page)
    assert "Nothing to review" in page


@pytest.mark.parametrize(("q", "first"), [("anvils", "/console/customers/"), ("INV-77", "/console/trace/")])
def test_the_enter_key_opens_what_was_found_first(rows: HubRows, steward: TestClient, q: str, first: str) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme", "anvils", "inv", "77"])
    invoice = CrosswalkKey("billing", "invoice", "in_77")
    rows.source(invoice, domain=None, kind="invoice", aliases=[CrosswalkKey("billing", "invoice#number", "INV-77")])

    page = steward.get("/console/search", params={"q": q}).text

    found = re.search(r'data-item( data-first)?>.*?<a class="row-link"[^>]* href="([^"]+)"', page)
    assert found is not None
    assert (found.group(1), found.group(2).startswith(first)) == (" data-first", True)


def test_a_record_shows_value_source_rule_position_and_runners_up(rows: HubRows, steward: TestClient) -> None:
    key = {"system": "crm", "type": "account", "key": "A1"}
    other = {"system": "erp", "type": "business_partner", "key": "7"}
    origin = {"record": key, "topic": "crm.public.account", "partition": 2, "offset": 41, "lsn": 99,
              "event_time": "2025-05-01T10:00:00+00:00"}  # fmt: skip
    lost = {"record": other, "value": "ACME ANVILS", "rule": "best_written", "reason": "is not written as well"}
    lineage = {
        "name": origin | {"rule": "best_written", "ruleset": "r1", "runners_up": [lost]},
        "phones": origin | {"rule": "union", "elements": [origin | {"rule": "only_value", "runners_up": []}]},
    }
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, lineage=lineage)

    page = " ".join(steward.get(f"/console/customers/{acme}").text.split())

    for expected in (
        "Acme Anvils B.V.", "crm account A1", "crm.public.account/2/41 · LSN 99", "2025-05-01 10:00:00 UTC",
        "Best written", "ACME ANVILS", "is not written as well", "Aliciaboulevard 4", "+31 30 972 5926",
    ):  # fmt: skip
        assert expected in page, expected


def test_sources_stand_side_by_side_and_differences_are_marked(rows: HubRows, steward: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.source(ERP_ACME, attributes=ACME | {"name": "Acme Anvil B.V."}, entity_id=acme)

    page = steward.get(f"/console/customers/{acme}/sources").text

    assert re.search(r'<tr [^>]*class="differs"><th scope="row">Name</th>', page)
    assert re.search(r'<tr [^>]*data-same="yes"><th scope="row">Country</th>', page)
    assert "Acme Anvil<mark>s</mark> B.V." in page


def test_a_customer_page_lists_contracts_and_facts(rows: HubRows, steward: TestClient) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    values = {"number": "CT-1", "customer": CRM_ACME._asdict()}
    contract = rows.golden(
        Domain.CONTRACT, CrosswalkKey("crm", "contract", "1"), values, references=[("customer", CRM_ACME)]
    )
    rows.source(CrosswalkKey("billing", "invoice", "in_9"), domain=None, references=[("customer", CRM_ACME)])

    page = steward.get(f"/console/customers/{acme}/related").text
    of_contract = steward.get(f"/console/contracts/{contract}").text

    assert f'href="/console/contracts/{contract}"' in page
    assert "billing invoice in_9" in page
    assert f'href="/console/customers/{acme}"' in of_contract


def test_an_absorbed_record_leads_to_its_survivor_and_an_unknown_one_says_so(
    rows: HubRows, steward: TestClient
) -> None:
    loser, survivor = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME), rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.merge(loser, survivor, at=NOON)

    assert steward.get(f"/console/customers/{loser}").url.path == f"/console/customers/{survivor}"
    unknown = steward.get("/console/customers/cus_nobody")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"].startswith("text/html")


def test_the_queue_shows_the_most_urgent_question_first_and_why(rows: HubRows, steward: TestClient) -> None:
    third = CrosswalkKey("billing", "customer", "C1")
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.golden(Domain.CUSTOMER, ERP_ACME, ACME | {"name": "Acme Ambos"})
    rows.golden(Domain.CUSTOMER, third, ACME | {"name": "Acme Enclumes"})
    rows.source(
        CrosswalkKey("billing", "invoice", "in_1"), domain=None, references=[("customer", third)],
        attributes={"status": "open", "total": "250000.00", "amount_paid": "0.00", "currency": "EUR"},
    )  # fmt: skip
    rows.task(CRM_ACME, ERP_ACME, 1.5)
    rows.task(CRM_ACME, third, 0.5)

    page = steward.get("/console/reviews").text

    assert page.index("Acme Enclumes") < page.index("Acme Ambos"), "money outweighs a little more evidence"
    assert "250\u202f000 EUR in open invoices and running contracts" in page
    assert "one side is in ERP" in page
    assert "Nothing fits these filters" in steward.get("/console/reviews", params={"domain": "product"}).text
    assert acme


def test_a_view_is_saved_found_again_and_forgotten(steward: TestClient) -> None:
    token = form_token(steward.get("/console/reviews?country=DE").text)

    saved = steward.post("/console/views", data={"csrf": token, "name": "Germany", "query": "country=DE"})
    assert ">Germany</a>" in saved.text
    view = re.search(r"/console/views/(\d+)/delete", saved.text)
    assert view is not None
    forgotten = steward.post(view.group(0), data={"csrf": token})
    for garbage in ("country=Germany", "colour=blue", "weight_from=nan", "country=DE&country=%00"):
        assert steward.post("/console/views", data={"csrf": token, "name": "x", "query": garbage}).status_code >= 400

    assert "Germany" not in forgotten.text


def test_a_form_without_the_sessions_token_changes_nothing(rows: HubRows, steward: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    rows.golden(Domain.CUSTOMER, ERP_ACME, ACME)
    rows.task(CRM_ACME, ERP_ACME, 1.5)

    for address in ("/console/reviews/1/decide", "/console/reviews/1/claim", "/console/views", "/console/preferences"):
        assert steward.post(address, data={"verdict": "same", "csrf": "x"}).status_code == 403


def test_reviews_come_in_pages(rows: HubRows, steward: TestClient) -> None:
    rows.golden(Domain.CUSTOMER, CRM_ACME, ACME)
    for number in range(30):
        other = CrosswalkKey("erp", "business_partner", f"{number}")
        rows.golden(Domain.CUSTOMER, other, ACME)
        rows.task(CRM_ACME, other, 3.0)

    first = steward.get("/console/reviews").text
    following = re.search(r'href="(/console/reviews\?cursor=[^"]+)"', first)
    assert following is not None
    second = steward.get(following.group(1)).text

    tasks = [set(re.findall(r'href="/console/reviews/(\d+)"', page)) for page in (first, second)]
    assert (len(tasks[0]), len(tasks[1]), tasks[0] & tasks[1]) == (25, 5, set())


def test_markup_in_names_is_text(rows: HubRows, steward: TestClient) -> None:
    evil = '<script>alert(1)</script>"onload="x'
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME | {"name": evil}, terms=["alert"])

    for address in (f"/console/customers/{acme}", "/console/search?q=alert", f"/console/search?q={evil}"):
        page = steward.get(address).text
        assert "<script>alert" not in page
        assert '"onload="' not in page


@pytest.mark.parametrize(
    "address",
    [
        "/console/",
        "/console/search?q=acme",
        "/console/reviews",
        "/console/sign-in",
        "/console/help",
        "/console/customers",
        "{record}",
        "{record}/sources",
        "{record}/related",
    ],
)
def test_pages_hold_no_inline_style_or_script_and_label_every_field(
    rows: HubRows, steward: TestClient, address: str
) -> None:
    acme = rows.golden(Domain.CUSTOMER, CRM_ACME, ACME, terms=["acme"])

    answer = steward.get(address.replace("{record}", f"/console/customers/{acme}"))

    page = answer.text
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert '<html lang="en"' in page
    assert page.count("<h1") == 1
    for field in re.findall(r'<input(?![^>]*type="hidden")[^>]*>', page):
        name = re.search(r'id="([^"]+)"', field)
        inside = re.search(r"<label[^>]*>" + re.escape(field), page)
        assert inside or "aria-label" in field or (name and f'for="{name.group(1)}"' in page), field
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert re.findall(r"<th(?! scope=)(?!ead)[ >]", table) == []


def test_static_files_are_ours_and_kept_for_ever(browser: TestClient) -> None:
    page = browser.get("/console/sign-in").text
    addresses = set(re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page))

    assert len(addresses) == 3
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/console/static/..%2F..%2Fapp.py").status_code == 404
    assert browser.get("/console/static/nothing.css").status_code == 404


def test_whoever_signs_in_after_sending_a_form_returns_to_the_page_it_was_on(browser: TestClient) -> None:
    home = {"referer": "http://testserver/console/reviews/7?who=mine"}

    sent = browser.post("/console/reviews/7/decide", data={"verdict": "same"}, headers=home)
    elsewhere = browser.post("/console/reviews/7/decide", headers={"referer": "https://evil.example//x"})

    assert sent.headers["location"] == "/console/sign-in?next=%2Fconsole%2Freviews%2F7%3Fwho%3Dmine"
    assert elsewhere.headers["location"] == "/console/sign-in?next=%2Fconsole%2F"
